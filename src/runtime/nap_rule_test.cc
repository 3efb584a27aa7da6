#include "runtime/nap_rule.h"

#include <gtest/gtest.h>

namespace sb::runtime {
namespace {

constexpr Nanos kWindow = Millis(20);

/// Waits of a window under a load that would wake the loop `wakes` times a second and leaves `idle` (0 to 1) of the
/// time for waiting: how many there are when each begins with a nap, or none does.
std::uint64_t waits(double wakes, double idle, bool napping, Nanos nap) {
  const double each = napping ? 1.0 / wakes + static_cast<double>(nap.count()) / 1e9 : 1.0 / wakes;
  return static_cast<std::uint64_t>(idle * 0.02 / each);
}

bool after(NapRule& rule, double wakes, double idle, int windows = 1) {
  for (int i = 0; i < windows; ++i)
    rule.judge(waits(wakes, idle, rule.napping(), rule.length()), Nanos(static_cast<std::int64_t>(idle * 2e7)),
               kWindow);
  return rule.napping();
}

TEST(NapRule, AQuietLoopAnswersAtOnce) {
  NapRule rule(std::chrono::microseconds(200));
  EXPECT_FALSE(after(rule, 1000, 0.95, 10));
}

TEST(NapRule, ABusyOneKeepsNappingWhileTheLoadLasts) {
  for (const auto nap : {std::chrono::microseconds(50), std::chrono::microseconds(100), std::chrono::microseconds(200),
                         std::chrono::microseconds(300), std::chrono::microseconds(1000)})
    for (const double wakes : {5000.0, 10'000.0, 40'000.0}) {
      NapRule rule(nap);
      ASSERT_TRUE(after(rule, wakes, 0.9));
      for (int i = 0; i < 20; ++i) ASSERT_TRUE(after(rule, wakes, i % 2 ? 0.8 : 0.3)) << wakes << " in window " << i;
    }
}

TEST(NapRule, ItEndsWithTheLoad) {
  for (const auto nap :
       {std::chrono::microseconds(100), std::chrono::microseconds(200), std::chrono::microseconds(1000)}) {
    NapRule rule(nap);
    ASSERT_TRUE(after(rule, 10'000, 0.9));
    EXPECT_FALSE(after(rule, 1500, 0.95));
  }
}

TEST(NapRule, NotWithoutATimeToWait) {
  NapRule rule(Nanos{0});
  EXPECT_FALSE(after(rule, 100'000, 0.5));
  NapRule full(std::chrono::microseconds(200));
  ASSERT_TRUE(after(full, 10'000, 0.9));
  full.judge(0, Nanos{0}, kWindow);  // never idle: there is nothing to gather
  EXPECT_FALSE(full.napping());
}

}  // namespace
}  // namespace sb::runtime
