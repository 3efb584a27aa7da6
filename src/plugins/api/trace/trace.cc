// Log traces of clients, topics and addresses (management-api 2.16).
#include "base/json_text.h"
#include "http/file_body.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/archive.h"
#include "management/service.h"
#include "management/text.h"
#include "net/endpoint.h"

#include <boost/json/array.hpp>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

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
          {"payload_encode", trace.payload_encode},
          {"status", trace.status},
          {"file", trace.file},
          {"log_size", json::object{{node, trace.bytes}}}};
}

Response not_found(std::string_view name) {
  return Response::error(404, "NOT_FOUND", fmt::format("trace '{}' not found", name));
}

/// Where a trace is written: over the network below the data folder only, from this machine also into a file of the
/// caller's choice.
enum class Place : std::uint8_t { DataFolder, AnyFile };

/// Of a trace by REST that does not say when it ends.
constexpr std::int64_t kDurationMs = 600'000;

void create(management::TraceControl& traces, const management::Environment& environment, Place place, const Call& call,
            const Reply& reply) {
  const json::object& body = call.object();
  const auto text = [&](std::string_view name) {
    const auto* value = body.if_contains(name);
    return value ? std::string(std::string_view(value->get_string())) : std::string();
  };
  TraceInfo trace;
  trace.name = text("name");
  trace.type = text("type");
  trace.value = text(trace.type);
  trace.payload_encode = text("payload_encode");
  if (place == Place::AnyFile) trace.file = text("file");
  if (trace.value.empty())
    return reply(http::refusal({{trace.type, "required_field", "string of at least 1 bytes", nullptr}}));
  for (const auto& [name, to] : {std::pair{"start_at", &trace.start_ms}, std::pair{"end_at", &trace.end_ms}}) {
    if (!body.contains(name)) continue;
    const auto time = management::parse_time(text(name), 1000);
    if (!time)
      return reply(http::refusal({{name, "bad_time", "seconds since 1970, or RFC 3339", json::value(text(name))}}));
    *to = *time;
  }
  if (trace.type == "ip_address" && !net::Endpoint::parse_address(trace.value, 0))
    return reply(http::refusal({{"ip_address", "bad_address", "an IP address", json::value(trace.value)}}));
  if (place == Place::DataFolder && trace.end_ms == 0)
    trace.end_ms = std::max(trace.start_ms, environment.clock->wall_ms()) + kDurationMs;
  if (const auto done = traces.create(trace); !done) {
    if (done.error().code != Errc::Exists) return reply(Response::error(400, "INVALID_PARAMS", done.error().what));
    bool same_name = false;
    for (const TraceInfo& known : traces.list()) same_name = same_name || known.name == trace.name;
    return reply(Response::error(409, same_name ? "ALREADY_EXISTS" : "DUPLICATE_CONDITION", done.error().what));
  }
  for (const TraceInfo& known : traces.list())
    if (known.name == trace.name) return reply(Response::of(to_json(known, environment.node)));
  reply(Response::error(500, "INTERNAL_ERROR", "the trace was made and is gone"));
}
constexpr std::int64_t kSliceMax = 64 << 20;

std::optional<TraceInfo> find(management::TraceControl& traces, std::string_view name) {
  for (TraceInfo& known : traces.list())
    if (known.name == name) return std::move(known);
  return std::nullopt;
}

/// A trace of this node; else `refused`.
std::optional<TraceInfo> wanted(management::TraceControl& traces, const std::string& node, const Call& call,
                                Response& refused) {
  if (const auto asked = call.find_text("node"); asked && *asked != node) {
    refused = Response::error(404, "NOT_FOUND", "Node not found: " + *asked);
    return std::nullopt;
  }
  auto trace = find(traces, call.text("name"));
  if (!trace) refused = not_found(call.text("name"));
  return trace;
}

/// A piece of the file from a position on; where there is no more, nothing and the position of the end.
void slice(management::TraceControl& traces, const std::string& node, const Call& call, const Reply& reply) {
  Response refused;
  traces.flush();
  const auto trace = wanted(traces, node, call, refused);
  if (!trace) return reply(std::move(refused));
  const std::int64_t bytes = call.integer("bytes");
  std::error_code error;
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(trace->file, error));
  const std::int64_t from = error ? 0 : std::min(call.integer("position"), size);
  std::string items(static_cast<std::size_t>(error ? 0 : std::min(bytes, size - from)), '\0');
  std::ifstream file(trace->file, std::ios::binary);
  file.seekg(from);
  file.read(items.data(), static_cast<std::streamsize>(items.size()));
  items.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  const std::int64_t position = from + static_cast<std::int64_t>(items.size());
  reply(Response::of(
      json::object{{"items", utf8_text(items)}, {"meta", json::object{{"bytes", bytes}, {"position", position}}}}));
}

