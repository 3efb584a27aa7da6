// What a connection takes from its zone and listener, ready to use on a shard. Immutable snapshots: a change of the
// configuration makes new ones, live connections keep theirs as config.md's "hot" column says.
#pragma once

#include "base/clock.h"
#include "base/mqtt_types.h"
#include "broker/session_settings.h"
#include "net/rate.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace sb::client {

/// peer_cert_as_username, peer_cert_as_clientid
enum class CertificateField : std::uint8_t { Disabled, CommonName, Dn, Der, Pem, Md5 };

/// Effective `mqtt` and guards of one zone.
struct ZoneSettings {
  std::string name = "default";
  Millis idle_timeout{15'000};  // 0 = none
  std::uint32_t max_packet_size = 1 << 20;
  std::uint32_t max_clientid_len = 65535;
  std::uint32_t max_topic_levels = 128;
  std::uint16_t max_topic_alias = 65535;
  Qos max_qos = Qos::ExactlyOnce;
  bool retain_available = true;
  bool wildcard_subscription = true;
  bool shared_subscription = true;
  bool exclusive_subscription = false;
  bool ignore_loop_deliver = false;
  bool strict_mode = false;
  bool use_username_as_clientid = false;
  CertificateField cert_as_username = CertificateField::Disabled;
  CertificateField cert_as_clientid = CertificateField::Disabled;
  std::string response_information;
  std::uint16_t server_keepalive_s = 0;  // 0 = the client's
  double keepalive_multiplier = 1.5;
  std::uint32_t session_expiry_s = 7200;  // v3 with clean session 0
  std::uint16_t max_inflight = 32;
  /// force_shutdown.max_heap_size (config 7.6): unsent output of one connection beyond this ends it and its session;
  /// 0 = off.
  std::size_t force_shutdown_bytes = 32 << 20;
  /// force_shutdown.max_mailbox_size: a connection to which so many answers are owed, because they wait for the disk or
  /// another shard, is not read until half of them are given; 0 = off. It is held up rather than ended, since what it
  /// sends can be: messages to it that wait are in the session's bounded queue.
  std::uint32_t max_unanswered = 1000;
  /// conn_congestion
  bool congestion_alarm = true;
  Millis congestion_sustain{60'000};
  /// overload_protection.enable and backoff_new_conn
  bool overload_closes_new = false;
  /// overload_protection.enable and backoff_delay: an overloaded shard looks at CONNECT this much later; 0 = at once.
  Millis overload_delay{0};
  broker::SessionSettingsRef session = std::make_shared<const broker::SessionSettings>();
  friend bool operator==(const ZoneSettings&, const ZoneSettings&) = default;
};
using ZoneRef = std::shared_ptr<const ZoneSettings>;
/// What a live connection goes on with when its zone has changed: `live`, with the keys of `fresh` that take effect at
/// once. `live` itself where they are the same.
ZoneRef in_force(const ZoneRef& live, const ZoneRef& fresh);

/// enable_authn of a listener
enum class AuthnMode : std::uint8_t { On, Off, QuickDenyAnonymous };

/// One listener as its connections see it.
struct ListenerSettings {
  std::string id;  // "tcp:default"
  std::string mountpoint;
  ZoneRef zone;
  AuthnMode authn = AuthnMode::On;
  std::uint64_t max_connections = 0;  // 0 = unlimited
  std::size_t high_watermark = 1 << 20;
  Millis send_timeout{15'000};
  std::uint16_t port = 0;
  bool websocket = false;
  Millis handshake_timeout{15'000};  // of TLS and of the WebSocket upgrade
  Millis websocket_idle_timeout{0};  // without any frame; 0 = none
  net::Rate bytes_rate;              // of each connection, inbound
  net::Rate messages_rate;
  net::Rate routing_rate;  // messages routed for each connection
};
using ListenerRef = std::shared_ptr<const ListenerSettings>;

/// Rates of one level of the limiter's hierarchy (broker.md 17.1).
struct LimitRates {
  net::Rate connections{};
  net::Rate bytes{};
  net::Rate messages{};
  net::Rate routing{};  // one for each publish and one for each receiver
};

/// Their buckets. Any thread.
struct SharedLimits {
  net::SharedBucket connections;
  net::SharedBucket bytes;
  net::SharedBucket messages;
  net::SharedBucket routing;
  void set(const LimitRates& rates);
  /// Whether anything limits the connections of this level once they are there.
  bool limit_traffic() const { return bytes.limits() || messages.limits() || routing.limits(); }
};

/// Live numbers and shared limits of one listener over all shards; outlives its connections. Any thread.
class ListenerState {
 public:
  explicit ListenerState(std::shared_ptr<SharedLimits> node = std::make_shared<SharedLimits>())
      : node_limits(std::move(node)) {}

  /// Counts a connection; false: there are `limit` (0 = no limit) already, and nothing is counted.
  bool enter(std::uint64_t limit);
  void leave() { connections_.fetch_sub(1, std::memory_order_relaxed); }
  /// `shutdown_count` of `ctl listeners`: how connections ended.
  void count_end(std::string_view reason);

  std::uint64_t connections() const { return connections_.load(std::memory_order_relaxed); }
  std::uint64_t connections_max() const { return connections_max_.load(std::memory_order_relaxed); }
  std::map<std::string, std::uint64_t> ends() const;

  SharedLimits limits;
  const std::shared_ptr<SharedLimits> node_limits;  // owned by the node's listeners together

 private:
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<std::uint64_t> connections_max_{0};
  mutable std::mutex mutex_;  // guards ends_; held once a connection
  std::map<std::string, std::uint64_t, std::less<>> ends_;
};

}  // namespace sb::client
