// Retained messages (management-api 2.9).
#include "base/hash.h"
#include "broker/topic.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"
#include "management/text.h"

#include <boost/json/array.hpp>

namespace sb::plugins::api::retainer {

namespace {
using http::Call;
using http::Reply;
using http::Response;
using management::RetainedView;
namespace json = http::json;
namespace schema = http::schema;

constexpr std::size_t kPayloadShownMax = 1 << 20;

/// A topic keeps one message: with the time of its publishing it names it, over restarts too.
std::string id_of(const RetainedView& message) {
  return fmt::format("{:016X}{:016X}", static_cast<std::uint64_t>(message.publish_at_ms) * 1000,
                     hash_stable(message.topic, 0));
}

json::object to_json(const RetainedView& message) {
  return {{"msgid", id_of(message)},
          {"topic", message.topic},
          {"qos", to_int(message.qos)},
          {"publish_at", management::rfc3339_ms(message.publish_at_ms)},
          {"from_clientid", message.client_id},
          {"from_username", message.username}};
}

Response not_found(std::string_view topic) {
  return Response::error(404, "NOT_FOUND", fmt::format("no retained message of topic '{}'", topic));
}

void list(management::Service& service, const Call& call, const Reply& reply) {
  const http::Paging paging = http::paging_of(call);
  const std::string filter = call.text("topic");
  if (!filter.empty() && !broker::check_topic_filter(filter))
    return reply(http::refusal({{"topic", "bad_topic_filter", "a topic filter", json::value(filter)}}));
  service.retained(filter, paging.skip(), paging.limit, [reply, paging](management::Page<RetainedView> page) {
    json::array rows = http::rows_of(page.rows, [](const RetainedView& message) { return to_json(message); });
    reply(Response::of(http::page_answer(std::move(rows), paging, page.count, page.has_next)));
  });
}

void show(management::Service& service, const Call& call, const Reply& reply) {
  const std::string topic = call.text("topic");
  service.retained_message(topic, [reply, topic](std::optional<RetainedView> message) {
    if (!message) return reply(not_found(topic));
    json::object out = to_json(*message);
    if (message->payload.size() <= kPayloadShownMax) out["payload"] = management::base64(message->payload);
    reply(Response::of(std::move(out)));
  });
}

void erase(management::Service& service, const Call& call, const Reply& reply) {
  const std::string topic = call.text("topic");
  if (!broker::check_topic_filter(topic))
    return reply(http::refusal({{"topic", "bad_topic_filter", "a topic filter", json::value(topic)}}));
  service.clear_retained(
      topic, [reply, topic](std::size_t deleted) { reply(deleted == 0 ? not_found(topic) : Response::empty()); });
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  management::Service& service = api.service;
  const std::string kTag = "Retainer";
  const std::vector<http::Parameter> topic = {http::path_parameter("topic", "Topic, percent-encoded")};
  const auto with = [&service](void (*fn)(management::Service&, const Call&, const Reply&)) {
    return [&service, fn](const Call& call, const Reply& reply) { fn(service, call, reply); };
  };
  api.table.add({http::Method::Get,
                 "/api/v5/mqtt/retainer/messages",
                 kTag,
                 http::Access::Viewer,
                 "Page through retained messages",
                 http::with_paging({http::query_parameter("topic", schema::string(), "Topics that match this filter")}),
                 {},
                 false,
                 {http::ok(http::page_of(schema::open_object()))},
                 false,
                 with(list)});
  api.table.add(http::kept({http::Method::Delete,
                            "/api/v5/mqtt/retainer/messages",
                            kTag,
                            http::Access::Administrator,
                            "Delete every retained message",
                            {},
                            {},
                            false,
                            {http::no_content()},
                            false,
                            [&service](const Call&, const Reply& reply) {
                              service.clear_retained({}, [reply](std::size_t) { reply(Response::empty()); });
                            }}));
  api.table.add({http::Method::Get,
                 "/api/v5/mqtt/retainer/message/{topic}",
                 kTag,
                 http::Access::Viewer,
                 "Read one retained message with its payload",
                 topic,
                 {},
                 false,
                 {http::ok(schema::open_object()), http::fault(404, "No such message")},
                 false,
                 with(show)});
  api.table.add(http::kept({http::Method::Delete,
                            "/api/v5/mqtt/retainer/message/{topic}",
                            kTag,
                            http::Access::Administrator,
                            "Delete the retained messages of a topic or filter",
                            topic,
                            {},
                            false,
                            {http::no_content(), http::fault(404, "No such message")},
                            false,
                            with(erase)}));
}

}  // namespace sb::plugins::api::retainer
