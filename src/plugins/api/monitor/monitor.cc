// The overview: traffic over time, and of right now (management-api 2.4).
#include "http/table.h"
#include "management/api_registry.h"
#include "management/licence.h"
#include "management/service.h"

#include <boost/json/array.hpp>

namespace sb::plugins::api::monitor {

namespace {
using http::Call;
using http::Reply;
using http::Response;
using management::Service;
namespace json = http::json;
namespace schema = http::schema;

json::object to_json(const management::Reading& point) {
  return {{"time_stamp", point.time_ms},
          {"received", point.received},
          {"sent", point.sent},
          {"dropped", point.dropped},
          {"subscriptions", point.subscriptions},
          {"topics", point.topics},
          {"connections", point.connections},
          {"live_connections", point.live_connections}};
}

json::value history(Service& service, const Call& call) {
  json::array out;
  for (const management::Reading& point : service.monitor().history(call.find_integer("latest")))
    out.push_back(to_json(point));
  return out;
}

json::value current(Service& service, const Call&) {
  const management::Monitor::Current current = service.monitor().current();
  const broker::Stats& stats = *service.environment().stats;
  json::object out{{"received_msg_rate", current.received_rate},
                   {"sent_msg_rate", current.sent_rate},
                   {"dropped_msg_rate", current.dropped_rate},
                   {"subscriptions", current.now.subscriptions},
                   {"topics", current.now.topics},
                   {"connections", current.now.connections},
                   {"live_connections", current.now.live_connections},
                   {"shared_subscriptions", stats.count(broker::Gauge::SharedSubscriptions)},
                   {"retained_msg_count", service.retained_count()},
                   {"node_uptime", service.uptime_ms() / 1000}};
  if (const management::Licence* licence = service.environment().licence)
    out["license_quota"] = licence->view().terms.max_connections;
  return out;
}

void add(management::ApiRegistry& api, const std::string& name, const std::string& summary,
         const std::vector<http::Parameter>& query, json::value (*read)(Service&, const Call&)) {
  Service& service = api.service;
  const http::Schema shape = read == history ? schema::array(schema::open_object(), 100'000) : schema::open_object();
  api.table.add({http::Method::Get,
                 "/api/v5/" + name,
                 "Metrics",
                 http::Access::Viewer,
                 summary + " of the cluster",
                 query,
                 {},
                 false,
                 {http::ok(shape)},
                 false,
                 [&service, read](const Call& call, const Reply& reply) { reply(Response::of(read(service, call))); }});
  std::vector<http::Parameter> parameters = {http::path_parameter("node", "Node name")};
  parameters.insert(parameters.end(), query.begin(), query.end());
  api.table.add({http::Method::Get,
                 "/api/v5/" + name + "/nodes/{node}",
                 "Metrics",
                 http::Access::Viewer,
                 summary + " of one node",
                 std::move(parameters),
                 {},
                 false,
                 {http::ok(shape), http::fault(404, "No such node")},
                 false,
                 [&service, read](const Call& call, const Reply& reply) {
                   if (const std::string node = call.text("node"); node != service.environment().node)
                     return reply(Response::error(404, "NOT_FOUND", "Node not found: " + node));
                   reply(Response::of(read(service, call)));
                 }});
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  constexpr std::int64_t kLatestMax = 1'000'000'000;
  add(api, "monitor", "Traffic over time",
      {http::query_parameter("latest", schema::integer(1, kLatestMax), "Of the last so many seconds")}, history);
  add(api, "monitor_current", "Rates and gauges of right now", {}, current);
  constexpr std::int64_t kSecondsMax = 100'000'000'000;
  http::Parameter since = http::query_parameter("since", schema::integer(0, kSecondsMax), "Seconds since 1970");
  since.fallback = 0;
  api.table.add({http::Method::Get,
                 "/api/v5/sessions_count",
                 "Metrics",
                 http::Access::Viewer,
                 "How many sessions are connected, or were since a time",
                 {std::move(since)},
                 {},
                 false,
                 {http::ok(schema::integer(0))},
                 false,
                 [&service = api.service](const Call& call, const Reply& reply) {
                   service.sessions_since(call.integer("since") * 1000,
                                          [reply](std::size_t count) { reply(Response::of(json::value(count))); });
                 }});
}

}  // namespace sb::plugins::api::monitor
