// What the next messages will read is asked from memory for many of them at once, one step of their way after the other
// (docs/decisions/0008-look-ahead.md). Nothing here changes anything, or decides where a message goes.
#include "base/hash.h"
#include "broker/broker.h"

#include <array>

namespace sb::broker {

namespace {

template <class T>
using Each = std::array<const T*, Router::kAheadMost>;

/// Asks for the memory of an object, which may lie across two lines.
template <class T>
void prefetch_whole(const T* object) {
  __builtin_prefetch(object);
  __builtin_prefetch(reinterpret_cast<const char*>(object + 1) - 1);
}

/// From what has come in the last step to what it names. False: nothing is left.
template <class From, class To, class Next>
bool step(std::size_t count, const Each<From>& from, Each<To>& to, Next&& next) {
  bool any = false;
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = from[i] ? next(*from[i]) : nullptr;
    if (!to[i]) continue;
    any = true;
    prefetch_whole(to[i]);
  }
  return any;
}

/// To the first member of each one's first group.
bool step_to_members(std::size_t count, const Each<Route>& routes, Each<SharedMember>& members) {
  Each<SharedGroupList> lists;
  Each<SharedGroup*> firsts;
  Each<SharedGroup> groups;
  Each<SharedGroup::Members> all;
  Each<SharedMember*> places;
  const auto first = [](const auto& list) { return list.empty() ? nullptr : list.data(); };
  const auto pointed_to = [](const auto* const& pointer) { return pointer; };
  return step(count, routes, lists,
              [](const Route& route) { return static_cast<const SharedGroupList*>(route.groups()); }) &&
         step(count, lists, firsts, first) && step(count, firsts, groups, pointed_to) &&
         step(count, groups, all, [](const SharedGroup& group) { return group.members(); }) &&
         step(count, all, places, first) && step(count, places, members, pointed_to);
}

}  // namespace

const Subscription* Broker::single_local(const Route& route) const {
  Subscription* single = nullptr;
  const auto view = LocalSubscribers::view(route.local(shard_), single);
  return view.size == 1 ? view.data[0] : nullptr;
}

void Broker::look_ahead(std::span<const std::string_view> topics) const {
  const std::size_t count = topics.size();
  std::array<Ahead, Router::kAheadMost> next;
  for (std::size_t i = 0; i < count; ++i) {
    next[i] = {topics[i], hash_text(topics[i])};
    match_cache_.prefetch(next[i].hash);
  }
  core_.router().look_ahead({next.data(), count});
  Each<Route> routes;
  for (std::size_t i = 0; i < count; ++i) routes[i] = next[i].probable;

  Each<Subscription> receivers;
  step(count, routes, receivers, [this](const Route& route) { return single_local(route); });
  Each<SharedMember> members;
  if (step_to_members(count, routes, members)) {
    Each<Subscription> shared;
    step(count, members, shared,
         [this](const SharedMember& one) { return one.shard == shard_ && one.session ? one.subscription : nullptr; });
    for (std::size_t i = 0; i < count; ++i)
      if (!receivers[i]) receivers[i] = shared[i];
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (!receivers[i]) continue;
    receivers[i]->session->prefetch();
    if (receivers[i]->special) __builtin_prefetch(receivers[i]->special.get());
  }
}

// Stages of SpscRing::drain: what crossed lies in memory that the other shard has written, its receiver in such that
// this one has perhaps not touched for long.
void Broker::prefetch(const Crossing& crossing, std::size_t stage) const {
  static_assert(Core::Ring::kStages == 3);
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kMessageLines = 3;
  if (stage == 0) {
    const auto* bytes = reinterpret_cast<const char*>(crossing.message.get());
    for (std::size_t line = 0; line < kMessageLines; ++line) __builtin_prefetch(bytes + line * kLine);
    if (crossing.route) __builtin_prefetch(crossing.route);
    return;
  }
  const Subscription* single = crossing.route ? single_local(*crossing.route) : nullptr;
  if (!single) return;
  if (stage == 1)
    prefetch_whole(single);
  else
    single->session->prefetch();
}

}  // namespace sb::broker
