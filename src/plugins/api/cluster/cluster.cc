// The cluster, its draining and its balance (management-api 2.2, 2.22): what a node that stands alone answers. A client
// can be sent away only if there is somewhere to go, so every start is refused.
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"

#include <boost/json/array.hpp>

namespace sb::plugins::api::cluster {

namespace {
using http::Call;
using http::Method;
using http::Reply;
using http::Response;
namespace json = http::json;
namespace schema = http::schema;

std::vector<http::Parameter> node_parameter() {
  return {http::path_parameter("node", "Node name, name@host")};
}

Response bad_request(const std::string& message) {
  return Response::error(400, "BAD_REQUEST", message);
}

bool is_node_name(std::string_view name) {
  const auto at = name.find('@');
  return at != 0 && at != name.npos && at + 1 < name.size() && name.find('@', at + 1) == name.npos;
}

/// What must hold of every start: times and rates, with the reference's defaults.
std::vector<http::Field> drain_fields() {
  const auto duration = [](std::string name, std::string about, std::string fallback) {
    http::Field out{std::move(name), schema::string(1, 32), false, std::move(about)};
    out.fallback = json::value(fallback);
    return out;
  };
  return {duration("wait_health_check", "Time for load balancers to notice", "60s"),
          {"conn_evict_rate", schema::integer(1), false, "Disconnects a second", 500},
          {"sess_evict_rate", schema::integer(1), false, "Sessions moved a second", 500},
          duration("wait_takeover", "Time for clients to come back elsewhere", "60s")};
}

void add_cluster(management::ApiRegistry& api) {
  const management::Environment& environment = api.service.environment();
  api.table.add({Method::Get,
                 "/api/v5/cluster",
                 "Cluster",
                 http::Access::Viewer,
                 "Cluster name, members and the answering node",
                 {},
                 {},
                 false,
                 {http::ok(schema::open_object())},
                 false,
                 [&environment](const Call&, const Reply& reply) {
                   std::string name = "emqxcl";
                   if (environment.config) name = environment.config->current()->cluster.name;
                   reply(Response::of(json::object{
                       {"name", name}, {"nodes", json::array{environment.node}}, {"self", environment.node}}));
                 }});
  api.table.add({Method::Get,
                 "/api/v5/cluster/topology",
                 "Cluster",
                 http::Access::Viewer,
                 "Core nodes with the replicants attached to each",
                 {},
                 {},
                 false,
                 {http::ok(schema::array(schema::open_object()))},
                 false,
                 [&environment](const Call&, const Reply& reply) {
                   reply(Response::of(
                       json::array{json::object{{"core_node", environment.node}, {"replicant_nodes", json::array()}}}));
                 }});
  // One waits for the node to have joined, the other one does not (5.5).
  for (const char* word : {"invite", "invite_async"})
    api.table.add({Method::Put,
                   fmt::format("/api/v5/cluster/{{node}}/{}", word),
                   "Cluster",
                   http::Access::Administrator,
                   "Make another node join this cluster",
                   node_parameter(),
                   {},
                   false,
                   {{200, "Joined", {}, ""}, http::fault(400, "Refused")},
                   false,
                   [&environment](const Call& call, const Reply& reply) {
                     const std::string node = call.text("node");
                     if (!is_node_name(node)) return reply(bad_request(node + ": expected name@host"));
                     if (node == environment.node) return reply(bad_request("Can't invite self"));
                     reply(bad_request(node + " does not answer: this node stands alone"));
                   }});
  api.table.add({Method::Delete,
                 "/api/v5/cluster/{node}/force_leave",
                 "Cluster",
                 http::Access::Administrator,
                 "Expel a node from the cluster",
                 node_parameter(),
                 {},
                 false,
                 {http::no_content(), http::fault(400, "Refused")},
                 false,
                 [&environment](const Call& call, const Reply& reply) {
                   const std::string node = call.text("node");
                   if (node == environment.node) return reply(bad_request("a node cannot expel itself"));
                   reply(bad_request(node + ": node not found in the cluster"));
                 }});
}

void add_invitation(management::ApiRegistry& api) {
  api.table.add({Method::Get,
                 "/api/v5/cluster/invitation",
                 "Cluster",
                 http::Access::Viewer,
                 "Invitations that are on their way or were answered",
                 {},
                 {},
                 false,
                 {http::ok(schema::open_object())},
                 false,
                 [](const Call&, const Reply& reply) {
                   reply(Response::of(json::object{
                       {"in_progress", json::array()}, {"succeed", json::array()}, {"failed", json::array()}}));
                 }});
}

void add_start(management::ApiRegistry& api, const std::string& path, const std::string& summary, http::Schema body,
               const std::string& refusal) {
  const std::string& self = api.service.environment().node;
  api.table.add({Method::Post,
                 "/api/v5/load_rebalance/{node}/" + path,
                 "Load Rebalance",
                 http::Access::Administrator,
                 summary,
                 node_parameter(),
                 std::move(body),
                 false,
                 {http::ok(schema::open_object()), http::fault(400, "Refused"), http::fault(404, "No such node")},
                 false,
                 [&self, refusal](const Call& call, const Reply& reply) {
                   const std::string node = call.text("node");
                   if (node != self) return reply(Response::error(404, "NOT_FOUND", "Node not found: " + node));
                   reply(bad_request(refusal));
                 }});
}

void add_status(management::ApiRegistry& api, const std::string& path, const std::string& tag, http::Access access,
                const std::string& summary, json::object answer) {
  api.table.add({Method::Get,
                 "/api/v5/" + path,
                 tag,
                 access,
                 summary,
                 {},
                 {},
                 false,
                 {http::ok(schema::open_object())},
                 false,
                 [answer = std::move(answer)](const Call&, const Reply& reply) { reply(Response::of(answer)); }});
}

}  // namespace

void add_to(management::ApiRegistry& api) {
  add_cluster(api);
  add_invitation(api);
  const std::string kTag = "Load Rebalance";
  add_status(api, "load_rebalance/status", kTag, http::Access::Viewer, "Draining or balancing of the answering node",
             {{"status", "disabled"}});
  add_status(api, "load_rebalance/global_status", kTag, http::Access::Viewer, "Draining and balancing of all nodes",
             {{"evacuations", json::array()}, {"purges", json::array()}, {"rebalances", json::array()}});
  add_status(api, "load_rebalance/availability_check", kTag, http::Access::Open,
             "Probe for load balancers: may this node take new connections", {});
  add_status(api, "node_eviction/status", "Node Eviction", http::Access::Viewer,
             "Whether the answering node sends its clients away", {{"status", "disabled"}});

  std::vector<http::Field> evacuation = drain_fields();
  evacuation.push_back({"redirect_to", schema::string(1, 4096), false, "Server Reference for MQTT 5 clients"});
  evacuation.push_back({"migrate_to", schema::array(schema::string(1, 256)), false, "Nodes that take the sessions"});
  add_start(api, "evacuation/start", "Start draining a node", schema::object(std::move(evacuation)),
            "no other node is there to take the clients of this one");
  add_start(api, "evacuation/stop", "Stop draining a node", schema::open_object(), "not_started");
  std::vector<http::Field> balance = drain_fields();
  balance.push_back({"nodes", schema::array(schema::string(1, 256)), false, "Nodes that take part"});
  balance.push_back({"abs_conn_threshold", schema::integer(1), false, "Connections above the average", 1000});
  balance.push_back({"rel_conn_threshold", schema::number(), false, "Share above the average", 1.1});
  balance.push_back({"abs_sess_threshold", schema::integer(1), false, "Sessions above the average", 1000});
  balance.push_back({"rel_sess_threshold", schema::number(), false, "Share above the average", 1.1});
  add_start(api, "start", "Start balancing with this node as coordinator", schema::object(std::move(balance)),
            "nothing_to_balance");
  add_start(api, "stop", "Stop balancing on this node", schema::open_object(), "not_started");
}

}  // namespace sb::plugins::api::cluster
