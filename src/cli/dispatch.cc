#include "cli/dispatch.h"

#include "cli/ctl.h"
#include "cli/license_tool.h"
#include "config/config.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>

namespace sb::cli {

namespace {

/// <prefix>/bin/signalbox; "" when it cannot be told.
std::filesystem::path prefix() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path().parent_path();
}

/// Where `cmake --install` and the package put it; "" where neither did.
std::string installed_config() {
  for (const std::filesystem::path& folder : {prefix(), std::filesystem::path("/")}) {
    const std::string file = folder / "etc/signalbox/signalbox.conf";
    if (access(file.c_str(), R_OK) == 0) return file;
  }
  return {};
}

constexpr std::string_view kUsage =
    "Usage: signalbox COMMAND [--config FILE] [ARGUMENTS]\n"
    "\n"
    "  start         Run a node in the foreground\n"
    "  foreground    The same; also: console\n"
    "  stop          Stop the node in order\n"
    "  ping          Print pong if the node answers\n"
    "  pid           Print the process id of the node\n"
    "  ctl           Ask and steer a running node: signalbox ctl help\n"
    "  check_config  Check the configuration; silent when it is good\n"
    "  config-docs   Print the documentation of every configuration key\n"
    "  license       Make licence keys of your own: signalbox license help\n"
    "  bench         Load a broker: signalbox bench conn|pub|sub --help\n"
    "  root_dir      Print the folder the program is installed in\n"
    "  help          This text\n"
    "  --version     Print the version\n"
    "\n"
    "Without --config FILE: etc/signalbox/signalbox.conf below root_dir or / if it is there, else the defaults. Any "
    "key\n"
    "can be set from the environment: SIGNALBOX_NODE__DATA_DIR=/srv/mqtt sets node.data_dir.\n";

int usage(std::FILE* to, int code) {
  std::fwrite(kUsage.data(), 1, kUsage.size(), to);
  return code;
}

/// Takes `--config FILE`, `--config=FILE` or `-c FILE` out of the front; the installed file otherwise.
std::string take_config(std::vector<std::string>& arguments) {
  std::string out;
  while (!arguments.empty()) {
    constexpr std::string_view kLong = "--config=";
    if ((arguments[0] == "--config" || arguments[0] == "-c") && arguments.size() > 1) {
      out = arguments[1];
      arguments.erase(arguments.begin(), arguments.begin() + 2);
    } else if (arguments[0].starts_with(kLong)) {
      out = arguments[0].substr(kLong.size());
      arguments.erase(arguments.begin());
    } else {
      break;
    }
  }
  return out.empty() ? installed_config() : out;
}

int not_answering(const NodePlace& place, const Error& why) {
  std::fprintf(stderr, "%s\n", no_answer(place.name, why).c_str());
  return 1;
}

/// What is left behind the options. A word too much may be a file that was meant to be checked.
int refuse_rest(const std::string& command, const std::vector<std::string>& rest) {
  const bool option = rest[0] == "--config" || rest[0] == "-c" || rest[0] == "--data-dir";
  std::fprintf(stderr, option ? "signalbox %s: %s: a value is expected\n" : "signalbox %s: unknown argument '%s'\n",
               command.c_str(), rest[0].c_str());
  return 1;
}

int check_config(std::vector<std::string> arguments, const Programs& programs) {
  config::LoadOptions options;
  if (programs.mechanisms) options.built_authn = programs.mechanisms();
  if (programs.sources) options.built_authz = programs.sources();
  options.review = programs.review;
  options.main_file = take_config(arguments);
  if (!arguments.empty()) return refuse_rest("check_config", arguments);
  options.env = environment();
  std::string output;
  const int code = config::check_config(options, output);
  std::fputs(output.c_str(), stderr);
  return code;
}

/// The process id a node tells.
Result<pid_t> pid_of(HttpClient& client) {
  SB_TRY(const HttpAnswer answer, client.ask("GET", "/api/v5/nodes"));
  const json::value nodes = answer.parsed();
  const auto* list = nodes.if_array();
  pid_t pid = 0;
  if (answer.ok() && list && !list->empty() && list->front().is_object())
    pid = static_cast<pid_t>(number_of(list->front().get_object(), "pid"));
  if (pid <= 0) return fail(Errc::Corrupt, "no process id in the answer");
  return pid;
}

std::chrono::seconds wait_limit() {
  for (const char* name : {"SIGNALBOX_WAIT_FOR_STOP", "EMQX_WAIT_FOR_STOP"}) {
    const char* text = std::getenv(name);
    int seconds = 0;
    if (!text) continue;
    const auto [end, error] = std::from_chars(text, text + std::strlen(text), seconds);
    if (error == std::errc() && *end == '\0' && seconds > 0 && seconds < 86400) return std::chrono::seconds(seconds);
  }
  return std::chrono::seconds(120);
}

int stop(const NodePlace& place) {
  HttpClient client(place.socket_path());
  const auto pid = pid_of(client);
  if (!pid) return not_answering(place, pid.error());
  const auto answer = client.ask("POST", "/api/v5/local/stop");
  if (!answer || !answer->ok()) {
    std::fprintf(stderr, "Node '%s' does not stop: %s\n", place.name.c_str(),
                 answer ? answer->message().c_str() : answer.error().what.c_str());
    return 1;
  }
  pollfd ended{static_cast<int>(syscall(SYS_pidfd_open, *pid, 0)), POLLIN, 0};
  // No descriptor: it has ended already.
  const bool gone = ended.fd < 0 || poll(&ended, 1, static_cast<int>(wait_limit().count()) * 1000) == 1;
  if (ended.fd >= 0) close(ended.fd);
  if (!gone) {
    std::fprintf(stderr, "Node '%s' (process %d) is still stopping\n", place.name.c_str(), static_cast<int>(*pid));
    return 1;
  }
  std::printf("ok\n");
  return 0;
}

int ask_node(const std::string& command, std::vector<std::string> arguments) {
  const auto place = take_place(arguments);
  if (!place) {
    std::fprintf(stderr, "%s\n", place.error().what.c_str());
    return 1;
  }
  if (!arguments.empty()) return refuse_rest(command, arguments);
  if (command == "stop") return stop(*place);
  HttpClient client(place->socket_path(), Millis(5000));
  const auto pid = pid_of(client);
  if (!pid) return not_answering(*place, pid.error());
  if (command == "ping")
    std::printf("pong\n");
  else
    std::printf("%d\n", static_cast<int>(*pid));
  return 0;
}

}  // namespace

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text(*entry);
    if (const auto equals = text.find('='); equals != std::string_view::npos)
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

