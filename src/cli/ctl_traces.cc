// trace, traces
#include "base/crc32c.h"
#include "cli/ctl.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <ctime>
#include <filesystem>

namespace sb::cli {

namespace {

using Arguments = Ctl::Arguments;
constexpr std::int64_t kDefaultSeconds = 1800;

/// "client" of the command line is "clientid" everywhere else.
std::string type_of(std::string_view word) {
  if (word == "client") return "clientid";
  if (word == "topic" || word == "ip_address") return std::string(word);
  return {};
}

/// A trace needs a plain name: "CLI-" and the value with other characters replaced. Where that, or the type, leaves a
/// doubt which one is meant, a checksum of both follows.
std::string name_of(std::string_view type, std::string_view value) {
  std::string out = "CLI-";
  bool doubt = type != "clientid";
  for (const char c : value) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    out += plain ? c : '_';
    doubt = doubt || !plain;
  }
  if (doubt) out += fmt::format("-{:08x}", crc32c(crc32c(0, as_bytes(type)), as_bytes(value)));
  return out;
}

struct Wanted {
  std::string name, type, value;
  std::int64_t seconds = kDefaultSeconds;
  std::string file{};  // absolute; "": the node chooses
};

std::optional<HttpAnswer> start(Ctl& ctl, const Wanted& wanted) {
  const auto& [name, type, value, seconds, file] = wanted;
  const std::int64_t now = std::time(nullptr);
  json::object body{{"name", name},
                    {"type", type},
                    {type, value},
                    {"start_at", std::to_string(now)},
                    {"end_at", std::to_string(now + seconds)}};
  if (!file.empty()) body["file"] = file;
  const char* const path = file.empty() ? "/api/v5/trace" : "/api/v5/local/trace";
  return ctl.ask("POST", path, json::serialize(body));
}

/// The one of this name that was stopped makes room: what it wrote to a file of the user's stays.
void forget_stopped(Ctl& ctl, const std::string& name) {
  const auto all = ctl.get("/api/v5/trace");
  if (!all) return;
  for (const auto& entry : all->as_array()) {
    const json::object& trace = entry.as_object();
    if (text_of(trace, "name") == name && text_of(trace, "status") == "stopped")
      (void)ctl.ask("DELETE", "/api/v5/trace/" + name);
  }
}

int list_one(Ctl& ctl) {
  const auto all = ctl.get("/api/v5/trace");
  if (!all) return 1;
  if (ctl.json()) {
    ctl.print_json(*all);
    return 0;
  }
  bool any = false;
  for (const auto& entry : all->as_array()) {
    const json::object& trace = entry.as_object();
    if (text_of(trace, "status") != "running") continue;
    any = true;
    const std::string type = text_of(trace, "type");
    ctl.print("Trace({}={}, level=debug, destination={})\n", type, text_of(trace, type), text_of(trace, "file"));
  }
  if (!any) ctl.write("Trace is empty\n");
  return 0;
}

std::optional<int> trace(Ctl& ctl, const Arguments& arguments) {
  if (arguments == Arguments{"list"}) return list_one(ctl);
  if (arguments.size() < 3) return std::nullopt;
  const std::string type = type_of(arguments[1]);
  const std::string& value = arguments[2];
  if (type.empty()) return std::nullopt;
  if (arguments[0] == "stop" && arguments.size() == 3) {
    const auto answer = ctl.ask("PUT", fmt::format("/api/v5/trace/{}/stop", name_of(type, value)));
    if (!answer) return 1;
    if (answer->ok()) {
      ctl.print("stop tracing {} {} successfully\n", type, value);
      return 0;
    }
    ctl.print("stop tracing {} {} error: {}\n", type, value, answer->message());
    return 1;
  }
  if (arguments[0] == "start" && arguments.size() <= 5) {
    // Every line of a trace is of level debug: with another one there would be none.
    if (arguments.size() == 5 && arguments[4] != "debug" && arguments[4] != "all")
      return ctl.failed(fmt::format("level '{}': expected debug, the level of what is traced", arguments[4]));
    Wanted wanted{name_of(type, value), type, value};
    if (arguments.size() > 3) wanted.file = std::filesystem::absolute(arguments[3]).lexically_normal().string();
    forget_stopped(ctl, wanted.name);
    const auto answer = start(ctl, wanted);
    if (!answer) return 1;
    if (answer->ok()) {
      ctl.print("trace {} {} successfully\n", value, wanted.name);
      return 0;
    }
    ctl.print("[error] trace {} {}: {}\n", value, wanted.name, answer->message());
    return 1;
  }
  return std::nullopt;
}

int list_all(Ctl& ctl) {
  const auto all = ctl.get("/api/v5/trace");
  if (!all) return 1;
  if (ctl.json()) {
    ctl.print_json(*all);
    return 0;
  }
  if (all->as_array().empty()) ctl.write("Cluster Trace is empty\n");
  for (const auto& entry : all->as_array()) {
    const json::object& trace = entry.as_object();
    const std::string type = text_of(trace, "type");
    std::string sizes;
    for (const auto& [node, bytes] : trace.at("log_size").as_object()) {
      if (!sizes.empty()) sizes += ',';
      sizes += fmt::format("'{}' => {}", std::string_view(node), number_of(trace.at("log_size").as_object(), node));
    }
    ctl.print("Trace({}: {}={}, {}, LogSize:#{{{}}})\n", text_of(trace, "name"), type, text_of(trace, type),
              text_of(trace, "status"), sizes);
  }
  return 0;
}

std::optional<int> traces(Ctl& ctl, const Arguments& arguments) {
  if (arguments == Arguments{"list"}) return list_all(ctl);
  if (arguments.size() == 2 && (arguments[0] == "stop" || arguments[0] == "delete")) {
    const bool stop = arguments[0] == "stop";
    const std::string path = "/api/v5/trace/" + percent_encode(arguments[1]);
    const auto answer = stop ? ctl.ask("PUT", path + "/stop") : ctl.ask("DELETE", path);
    if (!answer) return 1;
    const char* said = stop ? "Stop" : "Del";
    if (answer->ok()) {
      ctl.print("{} cluster_trace {} successfully\n", said, arguments[1]);
      return 0;
    }
    ctl.print("[error] {} cluster_trace {}: {}\n", said, arguments[1], answer->message());
    return 1;
  }
  if (arguments.size() < 4 || arguments.size() > 5 || arguments[0] != "start") return std::nullopt;
  const std::string type = type_of(arguments[2]);
  if (type.empty()) return std::nullopt;
  std::int64_t seconds = kDefaultSeconds;
  if (arguments.size() == 5) {
    const std::string& text = arguments[4];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size() || seconds <= 0 || seconds > 31'536'000)
      return ctl.failed(fmt::format("seconds '{}': expected 1..31536000", text));
  }
  const auto answer = start(ctl, {arguments[1], type, arguments[3], seconds});
  if (!answer) return 1;
  if (answer->ok()) {
    ctl.print("cluster_trace {} {} {} successfully\n", type, arguments[3], arguments[1]);
    return 0;
  }
  ctl.print("[error] cluster_trace {}={} {}: {}\n", type, arguments[3], arguments[1], answer->message());
  return 1;
}

}  // namespace

std::vector<CommandGroup> trace_commands() {
  return {{"trace",
           {{"trace list", "List all traces of this node"},
            {"trace start client <ClientId> [<File> [<Level>]]", "Trace a client"},
            {"trace stop  client <ClientId>", "Stop tracing a client"},
            {"trace start topic <Topic> [<File> [<Level>]]", "Trace a topic"},
            {"trace stop  topic <Topic>", "Stop tracing a topic"},
            {"trace start ip_address <IP> [<File> [<Level>]]", "Trace an address"},
            {"trace stop  ip_address <IP>", "Stop tracing an address"}},
           trace},
          {"traces",
           {{"traces list", "List all cluster traces"},
            {"traces start <Name> client <ClientId> [<Seconds>]", "Trace a client in the cluster"},
            {"traces start <Name> topic <Topic> [<Seconds>]", "Trace a topic in the cluster"},
            {"traces start <Name> ip_address <IP> [<Seconds>]", "Trace an address in the cluster"},
            {"traces stop <Name>", "Stop a trace in the cluster"},
            {"traces delete <Name>", "Delete a trace in the cluster"}},
           traces}};
}

}  // namespace sb::cli
