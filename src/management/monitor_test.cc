#include "management/monitor.h"

#include "base/clock.h"

#include <gtest/gtest.h>

namespace sb::management {
namespace {

Reading sample(std::int64_t time_ms, std::uint64_t received, std::uint64_t live) {
  Reading out;
  out.time_ms = time_ms;
  out.received = received;
  out.live_connections = live;
  return out;
}

TEST(Downsampling, AddsCountsAndKeepsTheLatestGauge) {
  const auto points = downsample({sample(60'000, 1, 5), sample(70'000, 2, 6), sample(120'000, 4, 7)}, 60'000);
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].time_ms, 60'000);
  EXPECT_EQ(points[0].received, 3u);
  EXPECT_EQ(points[0].live_connections, 6u);
  EXPECT_EQ(points[1].received, 4u);
}

TEST(Downsampling, FillsGapsWithEmptyPoints) {
  const auto points = downsample({sample(10'000, 1, 5), sample(40'000, 2, 6)}, 10'000);
  ASSERT_EQ(points.size(), 4u);
  for (std::size_t i = 0; i < points.size(); ++i)
    EXPECT_EQ(points[i].time_ms, 10'000 * static_cast<std::int64_t>(i + 1));
  EXPECT_EQ(points[1].received, 0u);
  EXPECT_EQ(points[3].received, 2u);
}

TEST(Downsampling, ChoosesTheStepByTheSpan) {
  constexpr std::int64_t kHour = 3'600'000;
  EXPECT_EQ(step_for(kHour, 10'000), 10'000);
  EXPECT_EQ(step_for(12 * kHour, 10'000), 60'000);
  EXPECT_EQ(step_for(72 * kHour, 10'000), 300'000);
  EXPECT_EQ(step_for(168 * kHour, 10'000), 600'000);
}

class MonitorTest : public ::testing::Test {
 protected:
  MonitorTest() { monitor.start(store.get(), Millis{10'000}); }
  void advance(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      clock.advance(std::chrono::seconds(1));
      loop.turn(Nanos{0});
    }
  }
  ManualClock clock;
  runtime::Loop loop{clock, runtime::Loop::Options{Nanos{0}}};
  std::unique_ptr<store::KeyValue> store = store::make_memory();
  Reading source;
  Monitor monitor{loop, [this] { return source; }};
};

TEST_F(MonitorTest, KeepsWhatHappenedInEachInterval) {
  source.received = 100;
  source.live_connections = 3;
  advance(11);
  source.received = 130;
  advance(10);
  const auto points = monitor.history(std::nullopt);
  ASSERT_GE(points.size(), 2u);
  EXPECT_EQ(points[0].received, 100u);
  EXPECT_EQ(points[0].live_connections, 3u);
  EXPECT_EQ(points[0].time_ms % 10'000, 0);
  EXPECT_EQ(points[1].received, 30u);
}

TEST_F(MonitorTest, TellsTheRateOfTheLastSeconds) {
  for (int i = 0; i < 10; ++i) {
    source.received += 50;
    source.dropped += 2;
    advance(1);
  }
  const auto current = monitor.current();
  EXPECT_NEAR(static_cast<double>(current.received_rate), 50, 10);
  EXPECT_NEAR(static_cast<double>(current.dropped_rate), 2, 1);
}

TEST_F(MonitorTest, SurvivesARestartAndForgetsAfterAWeek) {
  source.received = 5;
  advance(11);
  Monitor again(loop, [this] { return source; });
  again.start(store.get(), Millis{10'000});
  ASSERT_FALSE(again.history(std::nullopt).empty());
  EXPECT_EQ(again.history(std::nullopt)[0].received, 5u);
  clock.advance(std::chrono::hours(24 * 8));
  loop.turn(Nanos{0});  // the tick that sweeps
  advance(2);
  bool old_left = false;
  for (const Reading& point : again.history(std::nullopt)) old_left = old_left || point.received == 5;
  EXPECT_FALSE(old_left);
}

}  // namespace
}  // namespace sb::management
