#include "plugins/api/authorization/sources.h"

#include "access/acl.h"
#include "base/json_text.h"
#include "base/regular_file.h"
#include "config/hocon.h"
#include "http/refused_change.h"
#include "http/schema.h"
#include "management/order.h"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <filesystem>

namespace sb::plugins::api::authorization {

using config::Value;
using http::Response;
namespace json = http::json;

namespace {
/// The path may name any file of the machine, and who asks may read none of them: rules are shown, nothing else.
constexpr std::size_t kShownBytesMax = 1 << 20;

std::optional<std::string> rules_in(const std::string& path) {
  auto text = read_regular_file(path, kShownBytesMax);
  if (!text || !access::Acl::parse(*text) || utf8_text(*text) != *text) return std::nullopt;
  return *std::move(text);
}

std::optional<std::string> content_of(const std::string& path) {
  auto text = read_regular_file(path, access::Acl::kTextMax);
  return text ? std::optional(*std::move(text)) : std::nullopt;
}

std::string text_at(const Value& source, std::string_view key) {
  const Value* value = source.find(key);
  return value && value->is_string() ? value->text() : std::string();
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

std::string Sources::path_in_force() const {
  for (const config::AuthzSource& one : store_.current()->authorization.sources)
    if (one.type == "file") return one.path;
  return {};
}

bool Sources::put_back(Value& source) const {
  const auto now = find("file");
  if (!now) return false;
  const json::value as_shown = shown(*now);
  const auto same = [&](std::string_view key) {
    const json::value* value = as_shown.as_object().if_contains(key);
    return (value && value->is_string() ? std::string_view(value->get_string()) : std::string_view()) ==
           text_at(source, key);
  };
  if (!same("rules") || !same("path")) return false;
  for (const char* key : {"path", "rules"}) {
    config::erase(source, key);
    if (const Value* value = now->find(key)) (*source.if_object())[key] = *value;
  }
  return true;
}

std::optional<Response> Sources::update(Value authorization, const std::string& sent) {
  const auto changed = store_.update("authorization", std::move(authorization), config::ConfigStore::Mode::Replace);
  if (changed) {
    // A file of the same name with other rules is no change of the configuration.
    if (!changed->roots.empty()) return std::nullopt;
    const auto refreshed = refresh_();
    return refreshed ? std::nullopt : std::optional(bad_request(refreshed.error().what));
  }
  return http::refused_change(changed.error(), {.at = sent});
}

std::optional<Response> Sources::replace(Value::Array sources, std::optional<std::size_t> sent) {
  std::optional<std::string> rules;
  for (Value& source : sources) {
    if (type_of(source) != "file" || !source.find("rules")) continue;
    const Value* text = source.find("rules");
    if (!text->is_string()) return http::refusal({{"rules", "bad_type", "a text"}});
    if (put_back(source)) continue;
    rules = text->text();
    // Said by an editor that had nothing to show, not by who wants no rules: the source can be disabled, or removed.
    if (rules->find_first_not_of(" \t\r\n") == std::string::npos)
      return http::refusal(
          {{"rules", "empty", "rules; leave them out to use the file of path, or disable the source"}});
    if (const auto parsed = access::Acl::parse(*rules); !parsed)
      return http::refusal({{"rules", parsed.error().what, ""}});
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
  auto refused = update(std::move(authorization),
                        sent ? fmt::format("authorization.sources.{}", *sent + 1) : "authorization.sources");
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
  return update(std::move(settings), "authorization");
}

json::value Sources::shown(const Value& source) const {
  json::value out = json::parse(config::to_json(source, {.reveal = false, .pretty = false}));
  if (const std::string path = path_in_force(); type_of(source) == "file" && !path.empty()) {
    if (auto rules = rules_in(path)) out.as_object()["rules"] = *std::move(rules);
    if (text_at(source, "path") == acl_file()) out.as_object().erase("path");  // ours: where it lies is nobody's matter
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
