// status, broker, cluster status, vm, log, observer, olp
#include "cli/ctl.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <ctime>
#include <map>

namespace sb::cli {

namespace {

std::optional<json::object> node_object(Ctl& ctl) {
  const auto nodes = ctl.get("/api/v5/nodes");
  if (!nodes) return std::nullopt;
  return nodes->at(std::size_t{0}).as_object();
}

/// "1 days, 2 hours, 3 minutes, 4 seconds", without leading zero parts.
std::string uptime_text(std::uint64_t ms) {
  const std::uint64_t seconds = ms / 1000;
  std::string out;
  const auto add = [&](std::uint64_t value, const char* unit) {
    if (out.empty() && value == 0) return;
    out += fmt::format("{} {}, ", value, unit);
  };
  add(seconds / 86400, "days");
  add(seconds / 3600 % 24, "hours");
  add(seconds / 60 % 60, "minutes");
  return out + fmt::format("{} seconds", seconds % 60);
}

std::string now_text() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::tm parts{};
  localtime_r(&now.tv_sec, &parts);
  const long offset = parts.tm_gmtoff / 60;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}{}{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, now.tv_nsec, offset < 0 ? '-' : '+',
                     std::labs(offset) / 60, std::labs(offset) % 60);
}

std::optional<int> status(Ctl& ctl, const Ctl::Arguments& arguments) {
  if (!arguments.empty()) return std::nullopt;
  const auto node = node_object(ctl);
  if (!node) return 1;
  if (ctl.json())
    ctl.print_json(*node);
  else
    ctl.print("Node '{}' {} is started\n", text_of(*node, "node"), text_of(*node, "version"));
  return 0;
}

int numbers(Ctl& ctl, std::string_view path) {
  const auto values = ctl.get(path);
  if (!values) return 1;
  if (ctl.json()) {
    ctl.print_json(*values);
    return 0;
  }
  std::map<std::string, std::uint64_t> sorted;
  for (const auto& [name, value] : values->as_object())
    sorted[std::string(std::string_view(name))] = number_of(values->as_object(), name);
  for (const auto& [name, value] : sorted) ctl.print("{:<30}: {}\n", name, value);
  return 0;
}

std::optional<int> broker(Ctl& ctl, const Ctl::Arguments& arguments) {
  if (arguments == Ctl::Arguments{"stats"}) return numbers(ctl, "/api/v5/stats?aggregate=true");
  if (arguments == Ctl::Arguments{"metrics"}) return numbers(ctl, "/api/v5/metrics?aggregate=true");
  if (!arguments.empty()) return std::nullopt;
  const auto node = node_object(ctl);
  if (!node) return 1;
  const std::string uptime = uptime_text(number_of(*node, "uptime"));
  const std::pair<const char*, std::string> lines[] = {{"sysdescr", text_of(*node, "sysdescr")},
                                                       {"version", text_of(*node, "version")},
                                                       {"datetime", now_text()},
                                                       {"uptime", uptime}};
  json::object all;
  for (const auto& [name, value] : lines) {
    all[name] = value;
    if (!ctl.json()) ctl.print("{:<10}: {}\n", name, value);
  }
  if (ctl.json()) ctl.print_json(all);
  return 0;
}

std::optional<int> cluster(Ctl& ctl, const Ctl::Arguments& arguments) {
  if (!arguments.empty() && (arguments[0] == "join" || arguments[0] == "leave" || arguments[0] == "force-leave"))
    return ctl.failed("this version runs as a single node: there is no cluster to join or to leave");
  if (arguments != Ctl::Arguments{"status"}) return std::nullopt;
  const auto node = node_object(ctl);
  if (!node) return 1;
  const std::string name = text_of(*node, "node");
  if (ctl.json())
    ctl.print_pretty(json::object{{"running_nodes", json::array{json::value(name)}}, {"stopped_nodes", json::array()}});
  else
    ctl.print("Cluster status: #{{running_nodes => ['{}'],stopped_nodes => []}}\n", name);
  return 0;
}

std::optional<int> vm(Ctl& ctl, const Ctl::Arguments& arguments) {
  const std::string which = arguments.empty() ? "all" : arguments[0];
  constexpr std::string_view kParts[] = {"load", "memory", "process", "io", "ports"};
  if (arguments.size() > 1) return std::nullopt;
  if (which != "all" && std::find(std::begin(kParts), std::end(kParts), which) == std::end(kParts)) return std::nullopt;
  const auto values = ctl.get("/api/v5/local/vm");
  if (!values) return 1;
  if (ctl.json()) {
    ctl.print_json(which == "all" ? *values : values->at(which));
    return 0;
  }
  constexpr std::size_t kNameWidth = 24;
  for (const std::string_view part : kParts) {
    if (which != "all" && which != part) continue;
    const std::string prefix = part == "load" ? "cpu/" : std::string(part) + "/";
    for (const auto& [name, value] : values->at(part).as_object())
      ctl.print("{}{:<{}}: {}\n", prefix, std::string_view(name), kNameWidth - prefix.size(),
                text_of(values->at(part).as_object(), name));
  }
  return 0;
}

int set_level(Ctl& ctl, const std::string& level) {
  const auto answer = ctl.ask("PUT", "/api/v5/local/log_level", json::serialize(json::object{{"level", level}}));
  if (!ctl.accept(answer)) return 1;
  ctl.print("{}\n", level);
  return 0;
}