std::int64_t modified_ms(const std::string& path) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) return 0;
  return std::int64_t{about.st_mtim.tv_sec} * 1000 + about.st_mtim.tv_nsec / 1'000'000;
}

void download(const management::Service& service, management::TraceControl& traces, const Call& call,
              const Reply& reply) {
  const std::string& node = service.environment().node;
  Response refused;
  traces.flush();
  const auto trace = wanted(traces, node, call, refused);
  if (!trace) return reply(std::move(refused));
  if (trace->bytes == 0) return reply(Response::error(404, "NOT_FOUND", "Trace is empty"));
  const std::string path = trace->file + ".zip";
  const std::string inner = fmt::format("{}-{}", node, std::filesystem::path(trace->file).filename().string());
  if (const auto zipped = management::write_zip(path, {{inner, trace->file}}, service.environment().clock->wall_ms());
      !zipped)
    return reply(Response::error(500, "INTERNAL_ERROR", zipped.error().what));
  auto file = http::FileBody::open(path);
  std::error_code ignored;
  std::filesystem::remove(path, ignored);  // what is open is sent to its end
  if (!file) return reply(Response::error(500, "INTERNAL_ERROR", file.error().what));
  Response response;
  response.file = *std::move(file);
  response.content_type = "application/x-zip";
  response.headers.emplace_back("content-disposition", fmt::format("attachment; filename={}.zip", trace->name));
  reply(std::move(response));
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  if (!api.service.environment().traces) return;
  management::TraceControl& traces = *api.service.environment().traces;
  const management::Environment& environment = api.service.environment();
  const std::string& node = environment.node;
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
                      {"payload_encode", schema::choice({"text", "hex", "hidden"}), false, "", "text"},
                      {"start_at", schema::string(), false, "Seconds since 1970, or RFC 3339; now if absent"},
                      {"end_at", schema::string(), false, "Seconds since 1970, or RFC 3339"}});
  body.open = true;
  http::Schema local = body;
  local.fields.push_back({"file", schema::string(1, 4096), false, "Absolute path"});
  api.table.add({http::Method::Post,
                 "/api/v5/local/trace",
                 "Local",
                 http::Access::Administrator,
                 "Start a trace into a file of its own",
                 {},
                 std::move(local),
                 false,
                 {http::ok(schema::open_object()), http::fault(400, "Refused"), http::fault(409, "Exists")},
                 true,
                 [&traces, &environment](const Call& call, const Reply& reply) {
                   create(traces, environment, Place::AnyFile, call, reply);
                 }});
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
                 [&traces, &environment](const Call& call, const Reply& reply) {
                   create(traces, environment, Place::DataFolder, call, reply);
                 }});
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
  std::vector<http::Parameter> of_node = name;
  of_node.push_back(http::query_parameter("node", schema::string(1, 256), "Of this node"));
  management::Service& service = api.service;
  api.table.add(
      {http::Method::Get,
       "/api/v5/trace/{name}/download",
       kTag,
       http::Access::Viewer,
       "Download a trace as a zip file",
       of_node,
       {},
       false,
       {{200, "The log in a zip file", schema::string(), "application/x-zip"}, missing},
       false,
       [&service, &traces](const Call& call, const Reply& reply) { download(service, traces, call, reply); }});
  std::vector<http::Parameter> place = of_node;
  place.push_back(http::query_parameter("bytes", schema::integer(1, kSliceMax), "Most bytes of the answer"));
  place.back().fallback = 1000;
  place.push_back(http::query_parameter("position", schema::integer(0), "Where to begin"));
  place.back().fallback = 0;
  api.table.add({http::Method::Get,
                 "/api/v5/trace/{name}/log",
                 kTag,
                 http::Access::Viewer,
                 "Read a piece of a trace",
                 std::move(place),
                 {},
                 false,
                 {http::ok(schema::open_object()), missing},
                 false,
                 [&traces, &node](const Call& call, const Reply& reply) { slice(traces, node, call, reply); }});
  api.table.add({http::Method::Get,
                 "/api/v5/trace/{name}/log_detail",
                 kTag,
                 http::Access::Viewer,
                 "Size and time of change of a trace's file",
                 name,
                 {},
                 false,
                 {http::ok(schema::array(schema::open_object())), missing},
                 false,
                 [&traces, &node](const Call& call, const Reply& reply) {
                   traces.flush();
                   const auto trace = find(traces, call.text("name"));
                   if (!trace) return reply(not_found(call.text("name")));
                   reply(Response::of(json::array{
                       json::object{{"node", node}, {"size", trace->bytes}, {"mtime", modified_ms(trace->file)}}}));
                 }});
}

}  // namespace sb::plugins::api::trace
