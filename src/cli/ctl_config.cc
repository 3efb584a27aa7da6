// conf
#include "cli/ctl.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <fstream>
#include <sstream>

namespace sb::cli {

namespace {

using Arguments = Ctl::Arguments;

/// --merge or --replace, taken out of the arguments; merge if neither is there.
std::string take_mode(Arguments& arguments) {
  std::string mode = "merge";
  for (const char* option : {"--merge", "--replace"}) {
    const auto at = std::find(arguments.begin(), arguments.end(), option);
    if (at == arguments.end()) continue;
    mode = option + 2;
    arguments.erase(at);
  }
  return mode;
}

int applied(Ctl& ctl, const std::optional<HttpAnswer>& answer, std::string_view what) {
  if (!ctl.accept(answer)) return 1;
  const json::value value = answer->parsed();
  if (ctl.json()) {
    ctl.print_json(value);
    return 0;
  }
  for (const auto& root : value.at("roots").as_array())
    ctl.print("{} {} ok\n", what, std::string_view(root.as_string()));
  for (const auto& root : value.at("after_restart").as_array())
    ctl.print("{}: takes effect after a restart\n", std::string_view(root.as_string()));
  return 0;
}

/// A single node has no transactions of a cluster: nothing waits, nothing is behind.
std::optional<int> cluster_sync(Ctl& ctl, const Arguments& arguments) {
  if (arguments.empty()) return std::nullopt;
  const std::string& word = arguments[0];
  const std::size_t most = word == "status"                    ? 1
                           : word == "skip" || word == "tnxid" ? 2
                           : word == "fast_forward"            ? 3
                                                               : 0;
  if (arguments.size() > most || (word == "tnxid" && arguments.size() != 2)) return std::nullopt;
  if (!ctl.get("/api/v5/status?format=json")) return 1;
  if (word == "tnxid")
    return ctl.failed(fmt::format("Error: transaction {} not found; a single node keeps none", arguments[1]));
  if (arguments.size() > 1 && arguments[1] != ctl.node())
    return ctl.failed(fmt::format("Error: node not found: {}", arguments[1]));
  if (ctl.json()) {
    ctl.print_json(json::array());
    return 0;
  }
  const std::string rule(47, '-');
  ctl.print("{}\n{}\n", rule, rule);
  return 0;
}

std::optional<int> conf(Ctl& ctl, const Arguments& given) {
  Arguments arguments = given;
  if (arguments.empty()) return std::nullopt;
  const std::string command = arguments[0];
  arguments.erase(arguments.begin());
  if (command == "show" && arguments.size() <= 1) {
    const std::string query = arguments.empty() ? std::string() : "?key=" + percent_encode(arguments[0]);
    const auto answer = ctl.ask("GET", "/api/v5/configs" + query);
    if (!ctl.accept(answer)) return 1;
    ctl.write(answer->body);
    if (!answer->body.ends_with('\n')) ctl.write("\n");
    return 0;
  }
  if (command == "show_keys" && arguments.empty()) {
    const auto keys = ctl.get("/api/v5/local/config_keys");
    if (!keys) return 1;
    if (ctl.json()) {
      ctl.print_json(*keys);
      return 0;
    }
    for (const auto& key : keys->as_array()) ctl.print("{}\n", std::string_view(key.as_string()));
    return 0;
  }
  if (command == "cluster_sync") return cluster_sync(ctl, arguments);
  const std::string mode = take_mode(arguments);
  if (command == "reload" && arguments.empty())
    return applied(ctl, ctl.ask("POST", "/api/v5/local/config_reload?mode=" + mode), "reload");
  if (command != "load" || arguments.size() != 1) return std::nullopt;
  std::ifstream file(arguments[0]);
  if (!file) return ctl.failed(fmt::format("{}: cannot be read", arguments[0]));
  std::stringstream content;
  content << file.rdbuf();
  const auto answer = ctl.ask("PUT", "/api/v5/configs?mode=" + mode, content.str(), "text/plain");
  if (!ctl.accept(answer)) return 1;
  const json::value value = answer->parsed();
  if (ctl.json()) return applied(ctl, answer, {});
  for (const auto& root : value.at("roots").as_array())
    ctl.print("load {} on cluster ok\n", std::string_view(root.as_string()));
  for (const auto& root : value.at("after_restart").as_array())
    ctl.print("{}: takes effect after a restart\n", std::string_view(root.as_string()));
  return 0;
}

}  // namespace

std::vector<CommandGroup> config_commands() {
  return {
      {"conf",
       {{"conf show_keys", "Print all config keys"},
        {"conf show [<key>]", "Print in-use configs under the given key"},
        {"conf load --merge <path>", "Load a HOCON file, merging into what is in use"},
        {"conf load --replace <path>", "Load a HOCON file, replacing the roots it names"},
        {"conf reload --merge", "Read the main file again, merging into what is in use"},
        {"conf reload --replace", "Read the main file again, replacing the roots it names"},
        {"conf cluster_sync status", "Show configuration changes that the cluster has not applied: none on one node"},
        {"conf cluster_sync skip [<Node>]", "Skip the one that failed: none on one node"},
        {"conf cluster_sync tnxid <Id>", "Show one of them"},
        {"conf cluster_sync fast_forward [<Node>] [<Id>]", "Apply up to one of them: none on one node"}},
       conf}};
}

}  // namespace sb::cli
