// Where the management interface listens on the network: `dashboard.listeners`, its TLS, what is served beside the
// endpoint table, and CORS. Belongs to the management thread.
#pragma once

#include "app/listener_options.h"
#include "config/config.h"
#include "http/assets.h"
#include "http/net_server.h"
#include "http/table.h"
#include "runtime/loop.h"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sb::app {

class ManagementNetwork final : private runtime::Timer {
 public:
  /// `assets` and `resources` may be null; everything outlives this.
  ManagementNetwork(runtime::Loop& loop, const http::Table& table, const http::AssetSource* assets,
                    ListenerResources* resources);
  ~ManagementNetwork();

  /// Opens, changes and closes listeners so that they are as configured. An error names the key; then nothing has
  /// changed. A listener that no file asks for is left out when its port is taken.
  [[nodiscard]] Result<> apply(const config::Config& config, bool http_written = true);
  /// Reads certificate files anew for the handshakes to come.
  [[nodiscard]] Result<> reload_certificates();

  /// Of what listens: "http://127.0.0.1:18083".
  std::vector<std::string> addresses() const;
  /// What a request gets, by path.
  void serve(http::Request request, http::Reply reply) const;

 private:
  struct Listener {
    config::DashboardListener settings{};
    std::unique_ptr<http::NetServer> server{};
  };
  void on_timer() override;
  [[nodiscard]] Result<> change(bool tls, const config::DashboardListener& wanted);
  void restore(const std::array<config::DashboardListener, 2>& before);
  [[nodiscard]] Result<std::unique_ptr<http::NetServer>> open(bool tls, const config::DashboardListener& wanted);
  [[nodiscard]] Result<std::shared_ptr<const net::TlsContext>> make_tls(const config::DashboardListener& wanted);
  void retire(std::unique_ptr<http::NetServer> server);
  std::int64_t newest_certificate() const;

  runtime::Loop& loop_;
  const http::Table& table_;
  const http::AssetSource* assets_;
  ListenerResources* resources_;
  std::array<Listener, 2> listeners_;  // http, https
  std::vector<std::unique_ptr<http::NetServer>> retired_;
  std::int64_t certificates_ns_ = 0;  // the newest change of their files
  bool cors_ = false;
  bool docs_ = true;
};

}  // namespace sb::app
