// Listeners: their state and configuration, changed while the node runs (management-api 2.17).
#include "http/refused_change.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

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
  const auto colon = id.find(':');
  if (colon == 0 || colon == id.npos || colon + 1 == id.size())
    return Response::error(400, "BAD_LISTENER_ID", fmt::format("bad listener id: {}", id));
  return Response::error(404, "BAD_LISTENER_ID", fmt::format("Listener id not found: {}", id));
}

bool well_formed(std::string_view id) {
  const auto colon = id.find(':');
  if (colon == std::string_view::npos || colon + 1 == id.size()) return false;
  const std::string_view type = id.substr(0, colon);
  return type == "tcp" || type == "ssl" || type == "ws" || type == "wss" || type == "quic";
}

std::optional<ListenerInfo> find(management::Service& service, std::string_view id) {
  for (ListenerInfo& listener : service.environment().listeners->list())
    if (listener.id == id) return std::move(listener);
  return std::nullopt;
}

/// "listeners.tcp.default" of "tcp:default".
std::string path_of(std::string_view id) {
  const auto colon = id.find(':');
  return fmt::format("listeners.{}.{}", id.substr(0, colon), id.substr(colon + 1));
}

const config::Listener* configured(management::Service& service, std::string_view id) {
  const config::ConfigStore* store = service.environment().config;
  return store ? store->current()->listeners.find(id) : nullptr;
}

/// The whole configuration of a listener, and how it is; its ETag names the former alone.
Response full(management::Service& service, std::string_view id) {
  json::object out;
  if (configured(service, id))
    if (const config::Value* value = service.environment().config->current()->effective.at_path(path_of(id)))
      out = json::parse(config::to_json(*value)).as_object();
  const auto running = find(service, id);
  if (out.empty() && running) out = summary(*running, service.environment().node);
  out.erase("authentication");  // has endpoints of its own, and PUT does not take it
  out["id"] = id;
  out["type"] = id.substr(0, id.find(':'));
  out["name"] = id.substr(id.find(':') + 1);
  std::string settings = json::serialize(out);
  out["running"] = running && running->running;
  out["current_connections"] = running ? running->current_connections : 0;
  Response response = Response::of(std::move(out));
  response.settings = std::move(settings);
  return response;
}

/// Puts the body's keys into the configuration of the listener; the node follows.
void store(management::Service& service, const std::string& id, json::object body, const Reply& reply) {
  if (body.contains("authentication"))
    return reply(
        http::refusal({{"authentication", "unknown_fields", "nothing: it has endpoints of its own", nullptr}}));
  // What an answer told about the listener, sent back.
  for (const char* told :
       {"id", "type", "name", "running", "current_connections", "number", "status", "node_status", "shutdown_count"})
    body.erase(told);
  const auto outcome =
      service.environment().config->update_text(path_of(id), json::serialize(body), config::ConfigStore::Mode::Merge);
  reply(outcome ? full(service, id) : http::refused_change(outcome.error(), {.at = path_of(id)}));
}

Response bad_id(std::string_view id) {
  return Response::error(400, "BAD_LISTENER_ID", fmt::format("bad listener id: {}", id));
}

void create(management::Service& service, const std::string& id, const Call& call, const Reply& reply) {
  if (!well_formed(id)) return reply(bad_id(id));
  if (configured(service, id) || find(service, id))
    return reply(Response::error(400, "BAD_LISTENER_ID", fmt::format("Already exists: {}", id)));
  store(service, id, call.object(), reply);
}

void change(management::Service& service, const Call& call, const Reply& reply) {
  const std::string id = call.text("id");
  const json::object& body = call.object();
  if (!configured(service, id)) return reply(unknown(id));
  const auto differs = [&](std::string_view name, std::string_view wanted) {
    const json::value* value = body.if_contains(name);
    return value && (!value->is_string() || std::string_view(value->get_string()) != wanted);
  };
  if (differs("id", id)) return reply(bad_id("the body names another listener"));
  if (differs("type", id.substr(0, id.find(':'))))
    return reply(Response::error(400, "BAD_REQUEST", "listener_type_inconsistent"));
  store(service, id, body, reply);
}

void remove(management::Service& service, const Call& call, const Reply& reply) {
  const std::string id = call.text("id");
  if (!configured(service, id)) return reply(unknown(id));
  const auto outcome = service.environment().config->remove(path_of(id));
  reply(outcome ? Response::empty() : http::refused_change(outcome.error(), {.at = path_of(id)}));
}

