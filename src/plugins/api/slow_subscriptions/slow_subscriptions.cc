// The slowest deliveries (management-api 2.13).
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"

#include <boost/json/array.hpp>

namespace sb::plugins::api::slow_subscriptions {

namespace json = http::json;
namespace schema = http::schema;

void add_to(management::ApiRegistry& api) {
  if (!api.service.environment().slow_subscriptions) return;
  management::SlowSubscriptionControl& slow = *api.service.environment().slow_subscriptions;
  const std::string& node = api.service.environment().node;
  api.table.add({http::Method::Get,
                 "/api/v5/slow_subscriptions",
                 "Slow Subscriptions",
                 http::Access::Viewer,
                 "List the slowest deliveries",
                 {},
                 {},
                 false,
                 {http::ok(schema::open_object())},
                 false,
                 [&slow, &node](const http::Call&, const http::Reply& reply) {
                   json::array rows;
                   for (const auto& entry : slow.list())
                     rows.push_back(json::object{{"clientid", entry.client_id},
                                                 {"node", node},
                                                 {"topic", entry.topic},
                                                 {"timespan", entry.timespan_ms},
                                                 {"last_update_time", entry.last_update_ms}});
                   reply(http::Response::of(json::object{{"data", std::move(rows)}}));
                 }});
  api.table.add({http::Method::Delete,
                 "/api/v5/slow_subscriptions",
                 "Slow Subscriptions",
                 http::Access::Administrator,
                 "Forget the slowest deliveries",
                 {},
                 {},
                 false,
                 {http::no_content()},
                 false,
                 [&slow](const http::Call&, const http::Reply& reply) {
                   slow.clear();
                   reply(http::Response::empty());
                 }});
}

}  // namespace sb::plugins::api::slow_subscriptions