std::optional<int> log_handlers(Ctl& ctl, const Ctl::Arguments& arguments) {
  const std::string path = "/api/v5/local/log_handlers";
  if (arguments.size() == 2 && arguments[1] == "list") {
    const auto all = ctl.get(path);
    if (!all) return 1;
    if (ctl.json()) {
      ctl.print_json(*all);
      return 0;
    }
    for (const auto& one : all->as_array()) {
      const json::object& handler = one.as_object();
      ctl.print("LogHandler(id={}, level={}, destination={}, status={})\n", text_of(handler, "id"),
                text_of(handler, "level"), text_of(handler, "destination"), text_of(handler, "status"));
    }
    return 0;
  }
  if (arguments.size() == 3 && (arguments[1] == "start" || arguments[1] == "stop")) {
    const bool start = arguments[1] == "start";
    const auto answer = ctl.ask("POST", fmt::format("{}/{}/{}", path, percent_encode(arguments[2]), arguments[1]));
    if (!ctl.accept(answer)) return 1;
    ctl.print("log handler {} {}\n", arguments[2], start ? "started" : "stopped");
    return 0;
  }
  if (arguments.size() != 4 || arguments[1] != "set-level") return std::nullopt;
  const auto answer = ctl.ask("PUT", fmt::format("{}/{}", path, percent_encode(arguments[2])),
                              json::serialize(json::object{{"level", arguments[3]}}));
  if (!ctl.accept(answer)) return 1;
  ctl.print("{}\n", arguments[3]);
  return 0;
}

std::optional<int> log(Ctl& ctl, const Ctl::Arguments& arguments) {
  if (arguments.size() == 2 && (arguments[0] == "set-level" || arguments[0] == "primary-level"))
    return set_level(ctl, arguments[1]);
  if (!arguments.empty() && arguments[0] == "handlers") return log_handlers(ctl, arguments);
  if (arguments != Ctl::Arguments{"primary-level"}) return std::nullopt;
  const auto level = ctl.get("/api/v5/local/log_level");
  if (!level) return 1;
  const std::string text = text_of(level->as_object(), "level");
  if (ctl.json())
    ctl.print_json(*level);
  else
    ctl.print("{}\n", text);
  return 0;
}

std::optional<int> olp(Ctl& ctl, const Ctl::Arguments& arguments) {
  if (arguments.size() != 1) return std::nullopt;
  if (arguments[0] == "status") {
    const auto state = ctl.get("/api/v5/local/overload");
    if (!state) return 1;
    if (ctl.json()) {
      ctl.print_json(*state);
      return 0;
    }
    ctl.print("'{}' is {}overloaded\n", ctl.node(), state->at("overloaded").as_bool() ? "" : "not ");
    return 0;
  }
  if (arguments[0] != "enable" && arguments[0] != "disable") return std::nullopt;
  const bool enable = arguments[0] == "enable";
  const auto answer = ctl.ask("PUT", "/api/v5/configs?mode=merge",
                              fmt::format("overload_protection {{ enable = {} }}\n", enable), "text/plain");
  if (!answer) return 1;
  ctl.print("{} overload protection {} : {}\n", enable ? "Enable" : "Disable", ctl.node(),
            answer->ok() ? "ok" : answer->message());
  return answer->ok() ? 0 : 1;
}

/// EMQX's observer looks into its Erlang machine; what can be seen of this process is what `vm` shows.
std::optional<int> observer(Ctl& ctl, const Ctl::Arguments& arguments) {
  if (arguments == Ctl::Arguments{"status"}) return vm(ctl, {"all"});
  if (arguments == Ctl::Arguments{"bin_leak"} || (arguments.size() == 2 && arguments[0] == "load"))
    return ctl.failed(fmt::format(
        "observer {}: there is no Erlang machine here; see `observer status`, `broker stats` and `vm`", arguments[0]));
  return std::nullopt;
}

}  // namespace

std::vector<CommandGroup> node_commands() {
  return {{"status", {{"status", "Show whether the node runs"}}, status},
          {"broker",
           {{"broker", "Show broker version, uptime and description"},
            {"broker stats", "Show broker statistics of clients, topics, subscribers"},
            {"broker metrics", "Show broker metrics"}},
           broker},
          {"cluster", {{"cluster status [--json]", "Cluster status"}}, cluster},
          {"vm",
           {{"vm all", "Show info of the process"},
            {"vm load", "Show load of the machine"},
            {"vm memory", "Show memory of the process"},
            {"vm process", "Show threads of the process"},
            {"vm io", "Show file descriptors"},
            {"vm ports", "Show connections"}},
           vm},
          {"log",
           {{"log set-level <Level>", "Set the overall log level"},
            {"log primary-level", "Show the primary log level now"},
            {"log primary-level <Level>", "Set the primary log level"},
            {"log handlers list", "Show log handlers"},
            {"log handlers start <HandlerId>", "Start a log handler"},
            {"log handlers stop <HandlerId>", "Stop a log handler"},
            {"log handlers set-level <HandlerId> <Level>", "Set the level of a log handler"}},
           log},
          {"observer",
           {{"observer status", "Show the figures of the process, as `vm all`"},
            {"observer bin_leak", "Of EMQX's Erlang machine; there is none here"},
            {"observer load <Module>", "Of EMQX's Erlang machine; there is none here"}},
           observer},
          {"olp",
           {{"olp status", "Show whether the node is overloaded"},
            {"olp enable", "Enable overload protection"},
            {"olp disable", "Disable overload protection"}},
           olp}};
}

}  // namespace sb::cli
