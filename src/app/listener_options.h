// From `listeners.*` of the configuration to what the listener set takes: addresses, TLS, WebSocket, limits.
#pragma once

#include "app/shard_listener.h"
#include "client/settings.h"
#include "config/config.h"
#include "driver/certificate_status/service.h"
#include "net/psk_table.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sb::app {

/// What TLS listeners share; outlives the node.
struct ListenerResources {
  explicit ListenerResources(const config::Config& config)
      : certificates({config.crl_cache.refresh_interval, config.crl_cache.http_timeout, config.crl_cache.capacity}) {}
  driver::certificate_status::Service certificates;
  std::shared_ptr<net::PskTable> psk = std::make_shared<net::PskTable>();
  /// Default listeners that were left out because nobody made certificates for them.
  std::vector<std::string> left_out;
  /// Whether the configuration names a listener itself; by "ssl.default".
  std::function<bool(const std::string& path)> is_written = [](const std::string&) { return true; };
};

/// The enabled listeners. An error names the listener, the key and what is wrong.
[[nodiscard]] Result<std::vector<ListenerOptions>> listener_options(const config::Config& config,
                                                                    const std::map<std::string, client::ZoneRef>& zones,
                                                                    ListenerResources& resources);

}  // namespace sb::app
