// listeners, pem_cache
#include "cli/ctl.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace sb::cli {

namespace {

void print_listener(Ctl& ctl, const json::object& listener) {
  const auto line = [&](std::string_view name, const std::string& value) { ctl.print("  {:<16}: {}\n", name, value); };
  const json::object& status = listener.at("status").as_object();
  ctl.print("{}\n", text_of(listener, "id"));
  line("listen_on", text_of(listener, "bind"));
  line("acceptors", text_of(listener, "acceptors"));
  line("proxy_protocol", text_of(listener, "proxy_protocol"));
  line("running", text_of(status, "running"));
  if (!status.at("running").as_bool()) return;
  line("current_conn", text_of(status, "current_connections"));
  line("max_conns", text_of(status, "max_connections"));
  std::string counts;
  for (const auto& [reason, count] : listener.at("shutdown_count").as_object()) {
    if (!counts.empty()) counts += ',';
    counts += fmt::format("{{{},{}}}", std::string_view(reason),
                          number_of(listener.at("shutdown_count").as_object(), reason));
  }
  line("shutdown_count", "[" + counts + "]");
}

std::optional<int> listeners(Ctl& ctl, const Ctl::Arguments& arguments) {
  if (arguments.empty()) {
    const auto all = ctl.get("/api/v5/listeners");
    if (!all) return 1;
    if (ctl.json()) {
      ctl.print_json(*all);
      return 0;
    }
    for (const auto& listener : all->as_array()) print_listener(ctl, listener.as_object());
    return 0;
  }
  if (arguments.size() != 2) return std::nullopt;
  const std::string& operation = arguments[0];
  const std::string& id = arguments[1];
  const std::string said = operation == "start"     ? "Started"
                           : operation == "stop"    ? "Stop"
                           : operation == "restart" ? "Restarted"
                                                    : "";
  if (said.empty()) return std::nullopt;
  const auto answer = ctl.ask("POST", fmt::format("/api/v5/listeners/{}/{}", percent_encode(id), operation));
  if (!answer) return 1;
  if (answer->ok()) {
    ctl.print("{} {} listener successfully.\n", said, id);
    return 0;
  }
  if (answer->message().starts_with("bad listener id"))
    ctl.print("Invalid listener: {}\n", id);
  else
    ctl.print("Failed to {} {} listener: {}\n", operation, id, answer->message());
  return 1;
}

std::optional<int> pem_cache(Ctl& ctl, const Ctl::Arguments& arguments) {
  const bool all = arguments == Ctl::Arguments{"clean", "all"};
  const bool one = arguments.size() == 3 && arguments[0] == "clean" && arguments[1] == "node";
  if (!all && !one) return std::nullopt;
  if (one && arguments[2] != ctl.node()) return ctl.failed(fmt::format("Node not found: {}", arguments[2]));
  const auto answer = ctl.ask("DELETE", "/api/v5/local/pem_cache");
  if (!ctl.accept(answer)) return 1;
  ctl.print("{}PEM cache clean OK\n", one ? arguments[2] + " " : std::string());
  return 0;
}

}  // namespace

std::vector<CommandGroup> listener_commands() {
  return {{"listeners",
           {{"listeners", "List listeners"},
            {"listeners start <Identifier>", "Start a listener"},
            {"listeners stop <Identifier>", "Stop a listener"},
            {"listeners restart <Identifier>", "Restart a listener"}},
           listeners},
          {"pem_cache",
           {{"pem_cache clean all", "Read certificate files anew on all nodes"},
            {"pem_cache clean node <Node>", "Read certificate files anew on a node"}},
           pem_cache}};
}

}  // namespace sb::cli
