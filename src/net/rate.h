// Token buckets (broker.md 17.1) in their time form: a bucket is the moment at which it will be full again, so it needs
// no refill tick. Capacity is one second of the rate plus the burst.
#pragma once

#include "base/clock.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

namespace sb::net {

struct Rate {
  double per_second = 0;  // 0 = infinity
  double burst = 0;
  bool limits() const { return per_second > 0; }
  friend bool operator==(const Rate&, const Rate&) = default;
};

/// Tokens of a bucket that does not limit.
inline constexpr double kUnlimited = std::numeric_limits<double>::infinity();

/// Of one owner, on one shard.
class Bucket {
 public:
  explicit Bucket(const Rate& rate)
      : per_token_ns_(rate.limits() ? 1e9 / rate.per_second : 0), capacity_ns_(1e9 + rate.burst * per_token_ns_) {}
  /// Until one token is there; 0: now.
  Nanos wait(Nanos now) const {
    if (per_token_ns_ == 0) return Nanos{0};
    const double ahead = full_at_ns_ - static_cast<double>(now.count()) + per_token_ns_;
    return Nanos{static_cast<std::int64_t>(std::max(0.0, ahead - std::max(per_token_ns_, capacity_ns_)))};
  }
  /// Tokens that are there.
  double available(Nanos now) const {
    if (per_token_ns_ == 0) return kUnlimited;
    return std::max(0.0, capacity_ns_ - std::max(0.0, full_at_ns_ - static_cast<double>(now.count()))) / per_token_ns_;
  }
  /// Takes `tokens`, even more than there are; returns how long the owner must wait until the debt is paid.
  Nanos take(Nanos now, double tokens) {
    full_at_ns_ = std::max(full_at_ns_, static_cast<double>(now.count())) + tokens * per_token_ns_;
    return Nanos{
        static_cast<std::int64_t>(std::max(0.0, full_at_ns_ - static_cast<double>(now.count()) - capacity_ns_))};
  }

 private:
  double per_token_ns_;
  double capacity_ns_;
  double full_at_ns_ = 0;
};

/// One for all shards; the rate may change while it is in use.
class SharedBucket {
 public:
  SharedBucket() = default;
  explicit SharedBucket(const Rate& rate) { set(rate); }
  void set(const Rate& rate) {
    const double per_token = rate.limits() ? 1e9 / rate.per_second : 0;
    per_token_ns_.store(per_token, std::memory_order_relaxed);
    capacity_ns_.store(static_cast<std::int64_t>(1e9 + rate.burst * per_token), std::memory_order_relaxed);
  }
  /// Until one token is there; 0: now.
  Nanos wait(Nanos now) const {
    const auto per_token = static_cast<std::int64_t>(per_token_ns_.load(std::memory_order_relaxed));
    if (per_token == 0) return Nanos{0};
    const std::int64_t ahead = full_at_ns_.load(std::memory_order_relaxed) - now.count();
    return Nanos{std::max<std::int64_t>(
        0, ahead + per_token - std::max(per_token, capacity_ns_.load(std::memory_order_relaxed)))};
  }
  bool limits() const { return per_token_ns_.load(std::memory_order_relaxed) > 0; }
  /// Tokens that are there.
  double available(Nanos now) const {
    const double per_token = per_token_ns_.load(std::memory_order_relaxed);
    if (per_token == 0) return kUnlimited;
    const std::int64_t ahead = std::max<std::int64_t>(0, full_at_ns_.load(std::memory_order_relaxed) - now.count());
    const std::int64_t left = capacity_ns_.load(std::memory_order_relaxed) - ahead;
    return static_cast<double>(std::max<std::int64_t>(0, left)) / per_token;
  }
  /// Takes `tokens`, even more than there are; returns how long the taker must wait until the debt is paid.
  Nanos take(Nanos now, double tokens = 1) {
    const double per_token = per_token_ns_.load(std::memory_order_relaxed);
    if (per_token == 0) return Nanos{0};
    const auto cost = static_cast<std::int64_t>(tokens * per_token);
    std::int64_t old = full_at_ns_.load(std::memory_order_relaxed);
    std::int64_t next = 0;
    do {
      next = std::max(old, now.count()) + cost;
    } while (!full_at_ns_.compare_exchange_weak(old, next, std::memory_order_relaxed));
    return Nanos{std::max<std::int64_t>(0, next - now.count() - capacity_ns_.load(std::memory_order_relaxed))};
  }

 private:
  std::atomic<double> per_token_ns_{0};  // a byte may cost less than a nanosecond
  std::atomic<std::int64_t> capacity_ns_{0};
  std::atomic<std::int64_t> full_at_ns_{0};
};

}  // namespace sb::net
