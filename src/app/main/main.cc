#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "app/start.h"
#include "config/config.h"

/// Gives memory back after a burst instead of keeping it for ever.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:1000";
}

namespace {

constexpr std::string_view kUsage =
    "usage: signalbox COMMAND\n"
    "  start --config FILE         run in the foreground\n"
    "  foreground --config FILE    the same\n"
    "  check_config --config FILE  check the configuration; silent when it is good\n"
    "  --version                   print the version\n";

std::string config_file(int argc, char** argv) {
  for (int i = 2; i + 1 < argc; ++i)
    if (std::string_view(argv[i]) == "--config" || std::string_view(argv[i]) == "-c") return argv[i + 1];
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "--version") {
    std::printf("%s\n", SB_VERSION);
    return 0;
  }
  if (command == "start" || command == "foreground") return sb::app::start(config_file(argc, argv));
  if (command == "check_config") {
    sb::config::LoadOptions options;
    options.main_file = config_file(argc, argv);
    std::string output;
    const int code = sb::config::check_config(options, output);
    std::fputs(output.c_str(), stderr);
    return code;
  }
  std::fwrite(kUsage.data(), 1, kUsage.size(), stderr);
  return 1;
}
