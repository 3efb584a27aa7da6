// Listeners: their state, start and stop (management-api 2.17).
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"

#include <boost/json/array.hpp>

namespace sb::plugins::api::listeners {

namespace {
using http::Call;
using http::Reply;
using http::Response;
using management::ListenerInfo;
namespace json = http::json;
namespace schema = http::schema;

json::object status_of(const ListenerInfo& listener) {
  return {{"running", listener.running},
          {"max_connections",
           listener.max_connections == 0 ? json::value("infinity") : json::value(listener.max_connections)},
          {"current_connections", listener.current_connections}};
}

json::object summary(const ListenerInfo& listener, const std::string& node) {
  json::object shutdowns;
  for (const auto& [reason, count] : listener.shutdown_count) shutdowns[reason] = count;
  return {{"id", listener.id},
          {"type", listener.type},
          {"name", listener.name},
          {"enable", listener.enable},
          {"number", 1},
          {"bind", listener.bind},
          {"acceptors", listener.acceptors},
          {"proxy_protocol", listener.proxy_protocol},
          {"shutdown_count", std::move(shutdowns)},
          {"status", status_of(listener)},
          {"node_status", json::array{json::object{{"node", node}, {"status", status_of(listener)}}}}};
}

Response unknown(std::string_view id) {
  return Response::error(404, "BAD_LISTENER_ID", fmt::format("Listener id not found: {}", id));
}

bool well_formed(std::string_view id) {
  const auto colon = id.find(':');
  if (colon == std::string_view::npos || colon + 1 == id.size()) return false;
  const std::string_view type = id.substr(0, colon);
  return type == "tcp" || type == "ssl" || type == "ws" || type == "wss" || type == "quic";
}

void operate(management::Service& service, const Call& call, const Reply& reply) {
  const std::string id = call.text("id");
  if (!well_formed(id)) return reply(Response::error(400, "BAD_LISTENER_ID", fmt::format("bad listener id: {}", id)));
  const std::string_view path = call.request.path;
  const std::string_view operation = path.substr(path.rfind('/') + 1);
  management::ListenerControl& listeners = *service.environment().listeners;
  const Result<> done = operation == "start"  ? listeners.start(id)
                        : operation == "stop" ? listeners.stop(id)
                                              : listeners.restart(id);
  if (done) return reply(Response::empty(200));
  if (done.error().code == Errc::NotFound) return reply(unknown(id));
  reply(Response::error(400, "BAD_REQUEST", done.error().what));
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  management::Service& service = api.service;
  if (!service.environment().listeners) return;
  const std::string kTag = "Listeners";
  const std::vector<http::Parameter> id = {http::path_parameter("id", "type:name")};
  api.table.add({http::Method::Get,
                 "/api/v5/listeners",
                 kTag,
                 http::Access::Viewer,
                 "List MQTT listeners with aggregated state",
                 {http::query_parameter("type", schema::choice({"tcp", "ssl", "ws", "wss", "quic"}), "Of this type")},
                 {},
                 false,
                 {http::ok(schema::array(schema::open_object()))},
                 false,
                 [&service](const Call& call, const Reply& reply) {
                   const auto type = call.find_text("type");
                   json::array rows;
                   for (const ListenerInfo& listener : service.environment().listeners->list())
                     if (!type || listener.type == *type) rows.push_back(summary(listener, service.environment().node));
                   reply(Response::of(std::move(rows)));
                 }});
  api.table.add({http::Method::Get,
                 "/api/v5/listeners/{id}",
                 kTag,
                 http::Access::Viewer,
                 "Read one listener",
                 id,
                 {},
                 false,
                 {http::ok(schema::open_object()), http::fault(404, "No such listener")},
                 false,
                 [&service](const Call& call, const Reply& reply) {
                   const std::string wanted = call.text("id");
                   for (const ListenerInfo& listener : service.environment().listeners->list())
                     if (listener.id == wanted) {
                       json::object out = summary(listener, service.environment().node);
                       out["running"] = listener.running;
                       out["current_connections"] = listener.current_connections;
                       return reply(Response::of(std::move(out)));
                     }
                   reply(unknown(wanted));
                 }});
  for (const char* operation : {"start", "stop", "restart"})
    api.table.add({http::Method::Post,
                   fmt::format("/api/v5/listeners/{{id}}/{}", operation),
                   kTag,
                   http::Access::Administrator,
                   fmt::format("{} a listener", operation),
                   id,
                   {},
                   false,
                   {{200, "Done", {}, ""}, http::fault(400, "Refused"), http::fault(404, "No such listener")},
                   false,
                   [&service](const Call& call, const Reply& reply) { operate(service, call, reply); }});
}

}  // namespace sb::plugins::api::listeners
