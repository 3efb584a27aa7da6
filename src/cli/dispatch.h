// The commands of the program `signalbox` (broker.md 15.1): which one was asked for, and all of those that talk to a
// running node instead of being one.
#pragma once

#include "base/result.h"
#include "config/config.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sb::cli {

/// What only app/ can do.
struct Programs {
  /// Runs a node in the foreground; returns the exit code.
  std::function<int(const std::string& config_file)> start;
  /// The authentication mechanisms that are built, for check_config.
  std::function<std::vector<config::AuthnMechanism>()> mechanisms;
  /// The authorization sources that are built, likewise.
  std::function<std::vector<config::AuthzKind>()> sources;
  /// Judges the rest of a configuration, likewise.
  std::function<void(config::Checker&, const config::Value& tree, const config::Config&)> review;
  /// Prints the OpenAPI document; for builds, not for people.
  std::function<int()> openapi;
};

int dispatch(int argc, char** argv, const Programs& programs);

/// The commands themselves, with what follows their name.
int main_ctl(std::vector<std::string> arguments);
int main_bench(const std::vector<std::string>& arguments);

/// Where a node of this machine is found.
struct NodePlace {
  std::string name;
  std::string data_dir;
  std::string socket_path() const { return data_dir + "/ctl.sock"; }
};

/// Takes --config FILE (or -c) and --data-dir DIR out of the front of the arguments and looks up the rest. Fails with
/// what is wrong with the configuration.
[[nodiscard]] Result<NodePlace> take_place(std::vector<std::string>& arguments);

/// The environment of the process, by name.
std::map<std::string, std::string> environment();

}  // namespace sb::cli
