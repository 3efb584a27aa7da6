// Clients (management-api 2.5): list, look at, kick, subscribe and unsubscribe for them.
#include "broker/topic.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/member.h"
#include "management/service.h"
#include "management/text.h"
#include "plugins/api/clients/waiting.h"

#include <boost/json/array.hpp>

namespace sb::plugins::api::clients {

namespace {

using http::Call;
using http::Method;
using http::Reply;
using http::Response;
using management::ClientView;
using management::Service;
namespace json = http::json;
namespace schema = http::schema;

json::value or_infinity(std::size_t value) {
  return value == 0 ? json::value("infinity") : json::value(value);
}
json::value or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object to_json(const ClientView& client, const std::string& node) {
  const auto sum = [](const std::uint64_t(&counts)[3]) { return counts[0] + counts[1] + counts[2]; };
  json::object out{
      {"clientid", client.client_id},
      {"username", or_null(client.username)},
      {"node", node},
      {"connected", client.connected},
      {"ip_address", client.peer_host},
      {"port", client.peer_port},
      {"listener", client.listener},
      {"proto_name", client.protocol_name},
      {"proto_ver", client.protocol_version},
      {"keepalive", client.keep_alive_s},
      {"clean_start", client.clean_start},
      {"expiry_interval", client.expiry_s},
      {"is_persistent", client.expiry_s > 0},
      {"is_bridge", false},
      {"mountpoint", or_null(client.mountpoint)},
      {"created_at", management::rfc3339_ms(client.created_ms)},
      {"connected_at",
       client.connected_ms ? json::value(management::rfc3339_ms(client.connected_ms)) : json::value(nullptr)},
      {"subscriptions_cnt", client.subscriptions},
      {"subscriptions_max", or_infinity(client.subscriptions_max)},
      {"inflight_cnt", client.inflight},
      {"inflight_max", client.inflight_max},
      {"mqueue_len", client.queue},
      {"mqueue_max", or_infinity(client.queue_max)},
      {"mqueue_dropped", client.dropped_queue_full},
      {"awaiting_rel_cnt", client.awaiting_rel},
      {"awaiting_rel_max", or_infinity(client.awaiting_rel_max)},
      {"recv_oct", client.received_bytes},
      {"recv_cnt", client.received_packets},
      {"recv_pkt", client.received_packets},
      {"recv_msg", sum(client.received_messages)},
      {"send_oct", client.sent_bytes},
      {"send_cnt", client.sent_packets},
      {"send_pkt", client.sent_packets},
      {"send_msg", sum(client.sent_messages)},
      {"recv_msg.dropped", client.received_dropped},
      {"recv_msg.dropped.await_pubrel_timeout", client.received_timed_out},
      {"send_msg.dropped", client.dropped},
      {"send_msg.dropped.expired", client.dropped_expired},
      {"send_msg.dropped.queue_full", client.dropped_queue_full},
      {"send_msg.dropped.too_large", client.dropped_too_large},
      {"delivered_msgs", client.delivered},
      {"enqueued_msgs", client.enqueued},
      {"mailbox_len", client.queue},
      {"heap_size", client.queue_bytes},
      {"reductions", 0},
      {"recv_msg.qos0", client.received_messages[0]},
      {"recv_msg.qos1", client.received_messages[1]},
      {"recv_msg.qos2", client.received_messages[2]},
      {"send_msg.qos0", client.sent_messages[0]},
      {"send_msg.qos1", client.sent_messages[1]},
      {"send_msg.qos2", client.sent_messages[2]},
      {"created_at_ms", client.created_ms},
      {"connected_at_ms", client.connected_ms},
  };
  if (!client.connected) {
    out["disconnected_at"] = management::rfc3339_ms(client.disconnected_ms);
    out["disconnected_at_ms"] = client.disconnected_ms;
  }
  return out;
}

Response not_found() {
  return Response::error(404, "CLIENTID_NOT_FOUND", "Client ID not found");
}

/// False and `response` set: a time that cannot be read.
bool take_time(const Call& call, const char* name, std::optional<std::int64_t>& out,
               std::optional<Response>& response) {
  const auto text = call.find_text(name);
  if (!text) return true;
  out = management::parse_time(*text, 1);
  if (!out) response = http::refusal({{name, "bad_time", "milliseconds since 1970, or RFC 3339", json::value(*text)}});
  return out.has_value();
}

/// The names of `fields`; empty: all. False and `response` set: one is no field of a client.
bool take_fields(const Call& call, std::vector<std::string>& out, std::optional<Response>& response) {
  const std::string text = call.text("fields");
  if (text.empty() || text == "all") return true;
  static const json::object kKnown = to_json({}, "");
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    out.push_back(text.substr(at, comma - at));
    if (!kKnown.contains(out.back())) {
      response = http::refusal(
          {{"fields", "unknown_field", "all, or names of a client's fields by commas", json::value(out.back())}});
      return false;
    }
    at = comma + 1;
  }
  return true;
}

json::object only(const json::object& client, const std::vector<std::string>& fields) {
  json::object out;
  for (const std::string& name : fields)
    if (const json::value* value = client.if_contains(name)) out[name] = *value;
  return out;
}

void list(Service& service, const Call& call, const Reply& reply) {
  const http::Paging paging = http::paging_of(call);
  management::ClientQuery query;
  query.skip = paging.skip();
  query.limit = paging.limit;
  query.client_ids = call.texts("clientid");
  query.usernames = call.texts("username");
  query.ip_address = call.find_text("ip_address");
  query.like_client_id = call.find_text("like_clientid");
  query.like_username = call.find_text("like_username");
  query.clean_start = call.find_flag("clean_start");
  const auto state = call.find_text("conn_state");
  if (state) query.connected = *state == "connected";
  if (const auto version = call.find_integer("proto_ver")) query.protocol_version = static_cast<int>(*version);
  std::optional<Response> refused;
  std::vector<std::string> fields;
  if (!take_time(call, "gte_created_at", query.created_from_ms, refused) ||
      !take_time(call, "lte_created_at", query.created_to_ms, refused) ||
      !take_time(call, "gte_connected_at", query.connected_from_ms, refused) ||
      !take_time(call, "lte_connected_at", query.connected_to_ms, refused) || !take_fields(call, fields, refused))
    return reply(std::move(*refused));
  if (auto foreign = management::not_a_member(call.find_text("node"), service.environment().node))
    return reply(Response::error(400, "BAD_REQUEST", *foreign));
  // A connection that has not said CONNECT yet has no client id: there is no row of it.
  if (state && *state == "idle") return reply(Response::of(http::page_answer({}, paging, 0, false)));
  service.clients(std::move(query), [&service, reply, paging, fields](management::Page<ClientView> page) {
    json::array rows = http::rows_of(page.rows, [&](const ClientView& client) {
      json::object row = to_json(client, service.environment().node);
      return fields.empty() ? std::move(row) : only(row, fields);
    });
    reply(Response::of(http::page_answer(std::move(rows), paging, page.count, page.has_next)));
  });
}

http::Schema subscribe_schema() {
  return schema::object({{"topic", schema::string(1, 65535), true, "Topic filter, $share/group/filter included"},
                         {"qos", schema::integer(0, 2), false, "Maximum QoS", 0},
                         {"nl", schema::integer(0, 1), false, "No Local", 0},
                         {"rap", schema::integer(0, 1), false, "Retain As Published", 0},
                         {"rh", schema::integer(0, 2), false, "Retain Handling", 0}});
}

management::SubscribeRequest request_of(const json::object& body) {
  management::SubscribeRequest out;
  out.topic = body.at("topic").get_string();
  out.options.qos = static_cast<Qos>(body.at("qos").get_int64());
  out.options.no_local = body.at("nl").get_int64() != 0;
  out.options.retain_as_published = body.at("rap").get_int64() != 0;
  out.options.retain_handling = static_cast<RetainHandling>(body.at("rh").get_int64());
  return out;
}

void subscribe(Service& service, const Call& call, const Reply& reply) {
  const bool bulk = call.body.is_array();
  std::vector<management::SubscribeRequest> requests;
  if (bulk)
    for (const auto& entry : call.body.get_array()) requests.push_back(request_of(entry.get_object()));
  else
    requests.push_back(request_of(call.object()));
  // One that is wrong must not leave the others subscribed.
  for (const auto& request : requests)
    if (!broker::parse_filter(request.topic))
      return reply(Response::error(
          400, "BAD_REQUEST", fmt::format("topic '{}': {}", request.topic, to_string(ReasonCode::TopicFilterInvalid))));
  for (const auto& request : requests)  // [MQTT-3.8.3-4]
    if (request.options.no_local && request.topic.starts_with("$share/"))
      return reply(Response::error(400, "BAD_REQUEST",
                                   fmt::format("nl = 1: topic '{}' is shared, which has no No Local", request.topic)));
  const std::string id = call.text("clientid");
  service.subscribe(id, requests, [&service, reply, id, bulk, requests](std::optional<std::vector<ReasonCode>> codes) {
    if (!codes) return reply(not_found());
    json::array rows;
    for (std::size_t i = 0; i < codes->size(); ++i) {
      const auto& request = requests[i];
      if (is_error((*codes)[i]))
        return reply(
            Response::error(400, "BAD_REQUEST", fmt::format("topic '{}': {}", request.topic, to_string((*codes)[i]))));
      rows.push_back(json::object{{"clientid", id},
                                  {"topic", request.topic},
                                  {"qos", to_int(request.options.qos)},
                                  {"nl", request.options.no_local ? 1 : 0},
                                  {"rap", request.options.retain_as_published ? 1 : 0},
                                  {"rh", static_cast<int>(request.options.retain_handling)},
                                  {"node", service.environment().node}});
    }
    reply(Response::of(bulk ? json::value(std::move(rows)) : rows.at(0)));
  });
}

void unsubscribe(Service& service, const Call& call, const Reply& reply) {
  std::vector<std::string> topics;
  const auto add = [&](const json::object& body) {
    topics.emplace_back(std::string_view(body.at("topic").get_string()));
  };
  if (call.body.is_array())
    for (const auto& entry : call.body.get_array()) add(entry.get_object());
  else
    add(call.object());
  service.unsubscribe(call.text("clientid"), std::move(topics),
                      [reply](bool known) { reply(known ? Response::empty() : not_found()); });
}

void kick_many(Service& service, const Call& call, const Reply& reply) {
  const auto& ids = call.body.get_array();
  if (ids.empty()) return reply(Response::empty());
  auto missing = std::make_shared<std::size_t>(ids.size());
  for (const auto& id : ids)
    service.kick(std::string(std::string_view(id.get_string())), [missing, reply](bool) {
      if (--*missing == 0) reply(Response::empty());
    });
}

void show_cache(Service& service, const Call& call, const Reply& reply) {
  const bool clear = call.request.method == "DELETE";
  service.cached_verdicts(call.text("clientid"), clear,
                          [reply, clear](std::optional<std::vector<management::CachedVerdict>> verdicts) {
                            if (!verdicts) return reply(not_found());
                            if (clear) return reply(Response::empty());
                            json::array rows;
                            for (const auto& verdict : *verdicts)
                              rows.push_back(json::object{{"access", verdict.access},
                                                          {"topic", verdict.topic},
                                                          {"result", verdict.allowed ? "allow" : "deny"},
                                                          {"updated_time", verdict.since_ms}});
                            reply(Response::of(std::move(rows)));
                          });
}

void show_subscriptions(Service& service, const Call& call, const Reply& reply) {
  service.subscriptions_of(call.text("clientid"),
                           [&service, reply](std::optional<std::vector<management::SubscriptionView>> all) {
                             if (!all) return reply(not_found());
                             json::array rows;
                             for (const auto& one : *all)
                               rows.push_back(json::object{{"topic", one.topic},
                                                           {"clientid", one.client_id},
                                                           {"node", service.environment().node},
                                                           {"qos", to_int(one.options.qos)},
                                                           {"nl", one.options.no_local ? 1 : 0},
                                                           {"rap", one.options.retain_as_published ? 1 : 0},
                                                           {"rh", static_cast<int>(one.options.retain_handling)}});
                             reply(Response::of(std::move(rows)));
                           });
}

http::Schema client_schema() {
  return schema::open_object({{"clientid", schema::string(), true}, {"connected", schema::boolean(), true}});
}

}  // namespace

