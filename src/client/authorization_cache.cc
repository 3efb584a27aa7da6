#include "client/authorization_cache.h"

#include "base/hash.h"

namespace sb::client {

std::uint8_t AuthorizationCache::pack(const access::Action& action) {
  return static_cast<std::uint8_t>((action.kind == access::ActionKind::Publish ? 0 : 8) | (to_int(action.qos) << 1) |
                                   (action.retain ? 1 : 0));
}

std::optional<access::Verdict> AuthorizationCache::find(const access::Action& action, std::int64_t now_ms,
                                                        std::uint64_t generation,
                                                        const access::Gate::CacheSettings& settings) {
  if (generation != generation_) {
    entries_.clear();
    oldest_ = 0;
    generation_ = generation;
    return std::nullopt;
  }
  const std::uint64_t hash = hash_text(action.topic);
  const std::uint8_t kind = pack(action);
  for (const Entry& entry : entries_)
    if (entry.hash == hash && entry.kind == kind && entry.topic == action.topic)
      return now_ms - entry.since_ms < settings.ttl_ms ? std::optional(entry.verdict) : std::nullopt;
  return std::nullopt;
}

void AuthorizationCache::add(const access::Action& action, access::Verdict verdict, std::int64_t now_ms,
                             std::uint64_t generation, const access::Gate::CacheSettings& settings) {
  if (generation != generation_) {
    entries_.clear();
    oldest_ = 0;
    generation_ = generation;
  }
  Entry fresh{hash_text(action.topic), std::string(action.topic), now_ms, pack(action), verdict};
  for (Entry& entry : entries_)
    if (entry.hash == fresh.hash && entry.kind == fresh.kind && entry.topic == fresh.topic) {
      entry = std::move(fresh);
      return;
    }
  if (entries_.size() < settings.max_size) {
    entries_.push_back(std::move(fresh));
    return;
  }
  if (entries_.empty()) return;
  entries_[oldest_++ % entries_.size()] = std::move(fresh);
}

}  // namespace sb::client
