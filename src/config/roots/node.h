// `node`, `cluster`, `rpc`: read-only while the node runs.
#pragma once

#include "config/schema.h"

#include <string>
#include <vector>

namespace sb::config {

enum class NodeRole : std::uint8_t { Core, Replicant };
template <>
struct EnumNames<NodeRole> {
  static constexpr std::string_view names[] = {"core", "replicant"};
};

/// Most event loops that a node can have.
inline constexpr std::uint32_t kShardsMax = 64;

struct Node {
  std::string name;  // short@host
  Secret cookie;
  std::string data_dir;
  std::uint32_t max_ports = 0;
  milliseconds global_gc_interval{};  // zero = disabled
  NodeRole role = NodeRole::Core;
  std::uint32_t broker_pool_size = 0;   // 0 = by cores
  std::uint32_t generic_pool_size = 0;  // 0 = by cores

  std::uint32_t shards = 0;       // 0 = hardware threads
  microseconds coalesce{};        // 0 = off
  Percent memory_high_watermark;  // share of memory above which connections are refused
  static const Struct& schema();
};

enum class Discovery : std::uint8_t { Manual, Static, Dns, Etcd, K8s };
template <>
struct EnumNames<Discovery> {
  static constexpr std::string_view names[] = {"manual", "static", "dns", "etcd", "k8s"};
};

struct Cluster {
  std::string name;
  Discovery discovery_strategy = Discovery::Manual;
  std::vector<std::string> core_nodes;
  milliseconds autoclean{};
  bool autoheal = true;
  static const Struct& schema();

  struct Static {
    std::vector<std::string> seeds;
    static const Struct& schema();
  } static_nodes;
};

enum class RpcMode : std::uint8_t { Async, Sync };
template <>
struct EnumNames<RpcMode> {
  static constexpr std::string_view names[] = {"async", "sync"};
};

struct Rpc {
  RpcMode mode = RpcMode::Async;
  static const Struct& schema();
};

}  // namespace sb::config
