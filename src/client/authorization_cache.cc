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
  hit_ = at;
  const Entry& entry = entries_[at];
  return now_ms - entry.since_ms < settings.ttl_ms ? std::optional(entry.verdict) : std::nullopt;
}

std::size_t AuthorizationCache::place_of(const access::Action& action) const {
  const std::size_t count = entries_.size();
  if (count == 0) return kNowhere;
  const std::uint8_t kind = pack(action);
  const auto fits = [&](std::size_t at) {
    const Entry& entry = entries_[at];
    return entry.kind == kind && entry.topic == action.topic;
  };
  // Most clients publish to one topic, or to a few by turns: those are found without a hash.
  if (hit_ < count && fits(hit_)) return hit_;
  const std::size_t next = hit_ + 1 < count ? hit_ + 1 : 0;
  if (fits(next)) return next;
  const std::uint64_t hash = hash_text(action.topic);
  for (std::size_t at = 0; at < count; ++at)
    if (hashes_[at] == hash && fits(at)) return at;
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
    entries_[at] = std::move(fresh);
    return;
  }
  const std::uint64_t hash = hash_text(action.topic);
  if (entries_.size() < settings.max_size) {
    entries_.push_back(std::move(fresh));
    hashes_.push_back(hash);
    return;
  }
  if (entries_.empty()) return;
  const std::size_t at = oldest_++ % entries_.size();
  entries_[at] = std::move(fresh);
  hashes_[at] = hash;
}

}  // namespace sb::client
