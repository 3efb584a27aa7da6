#include "plugins/api/authorization/sources.h"

#include "access/acl.h"
#include "config/hocon.h"
#include "management/order.h"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sb::plugins::api::authorization {

using config::Value;
using http::Response;
namespace json = http::json;

namespace {
std::optional<std::string> content_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

Response bad_request(std::string_view why) {
  return Response::error(400, "BAD_REQUEST", why);
}
}  // namespace

std::string type_of(const Value& source) {
  const Value* type = source.find("type");
  return type ? type->text() : std::string();
}

Value::Array Sources::all() const {
  const Value* list = store_.current()->effective.at_path("authorization.sources");
  const auto* sources = list ? list->if_array() : nullptr;
  return sources ? *sources : Value::Array{};
}

std::optional<Value> Sources::find(std::string_view type) const {
  const Value::Array sources = all();
  const std::size_t at = management::position_of(sources, type_of, type);
  return at == sources.size() ? std::nullopt : std::optional(sources[at]);
}

std::string Sources::acl_file() const {
  return (std::filesystem::path(store_.current()->node.data_dir) / "authz" / "acl.conf").string();
}

std::optional<Response> Sources::update(Value authorization) {
  const auto changed = store_.update("authorization", std::move(authorization), config::ConfigStore::Mode::Replace);
  if (changed) {
    // A file of the same name with other rules is no change of the configuration.
    if (!changed->roots.empty()) return std::nullopt;
    const auto refreshed = refresh_();
    return refreshed ? std::nullopt : std::optional(bad_request(refreshed.error().what));
  }
  return bad_request(changed.error().told());
}

std::optional<Response> Sources::replace(Value::Array sources) {
  std::optional<std::string> rules;
  for (Value& source : sources) {
    if (type_of(source) != "file" || !source.find("rules")) continue;
    const Value* text = source.find("rules");
    if (!text->is_string()) return bad_request("rules is a text");
    rules = text->text();
    if (const auto parsed = access::Acl::parse(*rules); !parsed) return bad_request("rules: " + parsed.error().what);
    config::erase(source, "rules");
    (*source.if_object())["path"] = Value(acl_file());
  }
  Value authorization(Value::Object{});
  if (const Value* now = store_.current()->effective.find("authorization")) authorization = *now;
  (*authorization.if_object())["sources"] = Value(std::move(sources));
  const auto before = content_of(acl_file());
  if (rules && before != rules) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(acl_file()).parent_path(), ignored);
    if (const auto written = config::write_private(acl_file(), *rules); !written)
      return Response::error(500, "INTERNAL_ERROR", written.error().what);
  }
  auto refused = update(std::move(authorization));
  if (refused && rules && before != rules) {
    std::error_code ignored;
    if (!before)
      std::filesystem::remove(acl_file(), ignored);
    else if (const auto back = config::write_private(acl_file(), *before); !back)
      return Response::error(500, "INTERNAL_ERROR", back.error().what);
  }
  return refused;
}

std::optional<Response> Sources::set_settings(Value settings) {
  (*settings.if_object())["sources"] = Value(all());
  return update(std::move(settings));
}

json::value Sources::shown(const Value& source) const {
  json::value out = json::parse(config::to_json(source, {.reveal = false, .pretty = false}));
  const Value* path = source.find("path");
  if (type_of(source) == "file" && path && !path->text().empty()) {
    out.as_object()["rules"] = content_of(path->text()).value_or("");
    if (path->text() == acl_file()) out.as_object().erase("path");  // ours: where it lies is nobody's matter
  }
  return out;
}

json::value Sources::settings() const {
  Value out(Value::Object{});
  if (const Value* now = store_.current()->effective.find("authorization")) out = *now;
  config::erase(out, "sources");
  return json::parse(config::to_json(out, {.reveal = false, .pretty = false}));
}

}  // namespace sb::plugins::api::authorization
