// One topic filter of one session. Address-stable while subscribed; belongs to the session's shard.
#pragma once

#include "base/hash.h"
#include "base/mqtt_types.h"
#include "broker/router.h"
#include "broker/shared_group.h"

#include <memory>
#include <string>
#include <string_view>

namespace sb::broker {

class Session;

struct Subscription {
  Session* session = nullptr;
  Route* route = nullptr;
  std::uint32_t position = 0;  // in the route's local list
  SubscribeOptions options;
  /// Kinds other than a plain filter, which need more room.
  struct Special {
    std::string full;  // canonical_filter(): "$share/g/f", "$queue/f", "$exclusive/f"
    SharedGroup* group = nullptr;
    SharedMember* member = nullptr;
    bool exclusive = false;
  };
  std::unique_ptr<Special> special;

  /// The key everywhere: the full text, group included (broker.md 8.1).
  std::string_view filter() const { return special ? std::string_view(special->full) : route->filter(); }
  bool shared() const { return special && special->group; }
};

struct SubscriptionHash {
  using is_transparent = void;
  using is_avalanching = void;
  std::size_t operator()(std::string_view filter) const noexcept { return hash_text(filter); }
  std::size_t operator()(const Subscription* s) const noexcept { return hash_text(s->filter()); }
};
struct SubscriptionEqual {
  using is_transparent = void;
  bool operator()(const Subscription* a, const Subscription* b) const noexcept { return a == b; }
  bool operator()(std::string_view a, const Subscription* b) const noexcept { return a == b->filter(); }
  bool operator()(const Subscription* a, std::string_view b) const noexcept { return a->filter() == b; }
};

/// The subscribers of one route on one shard, kept in Route::local: one pointer for one subscriber, a list for more.
class LocalSubscribers {
 public:
  static void add(Route& route, unsigned shard, Subscription& subscription);
  /// True when none is left.
  static bool remove(Route& route, unsigned shard, Subscription& subscription);
  struct View {
    Subscription* const* data;
    std::size_t size;
  };
  /// `single` is storage for the one-subscriber case.
  static View view(void* slot, Subscription*& single) {
    if (!slot) return {nullptr, 0};
    const auto word = reinterpret_cast<std::uintptr_t>(slot);
    if (word & 1U) {
      const auto* list = reinterpret_cast<const std::vector<Subscription*>*>(word & ~std::uintptr_t{1});
      return {list->data(), list->size()};
    }
    single = static_cast<Subscription*>(slot);
    return {&single, 1};
  }
};

}  // namespace sb::broker
