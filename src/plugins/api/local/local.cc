// What only the command line of this node needs: the process, its log level, overload protection, the end.
#include "base/log.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"
#include "store/key_value.h"

#include <boost/json/array.hpp>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sb::plugins::api::local {

namespace {
using http::Call;
using http::Reply;
using http::Response;
using management::Service;
namespace json = http::json;
namespace schema = http::schema;

constexpr std::string_view kLevels[] = {"debug", "info",     "notice", "warning",
                                        "error", "critical", "alert",  "emergency"};

std::vector<std::string> level_names() {
  std::vector<std::string> out(std::begin(kLevels), std::end(kLevels));
  out.insert(out.end(), {"all", "none"});
  return out;
}

log::Level level_of(std::string_view name) {
  if (name == "all") return log::Level::Debug;
  if (name == "none") return log::Level::Off;
  std::size_t at = 0;
  while (at + 1 < std::size(kLevels) && kLevels[at] != name) ++at;
  return static_cast<log::Level>(at);
}

std::uint64_t entries(const char* folder) {
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) ++count;
  return count;
}

/// A line of /proc/self/status, in bytes.
std::uint64_t memory_line(std::string_view wanted) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(wanted)) return std::strtoull(line.c_str() + wanted.size(), nullptr, 10) * 1024;
  return 0;
}

json::object vm(const Service& service) {
  double load[3] = {};
  if (getloadavg(load, 3) != 3) std::fill(std::begin(load), std::end(load), 0.0);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  rlimit processes{};
  getrlimit(RLIMIT_NPROC, &processes);
  const std::uint64_t open = entries("/proc/self/fd");
  std::uint64_t connections = 0;
  for (const auto& [name, value] : service.gauges())
    if (name == "live_connections.count") connections = value;
  return {{"load", json::object{{"load1", fmt::format("{:.2f}", load[0])},
                                {"load5", fmt::format("{:.2f}", load[1])},
                                {"load15", fmt::format("{:.2f}", load[2])}}},
          {"memory", json::object{{"total", memory_line("VmRSS:")},
                                  {"peak", memory_line("VmHWM:")},
                                  {"data", memory_line("VmData:")},
                                  {"swap", memory_line("VmSwap:")}}},
          {"process", json::object{{"limit", processes.rlim_cur == RLIM_INFINITY ? std::uint64_t{4'194'304}
                                                                                 : std::uint64_t{processes.rlim_cur}},
                                   {"count", entries("/proc/self/task")}}},
          {"io", json::object{{"max_fds", std::uint64_t{files.rlim_cur}}, {"active_fds", open}}},
          {"ports", json::object{{"count", connections}, {"limit", std::uint64_t{files.rlim_cur}}}}};
}

/// What lies in the embedded store.
json::object store_state(const Service& service) {
  const auto& find = service.environment().store;
  store::KeyValue* store = find ? find() : nullptr;
  json::object records;
  if (!store) return {{"running", false}, {"records", std::move(records)}};
  const store::Stats stats = store->stats();
  for (std::size_t i = 0; i < store::kTableCount; ++i) records[store::kTableNames[i]] = stats.records[i];
  return {{"running", true},
          {"folder", (std::filesystem::path(service.environment().data_dir) / "store").string()},
          {"disk_bytes", stats.disk_bytes + stats.log_bytes},
          {"memory_bytes", stats.memory_bytes},
          {"committed", stats.batches},
          {"failed", stats.failed},
          {"queued", stats.queued_batches},
          {"records", std::move(records)}};
}

json::object to_json(const telemetry::HandlerInfo& handler) {
  return {{"id", handler.id},
          {"level", log::to_string(handler.level)},
          {"destination", handler.destination},
          {"status", handler.started ? "started" : "stopped"}};
}

std::string level_in(const Call& call) {
  return std::string(std::string_view(call.object().at("level").get_string()));
}

