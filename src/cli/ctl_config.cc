// conf
#include "cli/ctl.h"
#include "config/hocon.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <filesystem>
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

/// What a node that stands alone says: a change is applied when it is answered, so that none ever waits.
std::optional<int> cluster_sync(Ctl& ctl, const Arguments& arguments) {
  if (arguments == Arguments{"status"}) {
    if (!ctl.get("/api/v5/cluster")) return 1;
    if (ctl.json()) {
      ctl.print_json(json::array{json::object{{"node", ctl.node()}, {"tnx_id", 0}, {"waiting", 0}}});
      return 0;
    }
    constexpr std::size_t kLine = 47;
    const std::string line(kLine, '-');
    ctl.print("{}\n{}:[0] no change waits\n{}\n", line, ctl.node(), line);
    return 0;
  }
  const bool skip = !arguments.empty() && arguments.size() <= 2 && arguments[0] == "skip";
  const bool forward = !arguments.empty() && arguments.size() <= 3 && arguments[0] == "fast_forward";
  if (skip || forward) return ctl.failed("no change waits");
  if (arguments.size() == 2 && arguments[0] == "tnxid")
    return ctl.failed(fmt::format("no change {} is kept", arguments[1]));
  return std::nullopt;
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
    if (ctl.json()) {
      config::Problems problems;
      const config::Value value = config::parse_document(answer->body, "answer", problems);
      if (!problems.empty()) return ctl.failed("the node's answer is no HOCON");
      ctl.print_json(json::parse(config::to_json(value)));
      return 0;
    }
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
  std::error_code error;
  if (file.bad() || std::filesystem::is_directory(arguments[0], error))
    return ctl.failed(fmt::format("{}: cannot be read", arguments[0]));
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
  return {{"conf",
           {{"conf show_keys", "Print all config keys"},
            {"conf show [<key>]", "Print in-use configs under the given key"},
            {"conf load --merge <path>", "Load a HOCON file, merging into what is in use"},
            {"conf load --replace <path>", "Load a HOCON file, replacing the roots it names"},
            {"conf reload --merge", "Read the main file again, merging into what is in use"},
            {"conf reload --replace", "Read the main file again, replacing the roots it names"},
            {"conf cluster_sync status", "Show whether changes wait on a node of the cluster"},
            {"conf cluster_sync skip [<Node>]", "Pass over the change that a node cannot apply"},
            {"conf cluster_sync tnxid <Id>", "Show a change"},
            {"conf cluster_sync fast_forward [<Node>] [<Id>]", "Pass over changes up to one"}},
           conf}};
}

}  // namespace sb::cli
