// Roots of the broker's core: `broker`, `retainer`, `session_persistence`, `sys_topics`, `alarm`, `sysmon`,
// `crl_cache`, `limiter`, `trace`.
#pragma once

#include "config/roots/listener.h"
#include "config/roots/mqtt.h"
#include "config/schema.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sb::config {

enum class RouteSchema : std::uint8_t { V1, V2 };
template <>
struct EnumNames<RouteSchema> {
  static constexpr std::string_view names[] = {"v1", "v2"};
};

struct Broker {
  struct Group {
    SharedStrategy strategy = SharedStrategy::Random;
    static const Struct& schema();
  };
  struct Routing {
    RouteSchema storage_schema = RouteSchema::V2;
    static const Struct& schema();
  };
  bool enable_session_registry = true;
  std::map<std::string, Group> shared_subscription_group;  // by group name
  Routing routing;
  static const Struct& schema();
};

enum class StorageType : std::uint8_t { Ram, Disc };
template <>
struct EnumNames<StorageType> {
  static constexpr std::string_view names[] = {"ram", "disc"};
};

struct Retainer {
  struct FlowControl {
    std::uint32_t batch_read_number = 0;     // 0 = all
    std::uint32_t batch_deliver_number = 0;  // 0 = all
    std::optional<Bucket> batch_deliver_limiter;
    static const Struct& schema();
  };
  struct Backend {
    StorageType storage_type = StorageType::Disc;
    std::uint64_t max_retained_messages = 0;  // 0 = unlimited
    static const Struct& schema();
  };
  bool enable = true;
  milliseconds msg_expiry_interval{};  // 0 = never
  milliseconds msg_clear_interval{};   // 0 = no sweep
  std::uint32_t max_payload_size = 0;  // 0 = unlimited
  bool stop_publish_clear_msg = false;
  std::optional<Rate> delivery_rate;
  FlowControl flow_control;
  Backend backend;
  static const Struct& schema();
};

enum class Durability : std::uint8_t { Relaxed, Process, Power };
template <>
struct EnumNames<Durability> {
  static constexpr std::string_view names[] = {"relaxed", "process", "power"};
};

struct SessionPersistence {
  bool enable = true;
  Durability durability = Durability::Process;
  static const Struct& schema();
};

struct SysTopics {
  struct Events {
    bool client_connected = true, client_disconnected = true, client_subscribed = false, client_unsubscribed = false;
    static const Struct& schema();
  };
  milliseconds sys_msg_interval{};        // 0 = disabled
  milliseconds sys_heartbeat_interval{};  // 0 = disabled
  Events sys_event_messages;
  static const Struct& schema();
};

struct Alarm {
  std::vector<std::string> actions;  // of log, publish
  std::uint32_t size_limit = 0;
  milliseconds validity_period{};
  bool log() const;
  bool publish() const;
  static const Struct& schema();
};

struct Sysmon {
  struct Vm {
    milliseconds process_check_interval{};
    Percent process_high_watermark, process_low_watermark;
    milliseconds long_gc{};        // 0 = disabled
    milliseconds long_schedule{};  // 0 = disabled
    std::uint64_t large_heap = 0;  // 0 = disabled
    bool busy_port = true, busy_dist_port = true;
    static const Struct& schema();
  };
  struct Os {
    milliseconds cpu_check_interval{};
    Percent cpu_high_watermark, cpu_low_watermark;
    milliseconds mem_check_interval{};  // 0 = disabled
    Percent sysmem_high_watermark, procmem_high_watermark;
    static const Struct& schema();
  };
  Vm vm;
  Os os;
  static const Struct& schema();
};

struct CrlCache {
  milliseconds refresh_interval{}, http_timeout{};
  std::uint32_t capacity = 0;
  static const Struct& schema();
};

/// Limits of the whole node.
struct Limiter {
  std::optional<Rate> max_conn_rate, messages_rate, bytes_rate;
  std::optional<Bucket> bytes, messages, connection, message_routing;
  static const Struct& schema();
};

}  // namespace sb::config
