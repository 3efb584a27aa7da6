// Counters of chosen topics (management-api 2.12).
#include "config/store.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"
#include "management/text.h"

#include <boost/json/array.hpp>

#include <cmath>

namespace sb::plugins::api::topic_metrics {

namespace {
using http::Call;
using http::Reply;
using http::Response;
using management::TopicMetricInfo;
namespace json = http::json;
namespace schema = http::schema;

json::object to_json(const TopicMetricInfo& row) {
  json::object metrics;
  for (const auto& [name, count] : row.counts) metrics[name + ".count"] = count;
  for (const auto& [name, rate] : row.rates) metrics[name + ".rate"] = std::round(rate * 10000) / 10000;
  json::object out{{"topic", row.topic}, {"create_time", management::rfc3339_s(row.create_ms)}};
  if (row.reset_ms) out["reset_time"] = management::rfc3339_s(*row.reset_ms);
  out["metrics"] = std::move(metrics);
  return out;
}

config::Value entry_of(const std::string& topic) {
  config::Value::Object out;
  out.emplace("topic", config::Value(topic));
  return config::Value(std::move(out));
}

/// Keeps in the configuration which topics are counted: a start, a backup and other nodes go by it.
Result<> keep(config::ConfigStore* store, const std::string& topic, bool counted) {
  if (!store) return {};
  config::Value::Array topics;
  bool known = false;
  for (const config::TopicMetric& one : store->current()->topic_metrics) {
    known = known || one.topic == topic;
    if (counted || one.topic != topic) topics.push_back(entry_of(one.topic));
  }
  if (known == counted) return {};
  if (counted) topics.push_back(entry_of(topic));
  const auto outcome =
      store->update("topic_metrics", config::Value(std::move(topics)), config::ConfigStore::Mode::Replace);
  if (!outcome) return fail(Errc::Invalid, outcome.error().code);
  return {};
}

Response not_found(std::string_view topic) {
  return Response::error(404, "TOPIC_NOT_FOUND", fmt::format("Topic '{}' is not monitored", topic));
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  if (!api.service.environment().topic_metrics) return;
  management::TopicMetricsControl& metrics = *api.service.environment().topic_metrics;
  config::ConfigStore* const store = api.service.environment().config;
  const std::string kAll = "/api/v5/mqtt/topic_metrics";
  const std::string kOne = kAll + "/{topic}";
  const std::vector<http::Parameter> topic = {http::path_parameter("topic", "Topic, percent-encoded")};
  const http::Answer missing = http::fault(404, "Not monitored");
  api.table.add({http::Method::Get,
                 kAll,
                 "MQTT",
                 http::Access::Viewer,
                 "List monitored topics with counters",
                 {},
                 {},
                 false,
                 {http::ok(schema::array(schema::open_object()))},
                 false,
                 [&metrics](const Call&, const Reply& reply) {
                   json::array rows;
                   for (const TopicMetricInfo& row : metrics.list()) rows.push_back(to_json(row));
                   reply(Response::of(std::move(rows)));
                 }});
  http::Schema post = schema::object({{"topic", schema::string(1, 65535), true, "Exact topic"}});
  post.open = true;
  api.table.add({http::Method::Post,
                 kAll,
                 "MQTT",
                 http::Access::Administrator,
                 "Start monitoring a topic",
                 {},
                 std::move(post),
                 false,
                 {http::ok(schema::open_object()), http::fault(400, "Bad topic"), http::fault(409, "Too many")},
                 false,
                 [&metrics, store](const Call& call, const Reply& reply) {
                   const std::string name(std::string_view(call.object().at("topic").get_string()));
                   if (const auto done = metrics.add(name); !done) {
                     const bool full = done.error().code == Errc::Full;
                     return reply(
                         Response::error(full ? 409 : 400, full ? "EXCEED_LIMIT" : "BAD_TOPIC", done.error().what));
                   }
                   if (const auto kept = keep(store, name, true); !kept) {
                     static_cast<void>(metrics.remove(name));
                     return reply(Response::error(400, "UPDATE_FAILED", kept.error().what));
                   }
                   const auto row = metrics.find(name);
                   reply(row ? Response::of(to_json(*row)) : not_found(name));
                 }});
  http::Schema put = schema::object({{"action", schema::choice({"reset"}), true}, {"topic", schema::string(1, 65535)}});
  put.open = true;
  api.table.add({http::Method::Put,
                 kAll,
                 "MQTT",
                 http::Access::Administrator,
                 "Reset the counters of one topic or of all",
                 {},
                 std::move(put),
                 false,
                 {{200, "Done", {}, ""}, missing},
                 false,
                 [&metrics](const Call& call, const Reply& reply) {
                   const auto* name = call.object().if_contains("topic");
                   if (!name) {
                     metrics.reset_all();
                     return reply(Response::empty(200));
                   }
                   const std::string wanted(std::string_view(name->get_string()));
                   reply(metrics.reset(wanted) ? Response::empty(200) : not_found(wanted));
                 }});
  api.table.add({http::Method::Get,
                 kOne,
                 "MQTT",
                 http::Access::Viewer,
                 "Read the counters of one topic",
                 topic,
                 {},
                 false,
                 {http::ok(schema::open_object()), missing},
                 false,
                 [&metrics](const Call& call, const Reply& reply) {
                   const auto row = metrics.find(call.text("topic"));
                   reply(row ? Response::of(to_json(*row)) : not_found(call.text("topic")));
                 }});
  api.table.add({http::Method::Delete,
                 kOne,
                 "MQTT",
                 http::Access::Administrator,
                 "Stop monitoring a topic",
                 topic,
                 {},
                 false,
                 {http::no_content(), http::fault(400, "Not kept"), missing},
                 false,
                 [&metrics, store](const Call& call, const Reply& reply) {
                   const std::string name = call.text("topic");
                   if (!metrics.remove(name)) return reply(not_found(name));
                   if (const auto kept = keep(store, name, false); !kept)
                     return reply(Response::error(400, "UPDATE_FAILED", kept.error().what));
                   reply(Response::empty());
                 }});
}

}  // namespace sb::plugins::api::topic_metrics
