// What the forms of the dashboard are generated from (management-api 2.36): the configuration's own schema, one entry a
// key with type, default, bounds, words and text.
#include "config/schema.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

namespace sb::plugins::api::schemas {

namespace {
using http::Call;
using http::Reply;
using http::Response;
namespace json = http::json;
namespace schema = http::schema;

json::array describe(const config::Struct& from, int depth);

std::string_view shape_name(config::Key::Shape shape) {
  switch (shape) {
    case config::Key::Shape::Scalar:
      return "scalar";
    case config::Key::Shape::Object:
      return "object";
    case config::Key::Shape::List:
      return "list";
    case config::Key::Shape::Map:
      return "map";
    case config::Key::Shape::Any:
      return "any";
  }
  return "any";
}

json::array words_of(std::string_view words) {
  json::array out;
  while (!words.empty()) {
    const auto space = std::min(words.find(' '), words.size());
    out.emplace_back(words.substr(0, space));
    words.remove_prefix(std::min(space + 1, words.size()));
  }
  return out;
}

json::object describe(const config::Key& key, int depth) {
  json::object out{{"name", key.name}, {"type", key.type}, {"shape", shape_name(key.shape)}};
  if (!key.opts.doc.empty()) out["description"] = key.opts.doc;
  if (!key.default_value.is_null())
    out["default"] = json::parse(config::to_json(key.default_value, {.reveal = true, .pretty = false}));
  if (!key.symbols.empty()) {
    json::array symbols;
    for (const std::string_view symbol : key.symbols) symbols.emplace_back(symbol);
    out["symbols"] = std::move(symbols);
  }
  if (!key.opts.words.empty()) out["words"] = words_of(key.opts.words);
  if (key.opts.min > -config::kUnbounded) out["minimum"] = key.opts.min;
  if (key.opts.max < config::kUnbounded) out["maximum"] = key.opts.max;
  if (key.opts.secret) out["secret"] = true;
  if (key.opts.required) out["required"] = true;
  if (key.optional) out["optional"] = true;
  if (key.opts.deprecated) out["deprecated"] = true;
  if (key.opts.hidden) out["hidden"] = true;
  if (key.hot == config::Hot::N) out["readonly"] = true;
  if (key.hot == config::Hot::B) out["after_restart"] = true;
  if (key.child && depth > 0) out["fields"] = describe(*key.child, depth - 1);
  return out;
}

json::array describe(const config::Struct& from, int depth) {
  json::array out;
  for (const config::Key& key : from.keys) out.push_back(describe(key, depth));
  return out;
}

constexpr int kDepthMax = 8;

/// An authenticator by its id, a source by its type, as if it were a key: its settings are its fields.
json::object describe(const std::string& name, const config::Struct* settings) {
  json::object out{{"name", name}, {"type", "object"}, {"shape", "object"}};
  if (settings) out["fields"] = describe(*settings, kDepthMax);
  return out;
}

json::object hot_configuration(const management::Environment& environment) {
  json::array authentication;
  if (environment.authentication)
    for (const config::AuthnMechanism& one : environment.authentication->mechanisms().names())
      authentication.push_back(describe(one.id, one.schema));
  json::array authorization;
  if (environment.authorization)
    for (const config::AuthzKind& one : environment.authorization->sources().names())
      authorization.push_back(describe(one.type, one.schema));
  return {{"name", "hotconf"},
          {"roots", describe(config::Roots::schema(), kDepthMax)},
          {"authentication", std::move(authentication)},
          {"authorization", std::move(authorization)}};
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  api.table.add({http::Method::Get,
                 "/api/v5/schemas/{name}",
                 "Dashboard",
                 http::Access::Open,
                 "What the forms of the dashboard are made from",
                 {http::path_parameter("name", "hotconf, bridges, actions or connectors")},
                 {},
                 false,
                 {http::ok(schema::open_object()), http::fault(400, "No such schema")},
                 false,
                 [&service = api.service](const Call& call, const Reply& reply) {
                   const std::string name = call.text("name");
                   const bool known =
                       name == "hotconf" || name == "bridges" || name == "actions" || name == "connectors";
                   if (!known) return reply(Response::error(400, "BAD_REQUEST", fmt::format("no schema '{}'", name)));
                   if (name == "hotconf") return reply(Response::of(hot_configuration(service.environment())));
                   // Areas that are not there have no forms.
                   reply(Response::of(json::object{{"name", name}, {"roots", json::array()}}));
                 }});
}

}  // namespace sb::plugins::api::schemas
