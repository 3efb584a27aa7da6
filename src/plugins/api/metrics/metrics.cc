// Counters and gauges (management-api 2.3).
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"

#include <boost/json/array.hpp>

namespace sb::plugins::api::metrics {

namespace {
using http::Response;
namespace json = http::json;
namespace schema = http::schema;

json::object counters(const management::Service& service) {
  json::object out;
  for (const auto& [name, value] : service.metrics()) out[name] = value;
  // Documented by EMQX, and asked for by scripts; nothing of this node counts them.
  for (const char* name : {"actions.failure", "actions.success", "messages.retained", "rules.matched"}) out[name] = 0;
  out["client.check_authz"] = out["client.authorize"];  // the older name
  return out;
}
json::object gauges(const management::Service& service) {
  json::object out;
  for (const auto& [name, value] : service.gauges()) out[name] = value;
  return out;
}

void add(management::ApiRegistry& api, const std::string& name, const std::string& what,
         json::object (*read)(const management::Service&)) {
  management::Service& service = api.service;
  api.table.add({http::Method::Get,
                 "/api/v5/" + name,
                 "Metrics",
                 http::Access::Viewer,
                 what + " per node or summed",
                 {http::query_parameter("aggregate", schema::boolean(), "Sum over the nodes")},
                 {},
                 false,
                 {http::ok(schema::any())},
                 false,
                 [&service, read](const http::Call& call, const http::Reply& reply) {
                   json::object values = read(service);
                   if (call.flag("aggregate")) return reply(Response::of(std::move(values)));
                   values["node"] = service.environment().node;
                   reply(Response::of(json::array{std::move(values)}));
                 }});
  api.table.add({http::Method::Get,
                 "/api/v5/nodes/{node}/" + name,
                 "Nodes",
                 http::Access::Viewer,
                 what + " of one node",
                 {http::path_parameter("node", "Node name")},
                 {},
                 false,
                 {http::ok(schema::open_object()), http::fault(404, "No such node")},
                 false,
                 [&service, read](const http::Call& call, const http::Reply& reply) {
                   const std::string node = call.text("node");
                   if (node != service.environment().node)
                     return reply(Response::error(404, "NOT_FOUND", "Node not found: " + node));
                   reply(Response::of(read(service)));
                 }});
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  add(api, "metrics", "Broker counters", counters);
  add(api, "stats", "Broker gauges", gauges);
}

}  // namespace sb::plugins::api::metrics
