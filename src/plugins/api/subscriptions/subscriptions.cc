// Subscriptions of all clients (management-api 2.6).
#include "broker/topic.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/member.h"
#include "management/service.h"

#include <boost/json/array.hpp>

namespace sb::plugins::api::subscriptions {

namespace {
using http::Response;
namespace json = http::json;
namespace schema = http::schema;

void list(management::Service& service, const http::Call& call, const http::Reply& reply) {
  const http::Paging paging = http::paging_of(call);
  if (auto foreign = management::not_a_member(call.find_text("node"), service.environment().node))
    return reply(Response::error(400, "BAD_REQUEST", *foreign));
  management::SubscriptionQuery query;
  query.skip = paging.skip();
  query.limit = paging.limit;
  query.client_id = call.find_text("clientid");
  query.topic = call.find_text("topic");
  query.match_topic = call.find_text("match_topic");
  query.share_group = call.find_text("share_group");
  if (const auto qos = call.find_integer("qos")) query.qos = static_cast<Qos>(*qos);
  if (query.match_topic && !broker::check_topic_filter(*query.match_topic))
    return reply(Response::error(400, "INVALID_PARAMETER", "match_topic_invalid"));
  if (query.match_topic && query.match_topic->starts_with("$share/"))
    return reply(Response::error(400, "INVALID_PARAMETER", "match_topic_invalid"));
  service.subscriptions(std::move(query),
                        [&service, reply, paging](management::Page<management::SubscriptionView> page) {
                          json::array rows = http::rows_of(page.rows, [&](const management::SubscriptionView& one) {
                            return json::object{{"topic", one.topic},
                                                {"clientid", one.client_id},
                                                {"node", service.environment().node},
                                                {"qos", to_int(one.options.qos)},
                                                {"nl", one.options.no_local ? 1 : 0},
                                                {"rap", one.options.retain_as_published ? 1 : 0},
                                                {"rh", static_cast<int>(one.options.retain_handling)}};
                          });
                          reply(Response::of(http::page_answer(std::move(rows), paging, page.count, page.has_next)));
                        });
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  management::Service& service = api.service;
  api.table.add({http::Method::Get,
                 "/api/v5/subscriptions",
                 "Subscriptions",
                 http::Access::Viewer,
                 "Page through subscriptions with filters",
                 http::with_paging({
                     http::query_parameter("node", schema::string(), "Node of the subscriptions"),
                     http::query_parameter("clientid", schema::string(), "Of this client"),
                     http::query_parameter("qos", schema::integer(0, 2), "With this QoS"),
                     http::query_parameter("topic", schema::string(), "Exactly this filter, without $share/group/"),
                     http::query_parameter("match_topic", schema::string(), "Filters that match this topic"),
                     http::query_parameter("share_group", schema::string(), "Of this shared group"),
                 }),
                 {},
                 false,
                 {http::ok(http::page_of(schema::open_object())), http::fault(400, "Bad parameter")},
                 false,
                 [&service](const http::Call& call, const http::Reply& reply) { list(service, call, reply); }});
}

}  // namespace sb::plugins::api::subscriptions
