// Publishing by HTTP (management-api 2.8).
#include "broker/topic.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"
#include "management/text.h"

#include <boost/json/array.hpp>

namespace sb::plugins::api::publish {

namespace {
using http::Call;
using http::Reply;
using http::Response;
using management::PublishRequest;
using management::Service;
namespace json = http::json;
namespace schema = http::schema;

constexpr std::int64_t kMessagesMax = 10'000;
constexpr std::int64_t kPayloadMax = std::int64_t{256} << 20;  // 2.1.4: the largest packet there is
constexpr std::int64_t kTextMax = 65'535;                      // 1.5.4

http::Schema message_schema() {
  const http::Schema text = schema::string(0, kTextMax);
  http::Schema properties = schema::object({{"payload_format_indicator", schema::integer(0, 1)},
                                            {"message_expiry_interval", schema::integer(0, 4'294'967'295)},
                                            {"response_topic", text},
                                            {"correlation_data", text},
                                            {"user_properties", schema::open_object(), false, "Names and values"},
                                            {"content_type", text}});
  return schema::object({{"topic", schema::string(0, kTextMax), true, "A topic without wildcards"},
                         {"payload", schema::string(0, kPayloadMax), true},
                         {"payload_encoding", schema::choice({"plain", "base64"}), false, "", "plain"},
                         {"qos", schema::integer(0, 2), false, "", 0},
                         {"retain", schema::boolean(), false, "", false},
                         {"properties", std::move(properties)},
                         {"clientid", schema::string(0, kTextMax), false, "Not used: the sender is http_api"}});
}

json::object fault(ReasonCode code, std::string_view message) {
  return {{"reason_code", static_cast<int>(code)}, {"message", message}};
}

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(std::string_view(value->get_string())) : std::string();
}

/// False and `problem` set: not a message that can be published.
bool read(const json::object& body, std::size_t packet_max, PublishRequest& out, json::object& problem) {
  const auto refuse = [&problem](ReasonCode code, std::string_view message) {
    problem = fault(code, message);
    return false;
  };
  out.topic = text_of(body, "topic");
  out.payload = text_of(body, "payload");
  out.qos = static_cast<Qos>(body.at("qos").get_int64());
  out.retain = body.at("retain").get_bool();
  if (!broker::check_topic_name(out.topic) || broker::topic_in_the_end(out.topic).empty())
    return refuse(ReasonCode::TopicNameInvalid, "topic_name_invalid");
  if (text_of(body, "payload_encoding") == "base64") {
    auto decoded = management::from_base64(out.payload);
    if (!decoded) return refuse(ReasonCode::ImplementationSpecificError, "payload: not base64");
    out.payload = std::move(*decoded);
  }
  if (const auto* more = body.if_contains("properties")) {
    const json::object& properties = more->get_object();
    if (const auto* format = properties.if_contains("payload_format_indicator"))
      out.payload_format = static_cast<std::uint8_t>(format->get_int64());
    if (const auto* expiry = properties.if_contains("message_expiry_interval"))
      out.expiry_s = static_cast<std::uint32_t>(expiry->get_int64());
    out.response_topic = text_of(properties, "response_topic");
    if (!out.response_topic.empty() && !broker::check_topic_name(out.response_topic))
      return refuse(ReasonCode::TopicNameInvalid, "response_topic: topic_name_invalid");
    out.correlation_data = text_of(properties, "correlation_data");
    out.content_type = text_of(properties, "content_type");
    const auto has_nul = [](std::string_view text) { return text.find('\0') != text.npos; };  // [MQTT-1.5.4-2]
    if (has_nul(out.content_type))
      return refuse(ReasonCode::ImplementationSpecificError, "content_type: a text without U+0000");
    if (const auto* pairs = properties.if_contains("user_properties"))
      for (const auto& [name, value] : pairs->get_object()) {
        if (!value.is_string() || name.size() > static_cast<std::size_t>(kTextMax) ||
            value.get_string().size() > static_cast<std::size_t>(kTextMax))
          return refuse(ReasonCode::ImplementationSpecificError, "user_properties: texts of at most 65535 bytes");
        if (has_nul(name) || has_nul(value.get_string()))
          return refuse(ReasonCode::ImplementationSpecificError, "user_properties: texts without U+0000");
        out.user_properties.emplace_back(name, std::string_view(value.get_string()));
      }
  }
  // EMQX's code for it.
  if (management::packet_size(out) > packet_max) return refuse(ReasonCode::QuotaExceeded, "packet_too_large");
  return true;
}

json::object outcome(Service& service, ReasonCode code) {
  if (code == ReasonCode::Success) return {{"id", service.next_message_id()}};
  if (code == ReasonCode::NoMatchingSubscribers) return fault(code, "no_matching_subscribers");
  if (code == ReasonCode::QuotaExceeded) return fault(code, "store_refused");
  return fault(code, "failed_to_dispatch");
}

unsigned status_of(const std::vector<ReasonCode>& codes) {
  unsigned out = 200;
  for (const ReasonCode code : codes) {
    if (code == ReasonCode::NoMatchingSubscribers) out = std::max(out, 202U);
    if (is_error(code)) out = 503;
  }
  return out;
}

void one(Service& service, const Call& call, const Reply& reply) {
  PublishRequest message;
  json::object problem;
  if (!read(call.object(), service.max_packet_size(), message, problem)) return reply(Response::of(problem, 400));
  std::vector<PublishRequest> messages;
  messages.push_back(std::move(message));
  service.publish(std::move(messages), [&service, reply](const std::vector<ReasonCode>& codes) {
    reply(Response::of(outcome(service, codes.front()), status_of(codes)));
  });
}

/// All of them or, if one is no message, none.
void bulk(Service& service, const Call& call, const Reply& reply) {
  std::vector<PublishRequest> messages;
  json::array problems;
  for (const json::value& body : call.body.get_array()) {
    json::object problem;
    if (!read(body.get_object(), service.max_packet_size(), messages.emplace_back(), problem))
      problems.push_back(std::move(problem));
  }
  if (!problems.empty()) return reply(Response::of(problems, 400));
  if (messages.empty()) return reply(Response::error(400, "BAD_REQUEST", "no message is given"));
  service.publish(std::move(messages), [&service, reply](const std::vector<ReasonCode>& codes) {
    json::array rows;
    for (const ReasonCode code : codes) rows.push_back(outcome(service, code));
    reply(Response::of(rows, status_of(codes)));
  });
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  Service& service = api.service;
  const auto add = [&](const std::string& path, const std::string& summary, http::Schema body,
                       const http::Schema& answer, void (*handle)(Service&, const Call&, const Reply&)) {
    api.table.add({http::Method::Post,
                   path,
                   "Publish",
                   http::Access::Publisher,
                   summary,
                   {},
                   std::move(body),
                   false,
                   {http::ok(answer),
                    {202, "Nobody is subscribed", answer},
                    {400, "Refused", schema::any()},
                    {503, "Not dispatched", answer}},
                   false,
                   [&service, handle](const Call& call, const Reply& reply) { handle(service, call, reply); }});
  };
  add("/api/v5/publish", "Publish one message", message_schema(), schema::open_object(), one);
  add("/api/v5/publish/bulk", "Publish several messages", schema::array(message_schema(), kMessagesMax),
      schema::array(schema::open_object()), bulk);
}

}  // namespace sb::plugins::api::publish
