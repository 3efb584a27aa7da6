// `mqtt`: the protocol's options. Each may be repeated in zones.<name>.mqtt.
#pragma once

#include "config/schema.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sb::config {

enum class SharedStrategy : std::uint8_t {
  Random,
  RoundRobin,
  RoundRobinPerGroup,
  Sticky,
  Local,
  HashTopic,
  HashClientid
};
template <>
struct EnumNames<SharedStrategy> {
  static constexpr std::string_view names[] = {"random", "round_robin", "round_robin_per_group", "sticky",
                                               "local",  "hash_topic",  "hash_clientid"};
};

/// Which part of the client's certificate becomes its user name or client id.
enum class PeerCertAs : std::uint8_t { Disabled, Cn, Dn, Crt, Pem, Md5 };
template <>
struct EnumNames<PeerCertAs> {
  static constexpr std::string_view names[] = {"disabled", "cn", "dn", "crt", "pem", "md5"};
};

enum class QueueDefaultPriority : std::uint8_t { Lowest, Highest };
template <>
struct EnumNames<QueueDefaultPriority> {
  static constexpr std::string_view names[] = {"lowest", "highest"};
};

struct Mqtt {
  milliseconds idle_timeout{};  // kForever = infinity
  std::uint32_t max_packet_size = 0;
  std::uint16_t max_clientid_len = 0;
  std::uint16_t max_topic_levels = 0;
  std::uint16_t max_topic_alias = 0;
  bool retain_available = false;
  bool wildcard_subscription = false;
  bool shared_subscription = false;
  SharedStrategy shared_subscription_strategy = SharedStrategy::RoundRobin;
  bool exclusive_subscription = false;
  bool ignore_loop_deliver = false;
  bool strict_mode = false;
  std::string response_information;
  std::uint16_t server_keepalive = 0;  // seconds; 0 = disabled
  double keepalive_multiplier = 1.5;
  milliseconds retry_interval{};  // kForever = never on a live connection
  bool use_username_as_clientid = false;
  PeerCertAs peer_cert_as_username = PeerCertAs::Disabled;
  PeerCertAs peer_cert_as_clientid = PeerCertAs::Disabled;
  milliseconds session_expiry_interval{};
  std::uint32_t max_awaiting_rel = 0;  // kInfinity32 = infinity; 0 counts as that too
  milliseconds await_rel_timeout{};
  std::uint8_t max_qos_allowed = 2;
  std::map<std::string, std::uint8_t> mqueue_priorities;  // exact topic -> 1..255; empty = disabled
  QueueDefaultPriority mqueue_default_priority = QueueDefaultPriority::Lowest;
  bool mqueue_store_qos0 = false;
  std::uint32_t max_mqueue_len = 0;    // 0 or kInfinity32 = infinity
  std::uint64_t max_mqueue_bytes = 0;  // 0 or kInfinity = infinity
  std::uint16_t max_inflight = 0;
  std::uint32_t max_subscriptions = 0;  // kInfinity32 = infinity
  bool upgrade_qos = false;

  static const Struct& schema();
};

}  // namespace sb::config
