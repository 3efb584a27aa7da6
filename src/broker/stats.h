// Gauges of the node (broker.md 14.2). Each shard writes its share once a second into a cell of its own; any thread
// reads sums and high-water marks.
#pragma once

#include "broker/broker.h"
#include "runtime/timer_wheel.h"

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sb::broker {

// enumerator, name without ".count"
#define SB_GAUGES(X)                             \
  X(Connections, "connections")                  \
  X(LiveConnections, "live_connections")         \
  X(Channels, "channels")                        \
  X(Sessions, "sessions")                        \
  X(Topics, "topics")                            \
  X(Suboptions, "suboptions")                    \
  X(Subscriptions, "subscriptions")              \
  X(Subscribers, "subscribers")                  \
  X(SharedSubscriptions, "subscriptions.shared") \
  X(Retained, "retained")                        \
  X(Delayed, "delayed")

enum class Gauge : std::uint8_t {
#define SB_GAUGE_ENUM(id, name) id,
  SB_GAUGES(SB_GAUGE_ENUM)
#undef SB_GAUGE_ENUM
      Count
};
constexpr std::size_t kGaugeCount = static_cast<std::size_t>(Gauge::Count);
std::string_view to_string(Gauge gauge);

class Stats {
 public:
  explicit Stats(Core& core);
  ~Stats();
  Stats(const Stats&) = delete;
  Stats& operator=(const Stats&) = delete;

  /// Once per shard, before it runs. `live` tells the open connections of the shard, on its thread.
  void join(Broker& broker, std::function<std::uint64_t()> live);
  /// Where a gauge of the whole node comes from (delayed); before the shards run. Called on shard 0.
  void set_source(Gauge gauge, std::function<std::uint64_t()> source);

  std::uint64_t count(Gauge gauge) const {
    return counts_[static_cast<std::size_t>(gauge)].load(std::memory_order_relaxed);
  }
  std::uint64_t max(Gauge gauge) const {
    return maxima_[static_cast<std::size_t>(gauge)].load(std::memory_order_relaxed);
  }
  /// "connections.count", "connections.max", ... sorted by name.
  std::vector<std::pair<std::string, std::uint64_t>> list() const;

  static constexpr Nanos kPeriod{1'000'000'000};

 private:
  class ShardCells;
  void collect();  // on shard 0

  Core& core_;
  std::vector<std::unique_ptr<ShardCells>> shards_;
  std::array<std::function<std::uint64_t()>, kGaugeCount> sources_;
  std::array<std::atomic<std::uint64_t>, kGaugeCount> counts_{};
  std::array<std::atomic<std::uint64_t>, kGaugeCount> maxima_{};
};

}  // namespace sb::broker
