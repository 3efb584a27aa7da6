#include "client/authorization_cache.h"

namespace sb::client {

std::size_t AuthorizationCache::place_of(const access::Action& action) const {
  const Kept& kept = *kept_;
  const std::uint8_t tag = tag_of(action);
  const std::uint8_t* const begin = kept.tags.data();
  const std::uint8_t* const end = begin + kept.tags.size();
  for (const std::uint8_t* at = begin; at != end; ++at) {
    at = static_cast<const std::uint8_t*>(std::memchr(at, tag, static_cast<std::size_t>(end - at)));
    if (!at) break;
    const auto place = static_cast<std::size_t>(at - begin);
    if (fits(kept.entries[place], action)) return place;
  }
  return kNowhere;
}

void AuthorizationCache::add(const access::Action& action, access::Verdict verdict, Nanos now, std::uint64_t generation,
                             const access::Gate::CacheSettings& settings) {
  if (kept_ && kept_->generation != generation) kept_.reset();
  if (settings.max_size == 0) return;
  if (!kept_) kept_ = std::make_unique<Kept>();
  Kept& kept = *kept_;
  kept.generation = generation;
  kept.ttl = Millis(settings.ttl_ms);
  Entry fresh{std::string(action.topic), now, pack(action), verdict};
  if (const std::size_t at = place_of(action); at != kNowhere) {
    kept.entries[at] = std::move(fresh);
    return;
  }
  if (kept.entries.size() < settings.max_size) {
    kept.entries.push_back(std::move(fresh));
    kept.tags.push_back(tag_of(action));
    return;
  }
  const std::size_t at = kept.oldest++ % kept.entries.size();
  kept.entries[at] = std::move(fresh);
  kept.tags[at] = tag_of(action);
}

}  // namespace sb::client
