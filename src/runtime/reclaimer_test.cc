// check: allow new in this file: objects are freed by the reclaimer under test
#include "runtime/reclaimer.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace sb::runtime {
namespace {

struct Probe {
  int destroyed = 0;
  static void destroy(void* probe) { ++static_cast<Probe*>(probe)->destroyed; }
};

// Turns of every shard in `shards`, `count` times.
void turns(Reclaimer& reclaimer, std::initializer_list<unsigned> shards, int count) {
  for (int i = 0; i < count; ++i)
    for (const unsigned shard : shards) reclaimer.quiescent(shard);
}

TEST(Reclaimer, DestroysOnlyAfterTwoPassesOfASingleShard) {
  Probe probe;
  Reclaimer reclaimer(1);
  reclaimer.quiescent(0);
  reclaimer.retire(&probe, Probe::destroy);
  EXPECT_EQ(reclaimer.pending(), 1u);
  reclaimer.quiescent(0);
  EXPECT_EQ(probe.destroyed, 0);
  reclaimer.quiescent(0);
  EXPECT_EQ(probe.destroyed, 0);
  turns(reclaimer, {0}, 6);
  EXPECT_EQ(probe.destroyed, 1);
  EXPECT_EQ(reclaimer.pending(), 0u);
}

TEST(Reclaimer, WaitsForEveryShard) {
  Probe probe;
  Reclaimer reclaimer(3);
  reclaimer.retire(&probe, Probe::destroy);
  turns(reclaimer, {0, 1}, 20);
  EXPECT_EQ(probe.destroyed, 0);
  turns(reclaimer, {0, 1, 2}, 8);
  EXPECT_EQ(probe.destroyed, 1);
}

TEST(Reclaimer, AShardThatStopsInTheSecondGracePeriodHoldsTheObject) {
  Probe probe;
  Reclaimer reclaimer(2);
  reclaimer.retire(&probe, Probe::destroy);
  turns(reclaimer, {0, 1}, 2);
  reclaimer.quiescent(0);
  ASSERT_EQ(probe.destroyed, 0);
  turns(reclaimer, {0}, 50);
  EXPECT_EQ(probe.destroyed, 0);
  turns(reclaimer, {1, 0}, 8);
  EXPECT_EQ(probe.destroyed, 1);
}

TEST(Reclaimer, AnOfflineShardHoldsNothingUp) {
  Probe probe;
  Reclaimer reclaimer(2);
  reclaimer.offline(1);
  reclaimer.retire(&probe, Probe::destroy);
  turns(reclaimer, {0}, 8);
  EXPECT_EQ(probe.destroyed, 1);
}

TEST(Reclaimer, AnOfflineShardWithEntriesInItsRingsIsWaitedFor) {
  Probe probe;
  bool empty = false;
  Reclaimer reclaimer(2);
  reclaimer.set_rings_empty([&](unsigned shard) { return shard != 1 || empty; });
  reclaimer.offline(1);
  reclaimer.retire(&probe, Probe::destroy);
  turns(reclaimer, {0}, 20);
  EXPECT_EQ(probe.destroyed, 0);
  reclaimer.online(1);  // wakes up, is about to drain
  turns(reclaimer, {0}, 20);
  EXPECT_EQ(probe.destroyed, 0);
  empty = true;
  turns(reclaimer, {1, 0}, 8);
  EXPECT_EQ(probe.destroyed, 1);
}

TEST(Reclaimer, ComingOnlineVouchesForNothing) {
  Probe probe;
  Reclaimer reclaimer(2);
  reclaimer.offline(1);
  reclaimer.online(1);
  reclaimer.retire(&probe, Probe::destroy);
  turns(reclaimer, {0}, 20);
  EXPECT_EQ(probe.destroyed, 0);
  reclaimer.offline(1);
  turns(reclaimer, {0}, 8);
  EXPECT_EQ(probe.destroyed, 1);
}

TEST(Reclaimer, DestroysALargeBatchInBoundedShares) {
  Reclaimer reclaimer(1);
  std::vector<Probe> probes(5000);
  for (Probe& probe : probes) reclaimer.retire(&probe, Probe::destroy);
  std::size_t before = reclaimer.pending();
  std::size_t largest = 0;
  for (int i = 0; i < 200 && before > 0; ++i) {
    reclaimer.quiescent(0);
    largest = std::max(largest, before - reclaimer.pending());
    before = reclaimer.pending();
  }
  EXPECT_EQ(before, 0u);
  EXPECT_LE(largest, 5000u / 8);
  for (const Probe& probe : probes) EXPECT_EQ(probe.destroyed, 1);
}

TEST(Reclaimer, DestroysWhatIsLeftWithItself) {
  Probe probe;
  { Reclaimer(2).retire(&probe, Probe::destroy); }
  EXPECT_EQ(probe.destroyed, 1);
}

// Shards pass pointers on through a ring of one entry each and read through them a turn later; the object is poisoned
// when destroyed. Sleeping shards go offline in between.
TEST(Reclaimer, NeverFreesWhatTravelsBetweenShards) {
  constexpr unsigned kShards = 3;
  constexpr std::uint64_t kAlive = 0x1234567890ABCDEF;
  struct Object {
    std::atomic<unsigned>& destroyed;
    std::atomic<std::uint64_t> state{kAlive};
  };
  Reclaimer reclaimer(kShards);
  std::array<std::atomic<Object*>, kShards> rings{};  // ring i: from shard i to shard i + 1
  std::atomic<unsigned> destroyed{0};
  std::atomic<Object*> shared{new Object{destroyed}};
  std::atomic<int> wrong{0};
  reclaimer.set_rings_empty([&](unsigned shard) {
    return rings[(shard + kShards - 1) % kShards].load(std::memory_order_acquire) == nullptr;
  });
  const auto destroy = [](void* retired) {
    auto* object = static_cast<Object*>(retired);
    object->state.store(0, std::memory_order_relaxed);
    object->destroyed.fetch_add(1, std::memory_order_relaxed);
    delete object;
  };
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (unsigned shard = 0; shard < kShards; ++shard)
    threads.emplace_back([&, shard] {
      std::atomic<Object*>& in = rings[(shard + kShards - 1) % kShards];
      std::atomic<Object*>& out = rings[shard];
      for (unsigned turn = 0; !stop.load(std::memory_order_relaxed); ++turn) {
        if (const Object* object = in.load(std::memory_order_acquire)) {
          if (object->state.load(std::memory_order_relaxed) != kAlive) wrong.fetch_add(1);
          in.store(nullptr, std::memory_order_release);
        }
        Object* mine = shared.load(std::memory_order_acquire);
        if (mine->state.load(std::memory_order_relaxed) != kAlive) wrong.fetch_add(1);
        if (out.load(std::memory_order_acquire) == nullptr) out.store(mine, std::memory_order_release);
        if (shard == 0) {
          auto* fresh = new Object{destroyed};
          reclaimer.retire(shared.exchange(fresh, std::memory_order_acq_rel), destroy);
        }
        reclaimer.quiescent(shard);
        if (turn % 7 == shard) {
          reclaimer.offline(shard);
          std::this_thread::yield();
          reclaimer.online(shard);
        } else if (turn % 3 == 0) {
          // With one processor the others wait here: nobody would ever pass if all of them were offline then, with
          // entries in their rings.
          std::this_thread::yield();
        }
      }
    });
  while (destroyed.load(std::memory_order_relaxed) < 2'000) std::this_thread::yield();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  delete shared.load();
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace sb::runtime
