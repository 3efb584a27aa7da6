#include "access/failure_limit.h"

#include <algorithm>

namespace sb::access {

std::int64_t FailureLimiter::blocked_for(std::string_view address, std::int64_t now_ms) const {
  if (blocked_until_ms_.load(std::memory_order_relaxed) <= now_ms) return 0;
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find(address);
  return found == entries_.end() ? 0 : std::max<std::int64_t>(found->second.blocked_until_ms - now_ms, 0);
}

bool FailureLimiter::count(std::string_view address, std::int64_t now_ms, const FailureLimitSettings& settings) {
  const std::lock_guard guard(mutex_);
  auto found = entries_.find(address);
  if (found == entries_.end()) {
    if (entries_.size() >= kAddressesMax) {
      const auto oldest = std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
        return std::max(a.second.window_ends_ms, a.second.blocked_until_ms) <
               std::max(b.second.window_ends_ms, b.second.blocked_until_ms);
      });
      entries_.erase(oldest);
    }
    found = entries_.emplace(std::string(address), Entry{}).first;
  }
  Entry& entry = found->second;
  if (entry.window_ends_ms <= now_ms) {
    entry.window_ends_ms = now_ms + settings.window.count();
    entry.failures = 0;
  }
  if (++entry.failures < settings.max_failures || entry.blocked_until_ms > now_ms) return false;
  entry.blocked_until_ms = now_ms + settings.block_time.count();
  entry.window_ends_ms = now_ms;  // counting begins anew when the block is over
  blocked_until_ms_.store(std::max(entry.blocked_until_ms, blocked_until_ms_.load(std::memory_order_relaxed)),
                          std::memory_order_relaxed);
  return true;
}

void FailureLimiter::forget(std::string_view address) {
  const std::lock_guard lock(mutex_);
  entries_.erase(address);
}

void FailureLimiter::sweep(std::int64_t now_ms) {
  const std::lock_guard guard(mutex_);
  erase_if(entries_, [&](const auto& entry) { return over(entry.second, now_ms); });
}

void FailureLimiter::clear() {
  const std::lock_guard guard(mutex_);
  entries_.clear();
  blocked_until_ms_.store(0, std::memory_order_relaxed);
}

}  // namespace sb::access