json::array by_type(management::Service& service) {
  std::map<std::string, std::vector<ListenerInfo>> types;
  for (ListenerInfo& listener : service.environment().listeners->list())
    types[listener.type].push_back(std::move(listener));
  json::array rows;
  for (const auto& [type, members] : types) {
    json::array ids;
    bool enable = false;
    bool running = false;
    bool stopped = false;
    bool unlimited = false;
    std::uint64_t connections = 0;
    std::uint64_t most = 0;
    for (const ListenerInfo& one : members) {
      ids.emplace_back(one.id);
      enable = enable || one.enable;
      (one.running ? running : stopped) = true;
      unlimited = unlimited || one.max_connections == 0;
      connections += one.current_connections;
      most += one.max_connections;
    }
    const json::object status{{"running", running && stopped ? json::value("inconsistent") : json::value(running)},
                              {"max_connections", unlimited ? json::value("infinity") : json::value(most)},
                              {"current_connections", connections}};
    rows.push_back(json::object{
        {"type", type},
        {"enable", enable},
        {"ids", std::move(ids)},
        {"status", status},
        {"node_status", json::array{json::object{{"node", service.environment().node}, {"status", status}}}}});
  }
  return rows;
}

/// What is asked for is kept: a listener that was stopped stays so over a restart of the node, until it is started.
Result<> operate(management::Service& service, const std::string& id, std::string_view operation) {
  management::ListenerControl& listeners = *service.environment().listeners;
  const bool start = operation != "stop";
  if (const config::Listener* listener = configured(service, id); listener && listener->enable != start) {
    const auto outcome = service.environment().config->update(path_of(id) + ".enable", config::Value(start),
                                                              config::ConfigStore::Mode::Merge);
    if (!outcome) return fail(Errc::Invalid, outcome.error().message);
  }
  if (operation == "restart") return listeners.restart(id);
  return start ? listeners.start(id) : listeners.stop(id);
}

void operate(management::Service& service, const Call& call, const Reply& reply) {
  const std::string id = call.text("id");
  if (!well_formed(id)) return reply(bad_id(id));
  const std::string_view path = call.request.path;
  const Result<> done = operate(service, id, path.substr(path.rfind('/') + 1));
  if (done) return reply(Response::empty(200));
  if (done.error().code == Errc::NotFound) return reply(unknown(id));
  reply(Response::error(400, "BAD_REQUEST", done.error().what));
}

void add_changes(management::ApiRegistry& api, const std::string& tag, const std::vector<http::Parameter>& id) {
  management::Service& service = api.service;
  const http::Answer listener = http::ok(schema::open_object());
  const http::Answer missing = http::fault(404, "No such listener");
  const http::Answer bad = http::fault(400, "Refused: key, value and what was expected");
  api.table.add({http::Method::Post,
                 "/api/v5/listeners",
                 tag,
                 http::Access::Administrator,
                 "Add a listener and start it",
                 {},
                 schema::open_object({{"type", schema::choice({"tcp", "ssl", "ws", "wss"}), true},
                                      {"name", schema::string(1, 255), true},
                                      {"bind", schema::any(), true, "Address and port"}}),
                 false,
                 {listener, bad},
                 false,
                 [&service](const Call& call, const Reply& reply) {
                   const auto text = [&](const char* name) {
                     return std::string_view(call.object().at(name).get_string());
                   };
                   create(service, fmt::format("{}:{}", text("type"), text("name")), call, reply);
                 }});
  api.table.add({http::Method::Post,
                 "/api/v5/listeners/{id}",
                 tag,
                 http::Access::Administrator,
                 "Add a listener and start it (deprecated: POST /listeners)",
                 id,
                 schema::open_object(),
                 false,
                 {listener, bad},
                 false,
                 [&service](const Call& call, const Reply& reply) { create(service, call.text("id"), call, reply); }});
  api.table.add({http::Method::Put,
                 "/api/v5/listeners/{id}",
                 tag,
                 http::Access::Administrator,
                 "Change a listener; the keys sent are merged into its configuration",
                 id,
                 schema::open_object(),
                 false,
                 {listener, bad, missing},
                 false,
                 [&service](const Call& call, const Reply& reply) { change(service, call, reply); }});
  api.table.add({http::Method::Delete,
                 "/api/v5/listeners/{id}",
                 tag,
                 http::Access::Administrator,
                 "Stop a listener and take it away",
                 id,
                 {},
                 false,
                 {http::no_content(), bad, missing},
                 false,
                 [&service](const Call& call, const Reply& reply) { remove(service, call, reply); }});
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
  api.table.add(
      {http::Method::Get,
       "/api/v5/listeners/{id}",
       kTag,
       http::Access::Viewer,
       "Read one listener",
       id,
       {},
       false,
       {http::ok(schema::open_object()), http::fault(400, "Malformed id"), http::fault(404, "No such listener")},
       false,
       [&service](const Call& call, const Reply& reply) {
         const std::string wanted = call.text("id");
         if (!configured(service, wanted) && !find(service, wanted)) return reply(unknown(wanted));
         reply(full(service, wanted));
       }});
  api.table.add({http::Method::Get,
                 "/api/v5/listeners_status",
                 kTag,
                 http::Access::Viewer,
                 "State of the listeners by type",
                 {},
                 {},
                 false,
                 {http::ok(schema::array(schema::open_object()))},
                 false,
                 [&service](const Call&, const Reply& reply) { reply(Response::of(by_type(service))); }});
  if (service.environment().config) add_changes(api, kTag, id);
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
