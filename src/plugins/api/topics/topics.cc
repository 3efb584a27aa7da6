// Routes: which topic filters somebody wants (management-api 2.7).
#include "broker/topic.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/member.h"
#include "management/service.h"

#include <boost/json/array.hpp>

namespace sb::plugins::api::topics {

namespace {
using http::Response;
namespace json = http::json;
namespace schema = http::schema;

Response bad_filter() {
  return Response::error(400, "INVALID_PARAMTER", "topic_filter_invalid");
}  // spelt as in 5.4
}  // namespace

void add_to(management::ApiRegistry& api) {
  management::Service& service = api.service;
  const auto row = [&service](const std::string& topic) {
    return json::object{{"topic", topic}, {"node", service.environment().node}};
  };
  api.table.add(
      {http::Method::Get,
       "/api/v5/topics",
       "Topics",
       http::Access::Viewer,
       "Page through routes",
       http::with_paging({http::query_parameter("topic", schema::string(), "Exactly this one, $share/group/ included"),
                          http::query_parameter("node", schema::string(), "Node of the routes")}),
       {},
       false,
       {http::ok(http::page_of(schema::open_object())), http::fault(400, "Bad topic filter")},
       false,
       [&service, row](const http::Call& call, const http::Reply& reply) {
         const http::Paging paging = http::paging_of(call);
         if (auto foreign = management::not_a_member(call.find_text("node"), service.environment().node))
           return reply(Response::error(400, "BAD_REQUEST", *foreign));
         if (const auto topic = call.find_text("topic")) {
           if (!broker::parse_filter(*topic)) return reply(bad_filter());
           json::array rows;
           const bool found = service.has_topic(*topic);
           if (found && paging.page == 1) rows.push_back(row(*topic));
           return reply(Response::of(http::page_answer(std::move(rows), paging, found ? 1 : 0, false)));
         }
         service.topics(paging.skip(), paging.limit, [row, reply, paging](management::Page<std::string> page) {
           json::array rows = http::rows_of(page.rows, row);
           reply(Response::of(http::page_answer(std::move(rows), paging, page.count, page.has_next)));
         });
       }});
  api.table.add({http::Method::Get,
                 "/api/v5/topics/{topic}",
                 "Topics",
                 http::Access::Viewer,
                 "Nodes that route one topic filter",
                 {http::path_parameter("topic", "Topic filter, percent-encoded")},
                 {},
                 false,
                 {http::ok(schema::array(schema::open_object())), http::fault(404, "No such route")},
                 false,
                 [&service, row](const http::Call& call, const http::Reply& reply) {
                   const std::string topic = call.text("topic");
                   if (!broker::parse_filter(topic)) return reply(bad_filter());
                   if (!service.has_topic(topic))
                     return reply(Response::error(404, "TOPIC_NOT_FOUND", fmt::format("Topic '{}' not found", topic)));
                   reply(Response::of(json::array{row(topic)}));
                 }});
}

}  // namespace sb::plugins::api::topics
