// The node and the machine under it (management-api 2.1, 2.24).
#include "http/table.h"
#include "management/api_registry.h"
#include "management/machine.h"
#include "management/service.h"
#include "management/text.h"

#include <boost/json/array.hpp>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sb::plugins::api::nodes {

namespace {
using http::Call;
using http::Reply;
using http::Response;
using management::Service;
namespace json = http::json;
namespace schema = http::schema;

/// The folder of the log, as the reference tells it; the words of 5.4 where there is none.
std::string log_path(const Service& service) {
  const config::ConfigStore* store = service.environment().config;
  if (store)
    for (const auto& [name, handler] : store->current()->log.file)
      if (handler.enable) return std::filesystem::absolute(handler.path).parent_path().lexically_normal().string();
  return "log.file.enable=false, logs go to the standard error";
}

json::object describe(const Service& service) {
  const management::Environment& environment = service.environment();
  double load[3] = {};
  if (getloadavg(load, 3) != 3) std::fill(std::begin(load), std::end(load), 0.0);
  const auto two = [](double value) { return std::round(value * 100) / 100; };
  const management::Memory machine = management::machine_memory();
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  rlimit processes{};
  getrlimit(RLIMIT_NPROC, &processes);
  std::uint64_t connections = 0;
  std::uint64_t live = 0;
  for (const auto& [name, value] : service.gauges()) {
    if (name == "connections.count") connections = value;
    if (name == "live_connections.count") live = value;
  }
  std::error_code error;
  return {{"node", environment.node},
          {"node_status", "running"},
          {"role", "core"},
          {"version", environment.version},
          {"sysdescr", environment.description},
          {"edition", "Enterprise"},
          {"uptime", service.uptime_ms()},
          {"connections", connections},
          {"live_connections", live},
          {"load1", two(load[0])},
          {"load5", two(load[1])},
          {"load15", two(load[2])},
          {"memory_total", management::memory_text(machine.total)},
          {"memory_used", management::memory_text(machine.used)},
          {"process_available",
           processes.rlim_cur == RLIM_INFINITY ? std::uint64_t{4'194'304} : std::uint64_t{processes.rlim_cur}},
          {"process_used", management::folder_entries("/proc/self/task")},
          {"otp_release", "signalbox " SB_VERSION},
          {"max_fds", std::uint64_t{files.rlim_cur}},
          {"sys_path", std::filesystem::read_symlink("/proc/self/exe", error).parent_path().parent_path().string()},
          {"log_path", log_path(service)},
          {"pid", static_cast<std::int64_t>(getpid())}};
}

void status(const Service& service, const Call& call, const Reply& reply) {
  const std::string& node = service.environment().node;
  if (call.text("format") == "json")
    return reply(Response::of(json::object{{"node_name", node},
                                           {"rel_vsn", service.environment().version},
                                           {"broker_status", "started"},
                                           {"app_status", "running"}}));
  // Probes look for "is running".
  reply(Response::text(fmt::format("Node {} is started\nemqx is running", node)));
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  Service& service = api.service;
  api.table.add({http::Method::Get,
                 "/api/v5/nodes",
                 "Nodes",
                 http::Access::Viewer,
                 "List nodes with runtime information",
                 {},
                 {},
                 false,
                 {http::ok(schema::array(schema::open_object()))},
                 false,
                 [&service](const Call&, const Reply& reply) { reply(Response::of(json::array{describe(service)})); }});
  api.table.add({http::Method::Get,
                 "/api/v5/nodes/{node}",
                 "Nodes",
                 http::Access::Viewer,
                 "Runtime information of one node",
                 {http::path_parameter("node", "Node name")},
                 {},
                 false,
                 {http::ok(schema::open_object()), http::fault(404, "No such node")},
                 false,
                 [&service](const Call& call, const Reply& reply) {
                   const std::string node = call.text("node");
                   if (node != service.environment().node)
                     return reply(Response::error(404, "NOT_FOUND", "Node not found: " + node));
                   reply(Response::of(describe(service)));
                 }});
  http::Parameter format = http::query_parameter("format", schema::choice({"json", "text"}), "Form of the answer");
  format.fallback = "text";
  for (const char* path : {"/api/v5/status", "/status"}) {
    http::Endpoint endpoint{http::Method::Get,
                            path,
                            "Status",
                            http::Access::Open,
                            "Whether the node runs",
                            {format},
                            {},
                            false,
                            {{200, "Running", schema::string(), "text/plain"}, http::ok(schema::open_object())},
                            path[1] == 's',
                            [&service](const Call& call, const Reply& reply) { status(service, call, reply); }};
    endpoint.any_method = path[1] == 's';  // as probes have it (1.1)
    api.table.add(std::move(endpoint));
  }
}

}  // namespace sb::plugins::api::nodes
