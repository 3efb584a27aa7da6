// Messages that wait for their time (management-api 2.10).
#include "broker/topic.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"
#include "management/text.h"

#include <boost/json/array.hpp>

namespace sb::plugins::api::delayed {

namespace {
using http::Call;
using http::Reply;
using http::Response;
using management::DelayedInfo;
namespace json = http::json;
namespace schema = http::schema;

constexpr std::size_t kPayloadShownMax = 2048;

json::object to_json(const DelayedInfo& message, const std::string& node) {
  return {{"msgid", message.id},
          {"node", node},
          {"publish_at", management::rfc3339_ms(message.publish_at_ms)},
          {"delayed_interval", message.interval_s},
          {"delayed_remaining", message.remaining_s},
          {"expected_at", management::rfc3339_ms(message.expected_at_ms)},
          {"topic", message.topic},
          {"qos", to_int(message.qos)},
          {"from_clientid", message.client_id},
          {"from_username", message.username}};
}

bool is_id(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

std::optional<Response> bad_place(const management::Service& service, const Call& call) {
  if (const std::string node = call.text("node"); node != service.environment().node)
    return Response::error(400, "INVALID_NODE", "Node not found: " + node);
  if (!is_id(call.text("msgid")))
    return Response::error(400, "MESSAGE_ID_SCHEMA_ERROR",
                           fmt::format("msgid '{}': expected 32 hexadecimal digits", call.text("msgid")));
  return std::nullopt;
}

Response not_found(std::string_view id) {
  return Response::error(404, "MESSAGE_ID_NOT_FOUND", fmt::format("no delayed message '{}'", id));
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  management::Service& service = api.service;
  if (!service.environment().delayed) return;
  management::DelayedControl& delayed = *service.environment().delayed;
  const std::string kOne = "/api/v5/mqtt/delayed/messages/{node}/{msgid}";
  const std::vector<http::Parameter> place = {http::path_parameter("node", "Node name"),
                                              http::path_parameter("msgid", "Message id")};
  api.table.add({http::Method::Get,
                 "/api/v5/mqtt/delayed/messages",
                 "MQTT",
                 http::Access::Viewer,
                 "Page through stored delayed messages",
                 http::with_paging(),
                 {},
                 false,
                 {http::ok(http::page_of(schema::open_object()))},
                 false,
                 [&service, &delayed](const Call& call, const Reply& reply) {
                   const http::Paging paging = http::paging_of(call);
                   json::array rows = http::rows_of(
                       delayed.list(paging.skip(), paging.limit),
                       [&](const DelayedInfo& message) { return to_json(message, service.environment().node); });
                   const std::size_t count = delayed.size();
                   const bool more = !rows.empty() && count > paging.skip() + rows.size();
                   reply(Response::of(http::page_answer(std::move(rows), paging, count, more)));
                 }});
  api.table.add(http::kept(
      {http::Method::Delete,
       "/api/v5/mqtt/delayed/messages/{topic}",
       "MQTT",
       http::Access::Administrator,
       "Drop all delayed messages of one topic",
       {http::path_parameter("topic", "Topic name, without $delayed and the time")},
       {},
       false,
       {http::no_content(), http::fault(400, "Not a topic name"), http::fault(404, "None waits for it")},
       false,
       [&delayed](const Call& call, const Reply& reply) {
         const std::string topic = call.text("topic");
         if (!broker::check_topic_name(topic))
           return reply(Response::error(400, "BAD_TOPIC", fmt::format("topic '{}': expected a topic name", topic)));
         if (delayed.erase_topic(topic) == 0)
           return reply(Response::error(404, "MESSAGE_ID_NOT_FOUND",
                                        fmt::format("no delayed message of the topic '{}'", topic)));
         reply(Response::empty());
       }}));
  api.table.add({http::Method::Get,
                 kOne,
                 "MQTT",
                 http::Access::Viewer,
                 "Read one delayed message with payload",
                 place,
                 {},
                 false,
                 {http::ok(schema::open_object()), http::fault(404, "No such message")},
                 false,
                 [&service, &delayed](const Call& call, const Reply& reply) {
                   if (auto bad = bad_place(service, call)) return reply(std::move(*bad));
                   const auto message = delayed.find(call.text("msgid"));
                   if (!message) return reply(not_found(call.text("msgid")));
                   json::object out = to_json(*message, service.environment().node);
                   out["payload"] = message->payload.size() > kPayloadShownMax ? std::string("PAYLOAD_TOO_LARGE")
                                                                               : management::base64(message->payload);
                   reply(Response::of(std::move(out)));
                 }});
  api.table.add(http::kept({http::Method::Delete,
                            kOne,
                            "MQTT",
                            http::Access::Administrator,
                            "Drop one delayed message",
                            place,
                            {},
                            false,
                            {http::no_content(), http::fault(404, "No such message")},
                            false,
                            [&service, &delayed](const Call& call, const Reply& reply) {
                              if (auto bad = bad_place(service, call)) return reply(std::move(*bad));
                              reply(delayed.erase(call.text("msgid")) ? Response::empty()
                                                                      : not_found(call.text("msgid")));
                            }}));
}

}  // namespace sb::plugins::api::delayed
