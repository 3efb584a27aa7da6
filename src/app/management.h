// The management plane of a node put together: service, endpoint table, the socket <data_dir>/ctl.sock, the listeners
// of `dashboard`, and the configuration that can change at run time. Made between the node's construction and its
// start; stopped before the node stops; destroyed after it stopped.
#pragma once

#include "app/access_gate.h"
#include "app/audit_trail.h"
#include "app/certificate_watch.h"
#include "app/live_config.h"
#include "app/management_network.h"
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
  telemetry::LogControl* log = nullptr;       // follows `log`; outlives this
  ListenerResources* resources = nullptr;     // without: listeners do not follow the configuration; outlives this
  std::function<void()> stop{};               // asks the process to end
  const http::AssetSource* assets = nullptr;  // pages of the dashboard; outlives this
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
  /// Where the network finds it: "http://0.0.0.0:18083".
  const std::vector<std::string>& addresses() const { return addresses_; }
  /// The user who still has the password that everybody knows; "" = none.
  const std::string& first_user() const { return first_user_; }
  static std::string socket_path(const std::string& data_dir) { return data_dir + "/ctl.sock"; }

 private:
  [[nodiscard]] Result<> open_accounts();
  [[nodiscard]] Result<> open_sockets();
  [[nodiscard]] Result<> follow(const config::Config& before, const config::Config& after,
                                const std::vector<std::string>& roots);

  Node& node_;
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
  std::unique_ptr<AccessGate> gate_;
  std::unique_ptr<AuditTrail> audit_;
  // On the management thread.
  std::unique_ptr<http::UnixServer> server_;
  std::unique_ptr<ManagementNetwork> network_;
  std::unique_ptr<CertificateWatch> certificates_;
  std::string data_dir_;
  ListenerResources* resources_;
  const http::AssetSource* assets_;
  bool http_written_ = true;  // some layer of the configuration asks for the HTTP listener
  std::vector<std::string> addresses_;
  std::string first_user_;
};

}  // namespace sb::app
