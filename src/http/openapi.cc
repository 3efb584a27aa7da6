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
  if (parameter.repeated) schema = json::object{{"type", "array"}, {"items", std::move(schema)}};
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

/// Answers of the table itself, which no endpoint has to declare.
struct Common {
  unsigned status;
  std::string_view name;
  std::string_view description;
};
constexpr Common kBadRequest{400, "BadRequest", "The request is malformed or a value is not accepted"};
constexpr Common kUnauthorized{401, "Unauthorized", "No valid credentials"};
constexpr Common kForbidden{403, "Forbidden", "The role may not do this"};
constexpr Common kChanged{412, "Changed", "If-Match names another ETag than that of the GET: somebody changed it"};
constexpr Common kTooLarge{413, "TooLarge", "The body is larger than what is taken"};
constexpr Common kHeadTooLarge{431, "HeadTooLarge", "The target and the header fields are larger than what is taken"};

void add_common(json::object& responses, const Common& common) {
  const std::string status = std::to_string(common.status);
  if (!responses.contains(status))
    responses[status] = {{"$ref", fmt::format("#/components/responses/{}", common.name)}};
}

json::object common_responses() {
  json::object out;
  for (const Common& common : {kBadRequest, kUnauthorized, kForbidden, kChanged, kTooLarge, kHeadTooLarge})
    out[common.name] = {{"description", common.description},
                        {"content", {{"application/json", {{"schema", to_openapi(fault(common.status, {}).schema)}}}}}};
  return out;
}

/// What an endpoint declares, of one status maybe in several content types, and what the table adds.
json::object responses_of(const Endpoint& endpoint, bool conditional) {
  json::object out;
  bool works = endpoint.answers.empty();  // or only says that it is not there
  for (const Answer& answer : endpoint.answers) {
    works = works || answer.status < 400;
    json::value& known = out[std::to_string(answer.status)];
    if (!known.is_object()) known = {{"description", answer.description}};
    if (answer.content_type.empty()) continue;
    json::value& content = known.get_object()["content"];
    if (!content.is_object()) content = json::object();
    content.get_object()[answer.content_type] = {{"schema", to_openapi(answer.schema)}};
  }
  if (endpoint.answers.empty()) out["200"] = {{"description", "OK"}};
  if (!works) return out;
  add_common(out, kBadRequest);
  if (endpoint.access != Access::Open) {
    add_common(out, kUnauthorized);
    add_common(out, kForbidden);
  }
  if (conditional) add_common(out, kChanged);
  if (endpoint.body || endpoint.plain_body || endpoint.upload_max > 0) add_common(out, kTooLarge);
  add_common(out, kHeadTooLarge);
  return out;
}

json::object describe(const Endpoint& endpoint, bool conditional) {
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
  out["responses"] = responses_of(endpoint, conditional);
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
    const bool conditional =
        endpoint->method == Method::Put && std::any_of(endpoints_.begin(), endpoints_.end(), [&](const auto& other) {
          return other->method == Method::Get && other->path == endpoint->path;
        });
    path.get_object()[lower(to_string(endpoint->method))] = describe(*endpoint, conditional);
    bool known = false;
    for (const auto& tag : tags) known = known || tag.at("name").get_string() == json::string(endpoint->tag);
    if (!known) tags.push_back(json::object{{"name", endpoint->tag}});
  }
  return json::object{{"openapi", "3.0.3"},
                      {"info", {{"title", "Signalbox API"}, {"version", SB_VERSION}}},
                      {"tags", std::move(tags)},
                      {"paths", std::move(paths)},
                      {"components",
                       {{"responses", common_responses()},
                        {"securitySchemes",
                         {{"basicAuth", {{"type", "http"}, {"scheme", "basic"}}},
                          {"bearerAuth", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

}  // namespace sb::http
