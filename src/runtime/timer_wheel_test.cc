#include "runtime/timer_wheel.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace sb::runtime {
namespace {

using namespace std::chrono_literals;

struct Probe final : Timer {
  void on_timer() override {
    fired_at = *now;
    ++count;
  }
  Nanos* now = nullptr;
  Nanos fired_at{0};
  int count = 0;
};

TEST(TimerWheel, NeverFiresEarlyAndAtMostTwoTicksLate) {
  Nanos now = 1s;
  TimerWheel wheel(now);
  std::mt19937 random(7);
  std::vector<std::unique_ptr<Probe>> probes;
  std::vector<Nanos> due;
  for (int i = 0; i < 400; ++i) {
    auto probe = std::make_unique<Probe>();
    probe->now = &now;
    const Nanos delay = std::chrono::milliseconds(random() % 5'000'000);
    wheel.arm(*probe, now, delay);
    due.push_back(now + delay);
    probes.push_back(std::move(probe));
  }
  for (; now < 5100s; now += 8ms) wheel.advance(now);
  for (std::size_t i = 0; i < probes.size(); ++i) {
    ASSERT_EQ(probes[i]->count, 1);
    EXPECT_GE(probes[i]->fired_at, due[i]);
    EXPECT_LE(probes[i]->fired_at - due[i], 2 * TimerWheel::kTick);
  }
}

TEST(TimerWheel, CancelledTimersStaySilent) {
  Nanos now = 1s;
  TimerWheel wheel(now);
  Probe probe;
  probe.now = &now;
  wheel.arm(probe, now, 10ms);
  TimerWheel::cancel(probe);
  wheel.advance(now + 1s);
  EXPECT_EQ(probe.count, 0);
}

TEST(TimerWheel, ReArmMoves) {
  Nanos now = 1s;
  TimerWheel wheel(now);
  Probe probe;
  probe.now = &now;
  wheel.arm(probe, now, 10ms);
  wheel.arm(probe, now, 10min);
  wheel.advance(now += 1s);
  EXPECT_EQ(probe.count, 0);
  wheel.advance(now += 10min);
  EXPECT_EQ(probe.count, 1);
}

TEST(TimerWheel, UntilNextNeverSleepsPastATimer) {
  Nanos now = 3s;
  TimerWheel wheel(now);
  Probe probe;
  probe.now = &now;
  wheel.arm(probe, now, 5s);
  int rounds = 0;
  while (probe.count == 0 && ++rounds < 1000) {
    now += std::max<Nanos>(wheel.until_next(now, 1s), 1ms);
    wheel.advance(now);
  }
  EXPECT_EQ(probe.count, 1);
  EXPECT_LE(probe.fired_at, 8s + 20ms);
}

}  // namespace
}  // namespace sb::runtime
