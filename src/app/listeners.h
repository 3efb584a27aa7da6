// The listeners of a node: opened, changed, stopped and removed while it runs, without hurting the connections of
// others (config.md 6.8). Called from any thread but the shards' own, one call at a time; the work on the shards is
// posted there.
#pragma once

#include "app/shard_listener.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sb::app {

class Shard;

/// What `ctl listeners` and the REST resource show of one.
struct ListenerInfo {
  std::string id;
  net::Endpoint bind;  // where it listens, or would
  unsigned acceptors = 0;
  bool enabled = true;
  bool proxy_protocol = false;
  bool running = false;
  std::uint64_t connections = 0;
  std::uint64_t connections_max = 0;    // most at a time
  std::uint64_t connections_limit = 0;  // 0 = infinity
  std::map<std::string, std::uint64_t> shutdown_count;
};

class Listeners {
 public:
  explicit Listeners(std::vector<Shard*> shards);

  /// Opens it if it is enabled. Errc::Exists: the id is taken, or the address (named in the text).
  [[nodiscard]] Result<> add(ListenerOptions options);
  /// Puts new options in place: live connections stay, except where the address of a TCP or TLS listener or its backlog
  /// changes, or it is disabled. When the new ones cannot be had, the old ones stay.
  [[nodiscard]] Result<> update(ListenerOptions options);
  [[nodiscard]] Result<> start(const std::string& id);
  /// Connections of the listener end.
  [[nodiscard]] Result<> stop(const std::string& id);
  /// Gives its address up until an update or a start; connections end as they do when that address changes.
  [[nodiscard]] Result<> vacate(const std::string& id);
  [[nodiscard]] Result<> restart(const std::string& id);
  [[nodiscard]] Result<> remove(const std::string& id);
  /// Reads certificate files anew for the handshakes to come (`ctl pem_cache clean`). Listeners whose files are bad
  /// keep what they have; the first problem is returned.
  [[nodiscard]] Result<> reload_certificates();
  /// The same for listeners whose files have changed since they were read. Certificate and key are seldom replaced in
  /// the same moment: what does not fit is tried again by the next call, and told of once.
  void reload_changed_certificates();
  /// The node's level of the limiter.
  void set_node_limits(const client::LimitRates& rates) { node_limits_->set(rates); }
  /// What new connections get of changed zones. Every name that a listener uses is there, or else "default".
  void set_zones(const std::map<std::string, client::ZoneRef>& zones);

  /// Whether its certificates can be used, without changing anything.
  [[nodiscard]] static Result<> check_tls(const ListenerOptions& options);
  std::optional<ListenerOptions> options(const std::string& id) const;

  std::vector<ListenerInfo> list() const;
  std::optional<net::Endpoint> bound(const std::string& id) const;

 private:
  struct Entry {
    ListenerOptions options;
    std::shared_ptr<client::ListenerState> state;
    std::shared_ptr<const net::TlsContext> tls;
    std::string refused;                 // what certificate files were told to be bad
    std::optional<net::Endpoint> bound;  // set while it listens
    net::Endpoint shown;
  };
  [[nodiscard]] Result<Entry*> find(const std::string& id);
  [[nodiscard]] static Result<std::shared_ptr<const net::TlsContext>> make_tls(const ListenerOptions& options);
  ListenerSnapshot snapshot(const Entry& entry, std::uint16_t port) const;
  [[nodiscard]] Result<> open(Entry& entry);
  void close(Entry& entry, bool drop_connections);
  void refresh(const Entry& entry);
  [[nodiscard]] Result<> reload(Entry& entry);

  mutable std::mutex mutex_;  // guards entries_; held while shards answer, never taken by them
  std::vector<Shard*> shards_;
  std::shared_ptr<client::SharedLimits> node_limits_ = std::make_shared<client::SharedLimits>();
  std::map<std::string, Entry> entries_;
};

}  // namespace sb::app