/// Handlers of the log; what is set holds until the configuration of the log changes or the node restarts.
void add_log_handlers(management::ApiRegistry& api, const std::string& tag, telemetry::LogControl& log) {
  const http::Answer missing = http::fault(404, "No such handler");
  const std::vector<http::Parameter> id = {http::path_parameter("id", "console, default or another file, audit")};
  const auto answer = [](const Result<>& done, const Reply& reply) {
    reply(done ? Response::empty(200) : Response::error(404, "NOT_FOUND", done.error().what));
  };
  api.table.add({http::Method::Get,
                 "/api/v5/local/log_handlers",
                 tag,
                 http::Access::Viewer,
                 "Where the log goes",
                 {},
                 {},
                 false,
                 {http::ok(schema::array(schema::open_object()))},
                 true,
                 [&log](const Call&, const Reply& reply) {
                   json::array rows;
                   for (const telemetry::HandlerInfo& handler : log.handlers()) rows.push_back(to_json(handler));
                   reply(Response::of(std::move(rows)));
                 }});
  api.table.add({http::Method::Put,
                 "/api/v5/local/log_handlers/{id}",
                 tag,
                 http::Access::Administrator,
                 "Changes the level of one handler",
                 id,
                 schema::object({{"level", schema::choice(level_names()), true}}),
                 false,
                 {{200, "Done", {}, ""}, missing},
                 true,
                 [&log, answer](const Call& call, const Reply& reply) {
                   answer(log.set_handler_level(call.text("id"), level_of(level_in(call))), reply);
                 }});
  for (const bool start : {true, false})
    api.table.add({http::Method::Post,
                   fmt::format("/api/v5/local/log_handlers/{{id}}/{}", start ? "start" : "stop"),
                   tag,
                   http::Access::Administrator,
                   start ? "Lets one handler write again" : "Silences one handler",
                   id,
                   {},
                   false,
                   {{200, "Done", {}, ""}, missing},
                   true,
                   [&log, answer, start](const Call& call, const Reply& reply) {
                     const std::string wanted = call.text("id");
                     answer(start ? log.start_handler(wanted) : log.stop_handler(wanted), reply);
                   }});
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  Service& service = api.service;
  const std::string kTag = "Local";
  const auto add = [&](http::Method method, const std::string& path, const std::string& summary,
                       std::optional<http::Schema> body, std::function<void(const Call&, const Reply&)> handler) {
    const auto access = method == http::Method::Get ? http::Access::Viewer : http::Access::Administrator;
    api.table.add({method,
                   "/api/v5/local/" + path,
                   kTag,
                   access,
                   summary,
                   {},
                   std::move(body),
                   false,
                   {http::ok(schema::open_object())},
                   true,
                   std::move(handler)});
  };
  add(http::Method::Get, "vm", "Memory, threads and descriptors of the process", {},
      [&service](const Call&, const Reply& reply) { reply(Response::of(vm(service))); });
  add(http::Method::Get, "store", "Tables and sizes of the embedded store", {},
      [&service](const Call&, const Reply& reply) { reply(Response::of(store_state(service))); });
  add(http::Method::Get, "log_level", "The lowest level that is logged", {}, [](const Call&, const Reply& reply) {
    const auto level = log::detail::threshold.load(std::memory_order_relaxed);
    reply(Response::of(json::object{{"level", log::to_string(level)}}));
  });
  add(http::Method::Put, "log_level", "Changes it until the next start",
      schema::object({{"level", schema::choice(level_names()), true}}),
      [&service](const Call& call, const Reply& reply) {
        const std::string level = level_in(call);
        if (telemetry::LogControl* log = service.environment().log)
          log->set_primary_level(level_of(level));
        else
          log::set_threshold(level_of(level));
        reply(Response::of(json::object{{"level", level}}));
      });
  if (service.environment().log) add_log_handlers(api, kTag, *service.environment().log);
  add(http::Method::Get, "overload", "Whether the node is overloaded", {}, [&service](const Call&, const Reply& reply) {
    // A shard that has worked all of the last tenth of a second has no time to spare.
    constexpr unsigned kFullPermille = 990;
    bool overloaded = false;
    broker::Core& core = *service.environment().core;
    for (unsigned id = 0; id < core.shards(); ++id)
      overloaded = overloaded || core.shard(id).loop().load_permille() >= kFullPermille;
    reply(Response::of(json::object{{"overloaded", overloaded}}));
  });
  if (service.environment().listeners)
    add(http::Method::Delete, "pem_cache", "Reads certificate files anew for the handshakes to come", {},
        [&service](const Call&, const Reply& reply) {
          const auto done = service.environment().listeners->reload_certificates();
          reply(done ? Response::empty() : Response::error(400, "BAD_REQUEST", done.error().what));
        });
  // Nothing to do: that it was called is what counts, and the record names the command.
  add(http::Method::Post, "command", "Puts a command that only read on record", {},
      [](const Call&, const Reply& reply) { reply(Response::empty()); });
  add(http::Method::Post, "stop", "Ends the node in order", {}, [&service](const Call&, const Reply& reply) {
    const auto& stop = service.environment().stop;
    if (!stop) return reply(Response::error(501, "NOT_IMPLEMENTED", "this node is stopped by its own process"));
    reply(Response::of(json::object{{"stopping", true}}));
    stop();
  });
}

}  // namespace sb::plugins::api::local
