// The management plane of a node put together: service, endpoint table, the socket <data_dir>/ctl.sock, and the
// configuration that can change at run time. Made between the node's construction and its start; stopped before the
// node stops; destroyed after it stopped.
#pragma once

#include "app/live_config.h"
#include "app/management_ports.h"
#include "config/store.h"
#include "http/table.h"
#include "http/unix_server.h"
#include "management/backup.h"
#include "management/licence.h"
#include "management/service.h"
#include "telemetry/logger.h"

#include <functional>
#include <memory>
#include <optional>

namespace sb::app {

struct ManagementOptions {
  std::string data_dir;
  /// Without: the configuration cannot be seen nor changed.
  std::optional<config::Loaded> loaded{};
  config::LoadOptions load_options{};
  telemetry::LogControl* log = nullptr;    // follows `log`; outlives this
  ListenerResources* resources = nullptr;  // without: listeners do not follow the configuration; outlives this
  std::function<void()> stop{};            // asks the process to end
};

class Management {
 public:
  Management(Node& node, ManagementOptions options);
  ~Management();
  Management(const Management&) = delete;
  Management& operator=(const Management&) = delete;

  /// After the node has started.
  [[nodiscard]] Result<> start();
  void stop();

  management::Service& service() { return *service_; }
  const http::Table& table() const { return table_; }
  const management::Licence& licence() const { return licence_; }
  static std::string socket_path(const std::string& data_dir) { return data_dir + "/ctl.sock"; }

 private:
  LiveConfig live_;
  SystemClock clock_;
  management::Licence licence_;
  NodeListeners listeners_;
  std::unique_ptr<NodeDelayed> delayed_;
  std::unique_ptr<NodeTopicMetrics> topic_metrics_;
  std::unique_ptr<NodeTraces> traces_;
  std::unique_ptr<NodeSlowSubscriptions> slow_subscriptions_;
  std::unique_ptr<config::ConfigStore> config_;
  std::unique_ptr<management::Backup> backup_;
  std::unique_ptr<management::Service> service_;
  http::Table table_;
  std::unique_ptr<http::UnixServer> server_;  // on the management thread
  std::string socket_path_;
};

}  // namespace sb::app
