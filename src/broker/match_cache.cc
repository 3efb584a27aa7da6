#include "broker/match_cache.h"

namespace sb::broker {

namespace {
std::span<Route* const> ask(const Router& router, std::string_view topic, RouteList& scratch) {
  scratch.clear();
  router.match(topic, scratch);
  return {scratch.begin(), scratch.end()};
}
}  // namespace

std::span<Route* const> MatchCache::match(const Router& router, std::string_view topic, RouteList& scratch) {
  if (topic.size() > kTopicMax) [[unlikely]]
    return ask(router, topic, scratch);
  if (!slots_) {
    slots_ = std::make_unique<Slot[]>(kSlots);
    last_miss_ = std::make_unique<std::uint64_t[]>(kSlots);
  }
  const std::uint64_t hash = hash_text(topic);
  const std::size_t index = hash & (kSlots - 1);
  Slot& slot = slots_[index];
  const std::uint64_t generation = router.generation();
  const bool same_topic = slot.hash == hash && slot.topic == topic;
  if (same_topic && slot.generation == generation) return slot.routes;
  if (!same_topic && last_miss_[index] != hash) {
    last_miss_[index] = hash;
    return ask(router, topic, scratch);
  }
  const std::span<Route* const> routes = ask(router, topic, scratch);
  if (routes.size() > kRoutesMax) [[unlikely]] {
    if (same_topic) slot = {};
    return routes;
  }
  if (!same_topic) {
    slot.hash = hash;
    slot.topic = topic;
  }
  // The generation was read before the match: a route linked in between makes the entry stale, never wrong.
  slot.generation = generation;
  slot.routes.assign(routes.begin(), routes.end());
  return slot.routes;
}

}  // namespace sb::broker
