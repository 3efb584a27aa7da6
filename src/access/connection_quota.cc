#include "access/connection_quota.h"

#include "base/log.h"

namespace sb::access {

bool ConnectionQuota::refuses(std::int64_t wall_ms) {
  const std::uint64_t above = refused_above_.load(std::memory_order_relaxed);
  const bool all = refuse_all_.load(std::memory_order_relaxed);
  if (!all && (above == 0 || live() <= above)) return false;
  refused_.fetch_add(1, std::memory_order_relaxed);
  note(wall_ms, all ? 0 : above);
  return true;
}

void ConnectionQuota::note(std::int64_t wall_ms, std::uint64_t above) {
  constexpr std::int64_t kQuietMs = 60'000;
  std::int64_t told = told_ms_.load(std::memory_order_relaxed);
  if (told != 0 && wall_ms - told < kQuietMs && wall_ms >= told) return;
  if (!told_ms_.compare_exchange_strong(told, wall_ms)) return;  // another shard tells
  if (above == 0)
    SB_LOG(log::Level::Warning, "license_expired", kv("refused", refused()), kv("to_lift_it", kLiftTheLimit));
  else
    SB_LOG(log::Level::Warning, "license_limit_reached", kv("connections", live()), kv("refused_above", above),
           kv("refused", refused()), kv("to_lift_it", kLiftTheLimit));
}

}  // namespace sb::access