Result<NodePlace> take_place(std::vector<std::string>& arguments) {
  NodePlace place{"signalbox@127.0.0.1", {}};
  if (arguments.size() > 1 && arguments[0] == "--data-dir") {
    place.data_dir = arguments[1];
    arguments.erase(arguments.begin(), arguments.begin() + 2);
    return place;
  }
  config::LoadOptions options;
  options.skip_access = true;
  options.main_file = take_config(arguments);
  options.env = environment();
  const config::Loaded loaded = config::load(options);
  // The node that runs does so with an older state of the file: a mistake must not keep it from being asked or stopped.
  auto found = config::place_of(loaded, options);
  if (!found) {
    std::string output;
    config::report(loaded, output);
    return fail(Errc::Invalid, output);
  }
  place.name = std::move(found->name);
  place.data_dir = std::move(found->data_dir);
  return place;
}

int main_ctl(std::vector<std::string> arguments) {
  const auto place = take_place(arguments);
  if (!place) {
    std::fprintf(stderr, "%s\n", place.error().what.c_str());
    return 1;
  }
  HttpClient client(place->socket_path());
  return Ctl(client, place->name, std::cout, std::cerr).run(std::move(arguments));
}

int dispatch(int argc, char** argv, const Programs& programs) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  if (arguments.empty()) return usage(stderr, 1);
  const std::string command = arguments.front();
  arguments.erase(arguments.begin());
  const bool help = !arguments.empty() && (arguments[0] == "help" || arguments[0] == "--help");
  if (command == "ctl") return main_ctl(std::move(arguments));
  if (command == "bench") return main_bench(arguments);
  if (command == "license") return main_license(arguments);
  if (command == "help" || command == "--help" || command == "-h" || help) return usage(stdout, 0);
  if (command == "--version" || command == "version" || command == "versions") {
    std::printf("%s\n", SB_VERSION);
    return 0;
  }
  if (command == "start" || command == "foreground" || command == "console") {
    const std::string file = take_config(arguments);
    if (!arguments.empty()) return refuse_rest(command, arguments);
    return programs.start(file);
  }
  if (command == "stop" || command == "ping" || command == "pid") return ask_node(command, std::move(arguments));
  if (command == "openapi" && programs.openapi) return programs.openapi();
  if (command == "config-docs") {
    std::fputs(config::document_schema().c_str(), stdout);
    return 0;
  }
  if (command == "root_dir") {
    std::printf("%s\n", prefix().c_str());
    return prefix().empty() ? 1 : 0;
  }
  if (command == "check_config") return check_config(std::move(arguments), programs);
  for (const char* other : {"console_clean", "remote_console", "attach", "ertspath", "rpc", "rpcterms", "eval",
                            "eval-ex", "escript", "upgrade", "downgrade", "install", "uninstall", "unpack"})
    if (command == other) {
      std::fprintf(stderr, "signalbox %s: not supported\n", other);
      return 1;
    }
  std::fprintf(stderr, "signalbox: unknown command '%s'\n\n", command.c_str());
  return usage(stderr, 1);
}

}  // namespace sb::cli
