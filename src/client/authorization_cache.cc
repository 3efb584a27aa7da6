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
    clear();
    generation_ = generation;
    return std::nullopt;
  }
  const std::size_t at = place_of(action);
  if (at == kNowhere) return std::nullopt;
  kept_->hit = at;
  const Entry& entry = kept_->entries[at];
  return now_ms - entry.since_ms < settings.ttl_ms ? std::optional(entry.verdict) : std::nullopt;
}

std::size_t AuthorizationCache::place_of(const access::Action& action) const {
  if (!kept_) return kNowhere;
  const std::vector<Entry>& entries = kept_->entries;
  const std::size_t count = entries.size();
  if (count == 0) return kNowhere;
  const std::uint8_t kind = pack(action);
  const auto fits = [&](std::size_t at) {
    const Entry& entry = entries[at];
    return entry.kind == kind && entry.topic == action.topic;
  };
  // Most clients publish to one topic, or to a few by turns: those are found without a hash.
  const std::size_t hit = kept_->hit;
  if (hit < count && fits(hit)) return hit;
  const std::size_t next = hit + 1 < count ? hit + 1 : 0;
  if (fits(next)) return next;
  const std::uint64_t hash = hash_text(action.topic);
  for (std::size_t at = 0; at < count; ++at)
    if (kept_->hashes[at] == hash && fits(at)) return at;
  return kNowhere;
}

void AuthorizationCache::add(const access::Action& action, access::Verdict verdict, std::int64_t now_ms,
                             std::uint64_t generation, const access::Gate::CacheSettings& settings) {
  if (generation != generation_) {
    clear();
    generation_ = generation;
  }
  Entry fresh{std::string(action.topic), now_ms, pack(action), verdict};
  if (const std::size_t at = place_of(action); at != kNowhere) {
    kept_->entries[at] = std::move(fresh);
    return;
  }
  if (settings.max_size == 0) return;
  if (!kept_) kept_ = std::make_unique<Kept>();
  Kept& kept = *kept_;
  const std::uint64_t hash = hash_text(action.topic);
  if (kept.entries.size() < settings.max_size) {
    kept.entries.push_back(std::move(fresh));
    kept.hashes.push_back(hash);
    return;
  }
  const std::size_t at = kept.oldest++ % kept.entries.size();
  kept.entries[at] = std::move(fresh);
  kept.hashes[at] = hash;
}

}  // namespace sb::client
