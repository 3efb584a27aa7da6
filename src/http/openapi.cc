// The OpenAPI 3.0 document of the table (https://spec.openapis.org/oas/v3.0.3).
#include "http/table.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace sb::http {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

json::object describe(const Parameter& parameter) {
  json::object schema = to_openapi(parameter.schema);
  if (!parameter.fallback.is_null()) schema["default"] = parameter.fallback;
  json::object out{{"name", parameter.name}, {"in", parameter.in == Parameter::In::Path ? "path" : "query"}};
  if (parameter.required || parameter.in == Parameter::In::Path) out["required"] = true;
  if (!parameter.description.empty()) out["description"] = parameter.description;
  out["schema"] = std::move(schema);
  return out;
}

json::array roles_of(Access access) {
  switch (access) {
    case Access::Administrator:
      return {"administrator"};
    case Access::Publisher:
      return {"administrator", "publisher"};
    case Access::Viewer:
    case Access::Own:
    case Access::Metrics:
      return {"administrator", "viewer"};
    case Access::Open:
      break;
  }
  return {};
}

json::object describe(const Endpoint& endpoint) {
  json::object out{{"tags", json::array{endpoint.tag}},
                   {"summary", endpoint.summary},
                   {"operationId", fmt::format("{} {}", to_string(endpoint.method), endpoint.path)}};
  json::array parameters;
  for (const Parameter& parameter : endpoint.parameters) parameters.push_back(describe(parameter));
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  if (endpoint.body)
    out["requestBody"] = {{"content", {{"application/json", {{"schema", to_openapi(*endpoint.body)}}}}}};
  else if (endpoint.upload_max > 0)
    out["requestBody"] = {
        {"content",
         {{"multipart/form-data",
           {{"schema",
             {{"type", "object"}, {"properties", {{"filename", {{"type", "string"}, {"format", "binary"}}}}}}}}}}}};
  else if (endpoint.plain_body)
    out["requestBody"] = {{"content", {{"text/plain", {{"schema", {{"type", "string"}}}}}}}};
  json::object responses;
  for (const Answer& answer : endpoint.answers) {
    json::object response{{"description", answer.description}};
    if (!answer.content_type.empty())
      response["content"] = {{answer.content_type, {{"schema", to_openapi(answer.schema)}}}};
    responses[std::to_string(answer.status)] = std::move(response);
  }
  if (responses.empty()) responses["200"] = {{"description", "OK"}};
  out["responses"] = std::move(responses);
  json::array security;
  if (endpoint.access != Access::Open) {
    if (endpoint.login == Login::Any) security.push_back(json::object{{"basicAuth", json::array()}});
    security.push_back(json::object{{"bearerAuth", json::array()}});
  }
  out["security"] = std::move(security);
  out["x-roles"] = roles_of(endpoint.access);
  return out;
}

}  // namespace

json::value Table::openapi() const {
  json::object paths;
  json::array tags;
  for (const auto& endpoint : endpoints_) {
    if (endpoint->hidden) continue;
    json::value& path = paths[endpoint->path];
    if (!path.is_object()) path = json::object();
    path.get_object()[lower(to_string(endpoint->method))] = describe(*endpoint);
    bool known = false;
    for (const auto& tag : tags) known = known || tag.at("name").get_string() == json::string(endpoint->tag);
    if (!known) tags.push_back(json::object{{"name", endpoint->tag}});
  }
  return json::object{{"openapi", "3.0.3"},
                      {"info", {{"title", "Signalbox API"}, {"version", SB_VERSION}}},
                      {"tags", std::move(tags)},
                      {"paths", std::move(paths)},
                      {"components",
                       {{"securitySchemes",
                         {{"basicAuth", {{"type", "http"}, {"scheme", "basic"}}},
                          {"bearerAuth", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

}  // namespace sb::http
