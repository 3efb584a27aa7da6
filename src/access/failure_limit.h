// Slows down who guesses passwords: counts failed authentications by address and turns an address away for a while when
// it had too many. One for the node, thread safe; nothing is looked up while no address is blocked. Bounded:
// kAddressesMax addresses are remembered, and the one whose window began first makes room.
#pragma once

#include "base/clock.h"
#include "base/hash.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace sb::access {

/// authentication_failure_limit
struct FailureLimitSettings {
  bool enable = false;
  std::uint32_t max_failures = 100;
  Millis window{60'000};
  Millis block_time{60'000};
};

class FailureLimiter {
 public:
  static constexpr std::size_t kAddressesMax = 1 << 16;

  bool blocked(std::string_view address, std::int64_t now_ms) const { return blocked_for(address, now_ms) > 0; }
  /// Milliseconds that are left of its block; 0: it is not blocked.
  std::int64_t blocked_for(std::string_view address, std::int64_t now_ms) const;
  /// True if this failure is the one that blocks the address.
  bool count(std::string_view address, std::int64_t now_ms, const FailureLimitSettings& settings);
  /// After a success, where that forgives: log-ins of the management interface.
  void forget(std::string_view address);
  /// Forgets windows and blocks that are over.
  void sweep(std::int64_t now_ms);
  void clear();

 private:
  struct Entry {
    std::int64_t window_ends_ms = 0;
    std::int64_t blocked_until_ms = 0;
    std::uint32_t failures = 0;
  };
  bool over(const Entry& entry, std::int64_t now_ms) const {
    return entry.window_ends_ms <= now_ms && entry.blocked_until_ms <= now_ms;
  }
  mutable std::mutex mutex_;  // guards entries_
  boost::unordered_flat_map<std::string, Entry, TextHash, TextEqual> entries_;
  std::atomic<std::int64_t> blocked_until_ms_{0};  // of the last one
};

}  // namespace sb::access
