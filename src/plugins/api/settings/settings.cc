// Reading and writing one root of the configuration, or a part of one, as JSON (management-api 2.9 to 2.13, 2.18,
// 2.23). Which operations there are is a table; what a root may hold is the configuration's own schema.
#include "http/refused_change.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <re2/re2.h>

namespace sb::plugins::api::settings {

namespace {
using config::ConfigStore;
using http::Call;
using http::Reply;
using http::Response;
namespace json = http::json;
namespace schema = http::schema;

struct Place {
  std::string_view path;  // of the operation
  std::string_view tag;
  std::string_view root;  // key in the configuration
  std::string_view about;
  ConfigStore::Mode mode = ConfigStore::Mode::Shallow;
  bool list = false;  // the body is an array
  std::size_t length_max = 0;
  unsigned too_long = 0;  // status when it is longer
  bool hidden = false;
};

constexpr Place kPlaces[] = {
    {"/configs/alarm", "Configs", "alarm", "the alarm settings"},
    {"/configs/sys_topics", "Configs", "sys_topics", "the settings of $SYS topics"},
    {"/configs/sysmon", "Configs", "sysmon", "the settings of the system monitor"},
    {"/configs/log", "Configs", "log", "the settings of the log"},
    {"/configs/dashboard", "Configs", "dashboard", "the settings of the management interface",
     ConfigStore::Mode::Merge},
    {"/mqtt/retainer", "Retainer", "retainer", "the settings of retained messages"},
    {"/mqtt/delayed", "MQTT", "delayed", "the settings of delayed publishing"},
    {"/slow_subscriptions/settings", "Slow Subscriptions", "slow_subs", "what counts as a slow subscription"},
    {"/prometheus", "Monitor", "prometheus", "the Prometheus settings"},
    {"/license/setting", "License", "license", "the licence watermarks"},
    {"/mqtt/topic_rewrite", "MQTT", "rewrite", "the topic rewrite rules", ConfigStore::Mode::Replace, true, 20, 413},
    {"/mqtt/auto_subscribe", "Auto Subscribe", "auto_subscribe.topics", "the topics that every client is subscribed to",
     ConfigStore::Mode::Replace, true, 20, 409},
};

/// Keys that a place shows and takes; empty = all.
std::vector<std::string_view> keys_of(const Place& place) {
  if (place.root == "license") return {"connection_low_watermark", "connection_high_watermark"};
  return {};
}

json::value shown(const ConfigStore& store, std::string_view root, const std::vector<std::string_view>& keys) {
  const config::Value* value = store.current()->effective.at_path(root);
  if (!value) return json::object();
  json::value out = json::parse(config::to_json(*value, {.reveal = false, .pretty = false}));
  if (keys.empty()) return out;
  json::object some;
  for (const std::string_view key : keys)
    if (const auto* found = out.get_object().if_contains(key)) some[key] = *found;
  return some;
}

std::optional<config::Value> value_of(const json::value& body) {
  return config::parse_value(json::serialize(body), "request");
}

/// A file may hold a rule that does not compile: it is logged and passed over. Somebody who asks is told.
std::optional<Response> bad_pattern(const json::array& rules) {
  re2::RE2::Options quiet;
  quiet.set_log_errors(false);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto* pattern = rules[i].is_object() ? rules[i].get_object().if_contains("re") : nullptr;
    if (!pattern || !pattern->is_string()) continue;  // the schema says so
    const re2::RE2 compiled(std::string(std::string_view(pattern->get_string())), quiet);
    if (!compiled.ok())
      return http::refusal({{fmt::format("{}.re", i + 1), "bad_regular_expression", compiled.error(), *pattern}});
  }
  return std::nullopt;
}

/// The rule is about both watermarks: what was sent is named first, for it need not be where the rule looks.
std::string bad_license_setting(const json::object& sent, const ConfigStore::Refusal& refusal) {
  std::string out = "Bad license setting: ";
  for (const auto& [key, value] : sent) out += fmt::format("{} = {}: ", std::string_view(key), json::serialize(value));
  bool first = true;
  for (config::Problem problem : refusal.problems) {
    problem.file.clear();  // the body is one line
    out += (std::exchange(first, false) ? "" : "\n") + config::to_string(problem);
  }
  return first ? out + refusal.told() : out;
}

void write(ConfigStore& store, const Place& place, const Call& call, const Reply& reply) {
  if (place.list && place.length_max != 0 && call.body.get_array().size() > place.length_max)
    return reply(Response::error(place.too_long, "EXCEED_LIMIT",
                                 fmt::format("{}: at most {} entries", place.root, place.length_max)));
  if (place.root == "rewrite")
    if (auto refused = bad_pattern(call.body.get_array())) return reply(std::move(*refused));
  const auto keys = keys_of(place);
  if (!keys.empty())
    for (const auto& [key, ignored] : call.object())
      if (std::find(keys.begin(), keys.end(), std::string_view(key)) == keys.end())
        return reply(http::refusal({{std::string(key), "unknown_fields", fmt::format("{}", fmt::join(keys, ", "))}}));
  auto value = value_of(call.body);
  if (!value) return reply(Response::error(400, "BAD_REQUEST", "Invalid json message received"));
  const auto outcome = store.update(place.root, std::move(*value), place.mode);
  if (!outcome) {
    if (place.root == "license")
      return reply(Response::error(400, "BAD_REQUEST", bad_license_setting(call.object(), outcome.error())));
    return reply(http::refused_change(
        outcome.error(),
        {.at = std::string(place.root), .other = place.list ? "BAD_REQUEST" : std::string_view(outcome.error().code)}));
  }
  reply(Response::of(shown(store, place.root, keys)));
}

http::Schema body_of(const Place& place) {
  return place.list ? schema::array(schema::open_object(), 10000) : schema::open_object();
}

void add_place(management::ApiRegistry& api, ConfigStore& store, const Place& place) {
  const std::string path = "/api/v5" + std::string(place.path);
  api.table.add({http::Method::Get,
                 path,
                 std::string(place.tag),
                 http::Access::Viewer,
                 "Read " + std::string(place.about),
                 {},
                 {},
                 false,
                 {http::ok(body_of(place))},
                 place.hidden,
                 [&store, &place](const Call&, const Reply& reply) {
                   reply(Response::of(shown(store, place.root, keys_of(place))));
                 }});
  std::vector<http::Answer> answers = {http::ok(body_of(place)), http::fault(400, "Refused")};
  if (place.too_long != 0) answers.push_back(http::fault(place.too_long, "Too many"));
  api.table.add({http::Method::Put,
                 path,
                 std::string(place.tag),
                 http::Access::Administrator,
                 "Write " + std::string(place.about),
                 {},
                 body_of(place),
                 false,
                 std::move(answers),
                 place.hidden,
                 [&store, &place](const Call& call, const Reply& reply) { write(store, place, call, reply); }});
}

// --- what is put together of several roots

constexpr std::string_view kZoneRoots[] = {"mqtt", "flapping_detect", "force_shutdown", "force_gc"};

json::value global_zone(const ConfigStore& store) {
  json::object out;
  for (const std::string_view root : kZoneRoots) out[root] = shown(store, root, {});
  return out;
}

/// All roots of the body in one change: what a root does not name keeps its value.
void write_global_zone(ConfigStore& store, const Call& call, const Reply& reply) {
  config::Value roots = config::Value::Object{};
  for (const auto& [name, body] : call.object()) {
    const std::string root(name);
    json::value joined = shown(store, root, {});
    if (!body.is_object()) return reply(http::refusal({{root, "bad_type", "object", body}}));
    for (const auto& [key, value] : body.get_object()) joined.get_object()[key] = value;
    auto value = value_of(joined);
    if (!value) return reply(Response::error(400, "BAD_REQUEST", "Invalid json message received"));
    roots.if_object()->emplace(root, std::move(*value));
  }
  const auto outcome = store.update("", std::move(roots), ConfigStore::Mode::Replace);
  if (!outcome)
    return reply(http::refused_change(outcome.error(), {.code = "UPDATE_FAILED", .other = outcome.error().code}));
  reply(Response::of(global_zone(store)));
}

constexpr std::string_view kLimits[] = {"max_conn_rate", "messages_rate", "bytes_rate"};

json::value limits(const ConfigStore& store) {
  const json::value root = shown(store, "limiter", {});
  json::object out;
  for (const std::string_view key : kLimits) {
    const auto* value = root.get_object().if_contains(key);
    out[key] = value ? *value : json::value("infinity");
  }
  return out;
}

void write_limits(ConfigStore& store, const Call& call, const Reply& reply) {
  auto value = value_of(call.body);
  if (!value) return reply(Response::error(400, "BAD_REQUEST", "Invalid json message received"));
  const auto outcome = store.update("limiter", std::move(*value), ConfigStore::Mode::Shallow);
  if (!outcome) return reply(http::refused_change(outcome.error(), {.at = "limiter", .other = outcome.error().code}));
  reply(Response::of(limits(store)));
}

void add_pair(management::ApiRegistry& api, const std::string& path, const std::string& about, bool hidden,
              const http::Schema& body, std::function<json::value()> read,
              std::function<void(const Call&, const Reply&)> put) {
  api.table.add({http::Method::Get,
                 path,
                 "Configs",
                 http::Access::Viewer,
                 "Read " + about,
                 {},
                 {},
                 false,
                 {http::ok(schema::open_object())},
                 hidden,
                 [read = std::move(read)](const Call&, const Reply& reply) { reply(Response::of(read())); }});
  api.table.add({http::Method::Put,
                 path,
                 "Configs",
                 http::Access::Administrator,
                 "Write " + about,
                 {},
                 body,
                 false,
                 {http::ok(schema::open_object()), http::fault(400, "Refused")},
                 hidden,
                 std::move(put)});
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  if (!api.service.environment().config) return;
  ConfigStore& store = *api.service.environment().config;
  for (const Place& place : kPlaces) add_place(api, store, place);
  std::vector<http::Field> zone;
  for (const std::string_view root : kZoneRoots) zone.push_back({std::string(root), schema::any()});
  add_pair(
      api, "/api/v5/configs/global_zone", "the settings of the global zone", false, schema::object(zone),
      [&store] { return global_zone(store); },
      [&store](const Call& call, const Reply& reply) { write_global_zone(store, call, reply); });
  std::vector<http::Field> rates;
  for (const std::string_view key : kLimits)
    rates.push_back({std::string(key), schema::string(1, 64), false, "1000/s, 1MB/10s or infinity"});
  add_pair(
      api, "/api/v5/configs/limiter", "the rate limits of the node", true, schema::object(rates),
      [&store] { return limits(store); },
      [&store](const Call& call, const Reply& reply) { write_limits(store, call, reply); });
}

}  // namespace sb::plugins::api::settings
