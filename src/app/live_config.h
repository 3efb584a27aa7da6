// Brings a changed configuration into force on a running node: listeners, zones, limits, access control, modules, the
// log. All of it, or nothing: what cannot be had leaves the node as it was (config.md 8). Belongs to the management
// thread.
#pragma once

#include "app/listener_options.h"
#include "app/node.h"
#include "config/config.h"
#include "telemetry/logger.h"

#include <functional>
#include <string>
#include <vector>

namespace sb::app {

class LiveConfig {
 public:
  /// `resources` and `log` may be null: then TLS shares nothing, and the log stays as it is.
  LiveConfig(Node& node, ListenerResources* resources, telemetry::LogControl* log)
      : node_(node), resources_(resources), log_(log) {}

  /// A subscriber of config::ConfigStore. An error names key, value and what was expected.
  [[nodiscard]] Result<> apply(const config::Config& before, const config::Config& after,
                               const std::vector<std::string>& roots);

  /// Access control anew from the configuration that is in force: a file that it reads has changed.
  [[nodiscard]] Result<> refresh_access(const config::Config& now);

 private:
  /// What takes a step back again; run in reverse.
  using Undo = std::vector<std::function<Result<>()>>;
  [[nodiscard]] Result<> change(const config::Config& before, const config::Config& after,
                                const std::vector<std::string>& roots, Undo& undo);
  [[nodiscard]] Result<> change_listeners(const config::Config& before, const config::Config& after, bool all_tls,
                                          Undo& undo);
  /// Updates listeners whose new addresses others of them may hold.
  [[nodiscard]] Result<> exchange(const std::vector<const ListenerOptions*>& takers, const config::Config& after,
                                  Undo& undo);
  [[nodiscard]] Result<> add(const config::Config& after, const ListenerOptions& options, Undo& undo);
  [[nodiscard]] Result<> update(const config::Config& after, const ListenerOptions& options, Undo& undo);
  [[nodiscard]] Result<> remove(const std::string& id, Undo& undo);

  Node& node_;
  ListenerResources* resources_;
  telemetry::LogControl* log_;
};

}  // namespace sb::app
