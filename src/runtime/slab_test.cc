#include "runtime/slab.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <set>
#include <thread>
#include <utility>

namespace sb::runtime {
namespace {

constexpr std::array<Slab::Size, 2> kSizes{{{896, 960}, {7168, 7680}}};
constexpr std::size_t kReserve = 64 * Slab::kSpan;

TEST(Slab, ServesItsSizesAlone) {
  Slab slab(kSizes, kReserve);
  for (const std::size_t size : {1U, 896U, 961U, 7168U, 7681U}) EXPECT_EQ(slab.allocate(size), nullptr) << size;
  for (const std::size_t size : {897U, 960U, 7169U, 7680U}) {
    void* at = slab.allocate(size);
    ASSERT_NE(at, nullptr) << size;
    EXPECT_TRUE(slab.owns(at));
    EXPECT_EQ(slab.slot_size(at), size <= 960 ? 960U : 7680U);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at) % 64, 0U);
    slab.release(at);
  }
  const int elsewhere = 0;
  EXPECT_FALSE(slab.owns(&elsewhere));
  EXPECT_FALSE(slab.owns(nullptr));
}

TEST(Slab, GivesSpansBackAndTakesThemForAnotherSize) {
  Slab slab(kSizes, kReserve);
  std::vector<void*> held;
  while (void* at = slab.allocate(7624)) held.push_back(at);
  EXPECT_EQ(held.size(), 64U * 8U);
  EXPECT_EQ(slab.spans_held(), 64U);
  for (void* at : held) slab.release(at);
  EXPECT_EQ(slab.spans_held(), 1U);  // the spare one
  held.clear();
  while (void* at = slab.allocate(960)) held.push_back(at);
  EXPECT_EQ(held.size(), 63U * 64U);
  for (void* at : held) slab.release(at);
  EXPECT_EQ(slab.spans_held(), 2U);
}

TEST(Slab, NeverGivesTheSameSlotTwice) {
  Slab slab(kSizes, kReserve);
  std::mt19937 random(7);
  std::set<std::pair<std::uintptr_t, std::size_t>> held;  // place, size
  for (int i = 0; i < 40'000; ++i) {
    if (held.empty() || random() % 5 < 3) {
      const std::size_t size = random() % 4 == 0 ? 7680 : 960;
      auto* at = static_cast<std::uint8_t*>(slab.allocate(size));
      if (!at) continue;
      std::memset(at, 0xA5, size);
      const auto [place, fresh] = held.emplace(reinterpret_cast<std::uintptr_t>(at), size);
      ASSERT_TRUE(fresh);
      if (place != held.begin()) {
        ASSERT_LE(std::prev(place)->first + std::prev(place)->second, place->first);
      }
      if (std::next(place) != held.end()) {
        ASSERT_LE(place->first + size, std::next(place)->first);
      }
    } else {
      auto victim = held.begin();
      std::advance(victim, random() % std::min<std::size_t>(held.size(), 50));
      slab.release(reinterpret_cast<void*>(victim->first));
      held.erase(victim);
    }
  }
}

TEST(Slab, IsSafeFromSeveralThreads) {
  Slab slab(kSizes, kReserve);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&slab, t] {
      std::vector<void*> held;
      for (int i = 0; i < 20'000; ++i) {
        if (void* at = slab.allocate(960)) {
          std::memset(at, t, 960);
          held.push_back(at);
        }
        if (held.size() > 100) {
          EXPECT_EQ(static_cast<std::uint8_t*>(held.front())[959], t);
          for (void* one : held) slab.release(one);
          held.clear();
        }
      }
      for (void* one : held) slab.release(one);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_LE(slab.spans_held(), 1U);
}

TEST(Slab, RefusesWhereThereAreNoAddresses) {
  Slab slab(kSizes, std::size_t{1} << 62);
  EXPECT_EQ(slab.allocate(960), nullptr);
  EXPECT_FALSE(slab.owns(&slab));
}

}  // namespace
}  // namespace sb::runtime
