#include "runtime/reclaimer.h"

#include "base/check.h"

#include <algorithm>

namespace sb::runtime {

Reclaimer::Reclaimer(unsigned shards) : shards_(shards), slots_(std::make_unique<Slot[]>(shards)) {
  SB_CHECK(shards > 0, "a reclaimer needs a shard");
}

Reclaimer::~Reclaimer() {
  for (Batch* batch : {&due_, &second_, &first_, &fresh_})
    for (const Retired& one : *batch) one.destroy(one.object);
}

void Reclaimer::retire(void* object, Destroy destroy) {
  const std::lock_guard lock(mutex_);
  fresh_.push_back({object, destroy});
  pending_.fetch_add(1, std::memory_order_relaxed);
}

void Reclaimer::offline(unsigned shard) {
  Slot& slot = slots_[shard];
  slot.before_offline = slot.seen.load(std::memory_order_relaxed);
  slot.seen.store(kOffline, std::memory_order_release);
}

void Reclaimer::online(unsigned shard) {
  Slot& slot = slots_[shard];
  // Rings may hold entries again, so nothing newer than before is vouched for. The exchange pairs with the
  // compare-exchange in grace_over: either that one sees us online, or we see everything that was unlinked before it
  // ran.
  slot.seen.exchange(slot.before_offline, std::memory_order_acq_rel);
  slot.at_turn_start = epoch_.load(std::memory_order_acquire);
}

bool Reclaimer::grace_over() {
  const std::uint64_t epoch = epoch_.load(std::memory_order_relaxed);
  for (unsigned shard = 0; shard < shards_; ++shard) {
    Slot& slot = slots_[shard];
    const std::uint64_t seen = slot.seen.load(std::memory_order_acquire);
    if (seen != kOffline) {
      if (seen < epoch) return false;
      continue;
    }
    // Rings first, state second: a shard that took an entry out before we looked is online until it is done with it.
    if (rings_empty_ && !rings_empty_(shard)) return false;
    std::uint64_t expected = kOffline;
    if (!slot.seen.compare_exchange_strong(expected, kOffline, std::memory_order_acq_rel)) return false;
  }
  return true;
}

void Reclaimer::turn_over() {
  if (due_.empty()) {
    due_.swap(second_);
  } else {
    due_.insert(due_.end(), second_.begin(), second_.end());
    second_.clear();
  }
  second_.swap(first_);
  first_.swap(fresh_);
  epoch_.fetch_add(1, std::memory_order_acq_rel);  // a new grace period: everybody must pass once more
}

void Reclaimer::advance(unsigned shard) {
  Slot& slot = slots_[shard];
  const std::uint64_t vouched = slot.at_turn_start;
  slot.at_turn_start = epoch_.load(std::memory_order_acquire);
  if (slot.seen.load(std::memory_order_relaxed) != vouched) slot.seen.store(vouched, std::memory_order_release);

  Batch mine;
  {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return;
    if (grace_over()) turn_over();
    // A bounded share, so that a mass unsubscribe does not become one long turn; a share of the whole, so that it ends.
    const std::size_t count = std::min(due_.size(), std::max(kDestroyAtLeast, due_.size() / 8));
    mine.assign(due_.end() - static_cast<std::ptrdiff_t>(count), due_.end());
    due_.resize(due_.size() - count);
    if (due_.empty() && due_.capacity() > kDestroyAtLeast) Batch{}.swap(due_);
  }
  for (const Retired& one : mine) one.destroy(one.object);
  if (!mine.empty()) pending_.fetch_sub(mine.size(), std::memory_order_relaxed);
}

}  // namespace sb::runtime