void add_to(management::ApiRegistry& api) {
  Service& service = api.service;
  const std::string kTag = "Clients";
  const std::string kOne = "/api/v5/clients/{clientid}";
  add_waiting(api.table, service);
  const std::vector<http::Parameter> id = {http::path_parameter("clientid", "Client ID")};
  const http::Answer missing = http::fault(404, "No such client");
  const auto topic_schema = schema::object({{"topic", schema::string(1, 65535), true, "Topic filter"}});

  const auto with = [&service](void (*fn)(Service&, const Call&, const Reply&)) {
    return [&service, fn](const Call& call, const Reply& reply) { fn(service, call, reply); };
  };
  const auto answer_client = [&service](const Reply& reply) {
    return [&service, reply](std::optional<ClientView> client) {
      reply(client ? Response::of(to_json(*client, service.environment().node)) : not_found());
    };
  };

  api.table.add(
      {Method::Get,
       "/api/v5/clients",
       kTag,
       http::Access::Viewer,
       "Page through sessions with filters",
       http::with_paging({
           http::query_parameter("node", schema::string(), "Node of the sessions"),
           http::repeated_parameter("clientid", schema::string(), "Exactly this client ID; of several any of them"),
           http::repeated_parameter("username", schema::string(), "Exactly this user name; of several any of them"),
           http::query_parameter("ip_address", schema::string(), "Exactly this address"),
           http::query_parameter("conn_state", schema::choice({"connected", "idle", "disconnected"}), "State"),
           http::query_parameter("clean_start", schema::boolean(), "Clean Start of the last CONNECT"),
           http::query_parameter("proto_ver", schema::integer(3, 5), "Protocol version"),
           http::query_parameter("like_clientid", schema::string(), "Part of the client ID"),
           http::query_parameter("like_username", schema::string(), "Part of the user name"),
           http::query_parameter("gte_created_at", schema::string(), "Session made at or after"),
           http::query_parameter("lte_created_at", schema::string(), "Session made at or before"),
           http::query_parameter("gte_connected_at", schema::string(), "Connected at or after"),
           http::query_parameter("lte_connected_at", schema::string(), "Connected at or before"),
           http::query_parameter("fields", schema::string(), "Names of the fields to tell, by commas, or all"),
       }),
       {},
       false,
       {http::ok(http::page_of(schema::open_object())), http::fault(400, "Bad parameter")},
       false,
       with(list)});
  api.table.add(http::kept({Method::Post,
                            "/api/v5/clients/kickout/bulk",
                            kTag,
                            http::Access::Administrator,
                            "Kick several clients by ID",
                            {},
                            schema::array(schema::string(1, 65535)),
                            false,
                            {http::no_content()},
                            false,
                            with(kick_many)}));
  api.table.add({Method::Get,
                 kOne,
                 kTag,
                 http::Access::Viewer,
                 "Full information of one client",
                 id,
                 {},
                 false,
                 {http::ok(client_schema()), missing},
                 false,
                 [&service, answer_client](const Call& call, const Reply& reply) {
                   service.client(call.text("clientid"), answer_client(reply));
                 }});
  api.table.add(http::kept({Method::Delete,
                            kOne,
                            kTag,
                            http::Access::Administrator,
                            "Kick one client and discard its session",
                            id,
                            {},
                            false,
                            {http::no_content(), missing},
                            false,
                            [&service](const Call& call, const Reply& reply) {
                              service.kick(call.text("clientid"),
                                           [reply](bool known) { reply(known ? Response::empty() : not_found()); });
                            }}));
  api.table.add({Method::Get,
                 kOne + "/authorization/cache",
                 kTag,
                 http::Access::Viewer,
                 "Read the cached ACL decisions of one client",
                 id,
                 {},
                 false,
                 {http::ok(schema::array(schema::open_object())), missing},
                 false,
                 with(show_cache)});
  api.table.add({Method::Delete,
                 kOne + "/authorization/cache",
                 kTag,
                 http::Access::Administrator,
                 "Clear the cached ACL decisions of one client",
                 id,
                 {},
                 false,
                 {http::no_content(), missing},
                 false,
                 with(show_cache)});
  api.table.add({Method::Put,
                 kOne + "/keepalive",
                 kTag,
                 http::Access::Administrator,
                 "Change the keep-alive of a connected client",
                 id,
                 schema::object({{"interval", schema::integer(0, 65535), true, "Seconds, 0 = none"}}),
                 false,
                 {http::ok(client_schema()), missing},
                 true,
                 [&service, answer_client](const Call& call, const Reply& reply) {
                   const auto seconds = static_cast<std::uint32_t>(call.object().at("interval").get_int64());
                   service.set_keep_alive(call.text("clientid"), seconds, answer_client(reply));
                 }});
  api.table.add({Method::Get,
                 kOne + "/subscriptions",
                 kTag,
                 http::Access::Viewer,
                 "List the subscriptions of one client",
                 id,
                 {},
                 false,
                 {http::ok(schema::array(schema::open_object())), missing},
                 false,
                 with(show_subscriptions)});
  api.table.add(http::kept({Method::Post,
                            kOne + "/subscribe",
                            kTag,
                            http::Access::Administrator,
                            "Subscribe a client to one topic filter",
                            id,
                            subscribe_schema(),
                            false,
                            {http::ok(schema::open_object()), missing, http::fault(400, "Bad topic filter")},
                            false,
                            with(subscribe)}));
  api.table.add(
      http::kept({Method::Post,
                  kOne + "/subscribe/bulk",
                  kTag,
                  http::Access::Administrator,
                  "Subscribe a client to several topic filters",
                  id,
                  schema::array(subscribe_schema()),
                  false,
                  {http::ok(schema::array(schema::open_object())), missing, http::fault(400, "Bad topic filter")},
                  false,
                  with(subscribe)}));
  api.table.add(http::kept({Method::Post,
                            kOne + "/unsubscribe",
                            kTag,
                            http::Access::Administrator,
                            "Remove one subscription of a client",
                            id,
                            topic_schema,
                            false,
                            {http::no_content(), missing},
                            false,
                            with(unsubscribe)}));
  api.table.add(http::kept({Method::Post,
                            kOne + "/unsubscribe/bulk",
                            kTag,
                            http::Access::Administrator,
                            "Remove several subscriptions of a client",
                            id,
                            schema::array(topic_schema),
                            false,
                            {http::no_content(), missing},
                            false,
                            with(unsubscribe)}));
}

}  // namespace sb::plugins::api::clients
