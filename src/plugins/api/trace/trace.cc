// Log traces of clients, topics and addresses (management-api 2.16).
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"
#include "management/text.h"

#include <boost/json/array.hpp>

namespace sb::plugins::api::trace {

namespace {
using http::Call;
using http::Reply;
using http::Response;
using management::TraceInfo;
namespace json = http::json;
namespace schema = http::schema;

json::object to_json(const TraceInfo& trace, const std::string& node) {
  return {{"name", trace.name},
          {"type", trace.type},
          {trace.type, trace.value},
          {"start_at", management::rfc3339_s(trace.start_ms)},
          {"end_at", management::rfc3339_s(trace.end_ms)},
          {"status", trace.status},
          {"file", trace.file},
          {"log_size", json::object{{node, trace.bytes}}}};
}

Response not_found(std::string_view name) {
  return Response::error(404, "NOT_FOUND", fmt::format("trace '{}' not found", name));
}

void create(management::TraceControl& traces, const std::string& node, const Call& call, const Reply& reply) {
  const json::object& body = call.object();
  const auto text = [&](std::string_view name) {
    const auto* value = body.if_contains(name);
    return value ? std::string(std::string_view(value->get_string())) : std::string();
  };
  TraceInfo trace;
  trace.name = text("name");
  trace.type = text("type");
  trace.value = text(trace.type);
  if (trace.value.empty())
    return reply(http::refusal({{trace.type, "required_field", "string of at least 1 bytes", nullptr}}));
  for (const auto& [name, to] : {std::pair{"start_at", &trace.start_ms}, std::pair{"end_at", &trace.end_ms}}) {
    if (!body.contains(name)) continue;
    const auto time = management::parse_time(text(name), 1000);
    if (!time)
      return reply(http::refusal({{name, "bad_time", "seconds since 1970, or RFC 3339", json::value(text(name))}}));
    *to = *time;
  }
  if (const auto done = traces.create(trace); !done) {
    if (done.error().code != Errc::Exists) return reply(Response::error(400, "INVALID_PARAMS", done.error().what));
    bool same_name = false;
    for (const TraceInfo& known : traces.list()) same_name = same_name || known.name == trace.name;
    return reply(Response::error(409, same_name ? "ALREADY_EXISTS" : "DUPLICATE_CONDITION", done.error().what));
  }
  for (const TraceInfo& known : traces.list())
    if (known.name == trace.name) return reply(Response::of(to_json(known, node)));
  reply(Response::error(500, "INTERNAL_ERROR", "the trace was made and is gone"));
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  if (!api.service.environment().traces) return;
  management::TraceControl& traces = *api.service.environment().traces;
  const std::string& node = api.service.environment().node;
  const std::string kTag = "Trace";
  const std::vector<http::Parameter> name = {http::path_parameter("name", "Name of the trace")};
  const http::Answer missing = http::fault(404, "No such trace");
  api.table.add({http::Method::Get,
                 "/api/v5/trace",
                 kTag,
                 http::Access::Viewer,
                 "List traces, newest first",
                 {},
                 {},
                 false,
                 {http::ok(schema::array(schema::open_object()))},
                 false,
                 [&traces, &node](const Call&, const Reply& reply) {
                   json::array rows;
                   for (const TraceInfo& trace : traces.list()) rows.push_back(to_json(trace, node));
                   reply(Response::of(std::move(rows)));
                 }});
  http::Schema body =
      schema::object({{"name", schema::string(1, 256), true, "A letter, then letters, digits, - and _"},
                      {"type", schema::choice({"clientid", "topic", "ip_address"}), true},
                      {"clientid", schema::string(1, 65535)},
                      {"topic", schema::string(1, 65535)},
                      {"ip_address", schema::string(1, 64)},
                      {"start_at", schema::string(), false, "Seconds since 1970, or RFC 3339; now if absent"},
                      {"end_at", schema::string(), false, "Seconds since 1970, or RFC 3339"}});
  body.open = true;
  api.table.add({http::Method::Post,
                 "/api/v5/trace",
                 kTag,
                 http::Access::Administrator,
                 "Start a trace",
                 {},
                 std::move(body),
                 false,
                 {http::ok(schema::open_object()), http::fault(400, "Refused"), http::fault(409, "Exists")},
                 false,
                 [&traces, &node](const Call& call, const Reply& reply) { create(traces, node, call, reply); }});
  api.table.add({http::Method::Delete,
                 "/api/v5/trace",
                 kTag,
                 http::Access::Administrator,
                 "Delete every trace",
                 {},
                 {},
                 false,
                 {http::no_content()},
                 false,
                 [&traces](const Call&, const Reply& reply) {
                   traces.clear();
                   reply(Response::empty());
                 }});
  api.table.add({http::Method::Delete,
                 "/api/v5/trace/{name}",
                 kTag,
                 http::Access::Administrator,
                 "Delete one trace",
                 name,
                 {},
                 false,
                 {http::no_content(), missing},
                 false,
                 [&traces](const Call& call, const Reply& reply) {
                   reply(traces.remove(call.text("name")) ? Response::empty() : not_found(call.text("name")));
                 }});
  api.table.add({http::Method::Put,
                 "/api/v5/trace/{name}/stop",
                 kTag,
                 http::Access::Administrator,
                 "Stop one trace",
                 name,
                 {},
                 false,
                 {http::ok(schema::open_object()), missing},
                 false,
                 [&traces](const Call& call, const Reply& reply) {
                   const std::string wanted = call.text("name");
                   if (!traces.stop(wanted)) return reply(not_found(wanted));
                   reply(Response::of(json::object{{"name", wanted}, {"enable", false}}));
                 }});
}

}  // namespace sb::plugins::api::trace
