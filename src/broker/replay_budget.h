// How many retained messages a second the node may replay (retainer.delivery_rate): one token bucket for all shards, as
// a time at which it will be full again. Any thread.
#pragma once

#include "base/clock.h"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace sb::broker {

class ReplayBudget {
 public:
  /// 0 per second = no limit. What a second brings, and `burst` more, may go at once.
  void set(double per_second, double burst) {
    const double cost = per_second > 0 ? 1e9 / per_second : 0;
    capacity_ns_.store(static_cast<std::int64_t>(std::max(1e9, cost) + burst * cost), std::memory_order_relaxed);
    cost_ns_.store(static_cast<std::int64_t>(cost), std::memory_order_relaxed);
  }
  bool limits() const { return cost_ns_.load(std::memory_order_relaxed) > 0; }
  /// Until one token is there; 0 = now.
  Nanos wait(Nanos now) const {
    const std::int64_t cost = cost_ns_.load(std::memory_order_relaxed);
    if (cost == 0) return Nanos{0};
    const std::int64_t ahead = full_at_ns_.load(std::memory_order_relaxed) - now.count();
    return Nanos{std::max<std::int64_t>(0, ahead + cost - capacity_ns_.load(std::memory_order_relaxed))};
  }
  /// Takes one token, also one that is not there yet.
  void take(Nanos now) {
    const std::int64_t cost = cost_ns_.load(std::memory_order_relaxed);
    if (cost == 0) return;
    std::int64_t old = full_at_ns_.load(std::memory_order_relaxed);
    while (!full_at_ns_.compare_exchange_weak(old, std::max(old, now.count()) + cost, std::memory_order_relaxed)) {
    }
  }

 private:
  std::atomic<std::int64_t> cost_ns_{0};
  std::atomic<std::int64_t> capacity_ns_{0};
  std::atomic<std::int64_t> full_at_ns_{0};
};

}  // namespace sb::broker
