#include "runtime/spsc_ring.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <thread>
#include <vector>

namespace sb::runtime {
namespace {

constexpr auto kNoLook = [](const auto&, std::size_t) {};

TEST(SpscRing, GivesBackInOrderAndRefusesWhenFull) {
  SpscRing<int> ring(4);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.push(int{i}));
  EXPECT_FALSE(ring.push(9));
  std::vector<int> got;
  EXPECT_EQ(ring.drain([&](int& one) { got.push_back(one); }, kNoLook), 4u);
  EXPECT_EQ(got, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_TRUE(ring.empty());
  EXPECT_TRUE(ring.push(10));
}

TEST(SpscRing, DestroysWhatItsReaderLeaves) {
  SpscRing<std::shared_ptr<int>> ring(8);
  const auto held = std::make_shared<int>(1);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(ring.push(std::shared_ptr<int>(held)));
  EXPECT_EQ(held.use_count(), 6);
  ring.drain([](std::shared_ptr<int>&) {}, kNoLook);
  EXPECT_EQ(held.use_count(), 1);
}

// Every entry but the first of a run is seen in stages that rise, the last of them before it is served.
TEST(SpscRing, LooksAtEntriesInStagesBeforeTheyAreServed) {
  SpscRing<int> ring(64);
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(ring.push(int{i}));
  std::map<int, std::size_t> stages;
  std::size_t whole = 0;
  int served = 0;
  ring.drain(
      [&](int& one) {
        EXPECT_EQ(one, served++);
        if (stages[one] == SpscRing<int>::kStages) ++whole;
      },
      [&](const int& one, std::size_t stage) {
        EXPECT_GT(one, served - 1);
        // Those near the front begin in a later stage.
        EXPECT_TRUE(stage == stages[one] || stages[one] == 0) << one;
        stages[one] = stage + 1;
      });
  EXPECT_EQ(served, 40);
  EXPECT_GE(whole, 28u);
}

TEST(SpscRing, HandsOverBetweenThreads) {
  constexpr int kCount = 200'000;
  SpscRing<std::unique_ptr<int>> ring(256);
  std::thread producer([&] {
    for (int i = 0; i < kCount; ++i) {
      auto one = std::make_unique<int>(i);
      while (!ring.push(std::move(one))) std::this_thread::yield();
    }
  });
  int next = 0;
  while (next < kCount)
    ring.drain([&](std::unique_ptr<int>& one) { EXPECT_EQ(*one, next++); },
               [&](const std::unique_ptr<int>& one, std::size_t) { EXPECT_GT(*one, next); });
  producer.join();
  EXPECT_EQ(next, kCount);
  EXPECT_TRUE(ring.empty());
}

}  // namespace
}  // namespace sb::runtime
