// Alarms (management-api 2.15).
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"
#include "management/text.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

namespace sb::plugins::api::alarms {

namespace {
using http::Call;
using http::Reply;
using http::Response;
namespace json = http::json;
namespace schema = http::schema;

json::object to_json(const telemetry::Alarm& alarm, const management::Environment& environment) {
  json::error_code error;
  json::value details = json::parse(alarm.details, error);
  if (error) details = alarm.details;
  const std::int64_t end_ms = alarm.deactivate_at_us ? *alarm.deactivate_at_us / 1000 : environment.clock->wall_ms();
  json::object out{{"node", environment.node},
                   {"name", alarm.name},
                   {"message", alarm.message},
                   {"details", std::move(details)},
                   {"duration", std::max<std::int64_t>(0, end_ms - alarm.activate_at_us / 1000)},
                   {"activate_at", management::rfc3339_ms(alarm.activate_at_us / 1000)}};
  if (alarm.deactivate_at_us) out["deactivate_at"] = management::rfc3339_ms(*alarm.deactivate_at_us / 1000);
  return out;
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  const management::Environment& environment = api.service.environment();
  http::Parameter activated = http::query_parameter("activated", schema::boolean(), "Active ones, or history");
  activated.fallback = true;
  api.table.add({http::Method::Get,
                 "/api/v5/alarms",
                 "Alarms",
                 http::Access::Viewer,
                 "Page through active alarms, or history with activated=false",
                 http::with_paging({std::move(activated)}),
                 {},
                 false,
                 {http::ok(http::page_of(schema::open_object()))},
                 false,
                 [&environment](const Call& call, const Reply& reply) {
                   const auto all =
                       call.flag("activated") ? environment.alarms->active() : environment.alarms->history();
                   const http::Paging paging = http::paging_of(call);
                   json::array rows;
                   for (std::size_t i = paging.skip(); i < all.size() && rows.size() < paging.limit; ++i)
                     rows.push_back(to_json(all[i], environment));
                   const bool more = !rows.empty() && all.size() > paging.skip() + rows.size();
                   reply(Response::of(http::page_answer(std::move(rows), paging, all.size(), more)));
                 }});
  api.table.add({http::Method::Delete,
                 "/api/v5/alarms",
                 "Alarms",
                 http::Access::Administrator,
                 "Wipe the history of deactivated alarms",
                 {},
                 {},
                 false,
                 {http::no_content()},
                 false,
                 [&environment](const Call&, const Reply& reply) {
                   environment.alarms->clear_history();
                   reply(Response::empty());
                 }});
}

}  // namespace sb::plugins::api::alarms
