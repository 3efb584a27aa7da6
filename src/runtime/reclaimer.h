// Reclaimer: frees what lock-free readers may still see, by quiescent states.
//
// Threads: `retire` from anywhere; the calls that take a shard only on that shard. Readers pay nothing: a shard says
// once per loop turn that it holds no protected pointer. An object is destroyed after two full grace periods, because
// pointers also travel in rings between shards: after the first nobody pushes it any more, after the second every ring
// that held it was drained.
//
// A turn of a shard is: drain the inbound rings, work, `quiescent`. What the call vouches for is the epoch that the
// shard saw at its previous call, that is before it began to drain; so entries that arrive during a turn are waited
// for. A shard that keeps entries back to push them later still holds pointers and must not call `quiescent`.
//
// Around a blocking wait a shard calls `offline` and `online`. An offline shard counts as quiescent as long as nothing
// waits in its inbound rings; the `RingsEmpty` predicate answers that (called on any shard, must only read atomics).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace sb::runtime {

class Reclaimer {
 public:
  using Destroy = void (*)(void*);
  using RingsEmpty = std::function<bool(unsigned shard)>;

  /// Every shard counts as running from the start, until it says otherwise.
  explicit Reclaimer(unsigned shards);
  ~Reclaimer();  // destroys whatever is left; no shard may run any more
  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;

  /// Before the shards start. Without it there are no rings.
  void set_rings_empty(RingsEmpty rings_empty) { rings_empty_ = std::move(rings_empty); }

  /// `object` is unlinked already: no new reader can find it.
  void retire(void* object, Destroy destroy);

  /// End of a turn. Costs one load while nothing is retired; destroys a bounded share of what is due.
  void quiescent(unsigned shard) {
    if (pending_.load(std::memory_order_relaxed) != 0) [[unlikely]]
      advance(shard);
  }

  void offline(unsigned shard);
  void online(unsigned shard);

  /// Objects retired and not yet destroyed. A shard that is about to sleep for long may prefer a short timeout if not
  /// 0.
  std::size_t pending() const { return pending_.load(std::memory_order_relaxed); }

 private:
  struct Retired {
    void* object;
    Destroy destroy;
  };
  using Batch = std::vector<Retired>;

  static constexpr std::uint64_t kOffline = ~std::uint64_t{0};
  static constexpr std::size_t kDestroyAtLeast = 256;

  // One cache line a shard: written by it, read by whoever tests for the end of a grace period.
  struct alignas(64) Slot {
    std::atomic<std::uint64_t> seen{0};  // the epoch it vouches for, or kOffline
    std::uint64_t at_turn_start = 0;     // its own: the epoch read before this turn began
    std::uint64_t before_offline = 0;    // its own: what `seen` was
  };

  void advance(unsigned shard);
  bool grace_over();
  void turn_over();

  const unsigned shards_;
  std::unique_ptr<Slot[]> slots_;
  RingsEmpty rings_empty_;
  std::atomic<std::uint64_t> epoch_{1};
  std::atomic<std::size_t> pending_{0};

  std::mutex mutex_;  // guards what follows; taken by writers and, with try_lock, by quiescent shards
  Batch fresh_;       // retired since the running grace period began
  Batch first_;       // waits for the end of its first grace period
  Batch second_;      // waits for the end of its second
  Batch due_;         // may be destroyed
};

}  // namespace sb::runtime
