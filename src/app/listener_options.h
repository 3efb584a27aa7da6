// From `listeners.*` of the configuration to what the listener set takes: addresses, TLS, WebSocket, limits.
#pragma once

#include "app/shard_listener.h"
#include "client/settings.h"
#include "config/config.h"
#include "driver/certificate_status/service.h"
#include "net/psk_table.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sb::app {

/// What TLS listeners share; outlives the node.
struct ListenerResources {
  explicit ListenerResources(const config::Config& config)
      : certificates({config.crl_cache.refresh_interval, config.crl_cache.http_timeout, config.crl_cache.capacity}) {}
  driver::certificate_status::Service certificates;
  std::shared_ptr<net::PskTable> psk = std::make_shared<net::PskTable>();
  /// Default listeners that were left out, of the last configuration, because nobody made certificates for them.
  std::vector<std::string> left_out;
};

/// The node's level of the limiter.
client::LimitRates node_limits(const config::Config& config);

/// Reads the keys of `psk_authentication` where it is enabled. Known identities get the new key, none is removed.
[[nodiscard]] Result<> import_psk(const config::Config& config, ListenerResources& resources);

/// Certificates, versions and ciphers of `from`; without the keys of PSK.
[[nodiscard]] Result<net::TlsOptions> tls_options(const config::ServerTls& from, ListenerResources& resources);

/// What a listener with these options would refuse to start for.
struct TlsProblem {
  std::string key;  // below ssl_options: "certfile", "ocsp.issuer_pem"; empty: none in particular
  std::string why;
};
/// Reads the files; nothing is kept or begun. `psk`: whether pre-shared keys are served beside.
std::optional<TlsProblem> review_tls(const config::ServerTls& tls, bool psk);
/// A default listener that nobody wrote down and nobody made certificates for.
bool left_out(const config::Listener& listener);

/// A failure of TLS, with the key of the listener that it is about: "listeners.ssl.x.ssl_options.certfile = ...".
Error bad_tls(const config::Config& config, const std::string& listener, const Error& error);

/// The listeners, those that are not enabled too. An error names the listener, the key and what is wrong.
[[nodiscard]] Result<std::vector<ListenerOptions>> listener_options(const config::Config& config,
                                                                    const std::map<std::string, client::ZoneRef>& zones,
                                                                    ListenerResources& resources);

}  // namespace sb::app
