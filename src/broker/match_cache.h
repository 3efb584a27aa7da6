// Recently matched topics of one shard. Valid as long as no route was linked or unlinked; correctness does not depend
// on it, only speed. A topic enters at its second miss in a row for its slot, so that a stream of ever new topics costs
// one comparison. What is long does not enter: entries stay, and anybody may publish to long topics.
#pragma once

#include "base/hash.h"
#include "broker/router.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sb::broker {

class MatchCache {
 public:
  static constexpr std::size_t kSlots = 4096;
  static constexpr std::size_t kTopicMax = 1024;  // bytes
  static constexpr std::size_t kRoutesMax = 256;

  /// Routes matching `topic`, from the cache or by asking the router; valid until the next call.
  std::span<Route* const> match(const Router& router, std::string_view topic, RouteList& scratch);

  /// `hash`: hash_text() of a topic that will be asked for soon.
  void prefetch(std::uint64_t hash) const {
    if (!slots_) return;
    __builtin_prefetch(&slots_[hash & (kSlots - 1)]);
    __builtin_prefetch(&last_miss_[hash & (kSlots - 1)], 1);
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint64_t generation = ~std::uint64_t{0};
    std::string topic;
    std::vector<Route*> routes;
  };
  std::unique_ptr<Slot[]> slots_;
  std::unique_ptr<std::uint64_t[]> last_miss_;
};

}  // namespace sb::broker
