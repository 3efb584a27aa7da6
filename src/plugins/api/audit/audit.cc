// The record of management calls (management-api 3.6).
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"
#include "management/text.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace sb::plugins::api::audit {

namespace {

namespace json = http::json;
namespace schema = http::schema;
using http::Call;
using http::Reply;
using http::Response;

/// RFC 3339, or microseconds since 1970.
std::optional<std::int64_t> parse_us(const std::string& text) {
  if (!text.empty() && text.size() <= 18 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::stoll(text);
  const auto ms = management::parse_time(text, 1);
  if (!ms) return std::nullopt;
  return *ms * 1000;
}

void list(management::Service& service, const Call& call, const Reply& reply) {
  if (!service.audited()) return reply(Response::error(400, "BAD_REQUEST", "Audit is disabled"));
  const http::Paging paging = http::paging_of(call);
  if (const auto node = call.find_text("node"); node && *node != service.environment().node)
    return reply(Response::of(http::page_answer({}, paging, 0, false)));
  management::AuditQuery query;
  query.skip = paging.skip();
  query.limit = paging.limit;
  query.from = call.find_text("from");
  query.source = call.find_text("source");
  query.source_ip = call.find_text("source_ip");
  query.operation_id = call.find_text("operation_id");
  query.operation_type = call.find_text("operation_type");
  query.result = call.find_text("operation_result");
  query.method = call.find_text("http_method");
  if (const auto status = call.find_integer("http_status_code")) query.status = static_cast<unsigned>(*status);
  query.duration_from_ms = call.find_integer("gte_duration_ms");
  query.duration_to_ms = call.find_integer("lte_duration_ms");
  for (const auto& [name, to] :
       {std::pair{"gte_created_at", &query.created_from_us}, std::pair{"lte_created_at", &query.created_to_us}}) {
    const auto text = call.find_text(name);
    if (!text) continue;
    *to = parse_us(*text);
    if (!*to)
      return reply(http::refusal({{name, "bad_time", "microseconds since 1970, or RFC 3339", json::value(*text)}}));
  }
  const auto page = service.audit().list(query);
  if (!page) return reply(Response::error(500, "INTERNAL_ERROR", page.error().what));
  json::array rows;
  for (const std::string& row : page->rows) {
    json::error_code error;
    if (json::value parsed = json::parse(row, error); !error) rows.push_back(std::move(parsed));
  }
  reply(Response::of(http::page_answer(std::move(rows), paging, page->count, page->more)));
}

}  // namespace

void add_to(management::ApiRegistry& api) {
  const auto text = [](const char* name, const char* description) {
    return http::query_parameter(name, schema::string(), description);
  };
  http::Endpoint list_all;
  list_all.path = "/api/v5/audit";
  list_all.tag = "Audit";
  list_all.access = http::Access::Viewer;
  list_all.summary = "Page through the record of changes, newest first";
  list_all.parameters = http::with_paging(
      {text("node", "Where it was done"),
       http::query_parameter("from", schema::choice({"dashboard", "rest_api", "cli", "erlang_console"}), "By what way"),
       text("source", "User name or API key"), text("source_ip", "Address"), text("operation_id", "/banned/:as/:who"),
       text("operation_type", "banned"),
       http::query_parameter("operation_result", schema::choice({"success", "failure"}), "How it ended"),
       http::query_parameter("http_status_code", schema::integer(100, 599), "Status of the answer"),
       http::query_parameter("http_method", schema::choice({"post", "put", "delete"}), "Method"),
       text("gte_created_at", "From: RFC 3339, or microseconds since 1970"), text("lte_created_at", "To"),
       http::query_parameter("gte_duration_ms", schema::integer(0), "Took at least"),
       http::query_parameter("lte_duration_ms", schema::integer(0), "Took at most")});
  list_all.answers = {http::ok(http::page_of(schema::open_object())), http::fault(400, "Malformed, or switched off")};
  list_all.handler = [&service = api.service](const Call& call, const Reply& reply) { list(service, call, reply); };
  api.table.add(std::move(list_all));
}

}  // namespace sb::plugins::api::audit
