// How many connections the node may hold (the licence). Each shard tells its own number with a plain store; whoever
// asks sums. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace sb::access {

class ConnectionQuota {
 public:
  explicit ConnectionQuota(unsigned shards) : shards_(shards), cells_(std::make_unique<Cell[]>(shards)) {}

  struct Limit {
    /// Connections that are there above this number refuse another one; 0 = no limit.
    std::uint64_t refused_above = 0;
    bool refuse_all = false;
  };
  void set(Limit limit) {
    refuse_all_.store(limit.refuse_all, std::memory_order_relaxed);
    refused_above_.store(limit.refused_above, std::memory_order_relaxed);
  }

  /// On the shard's thread.
  void tell(unsigned shard, std::uint64_t live) { cells_[shard].live.store(live, std::memory_order_relaxed); }

  std::uint64_t live() const {
    std::uint64_t sum = 0;
    for (unsigned id = 0; id < shards_; ++id) sum += cells_[id].live.load(std::memory_order_relaxed);
    return sum;
  }

  /// Whether another connection is one too many; counts and, once a minute at most, logs.
  bool refuses(std::int64_t wall_ms);
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> live{0};
  };
  /// `above` 0: everybody is refused.
  void note(std::int64_t wall_ms, std::uint64_t above);

  unsigned shards_;
  std::unique_ptr<Cell[]> cells_;
  std::atomic<std::uint64_t> refused_above_{0};
  std::atomic<bool> refuse_all_{false};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::int64_t> told_ms_{0};
};

/// What somebody does who meets the limit; said in the log, the banner and the dashboard.
inline constexpr const char* kLiftTheLimit =
    "set license.key = community in the configuration, or run: signalbox ctl license update community";

}  // namespace sb::access
