#include "telemetry/alarms.h"

#include "telemetry/store_alarm_log.h"

#include <gtest/gtest.h>

namespace sb::telemetry {
namespace {

using namespace std::chrono_literals;

class AlarmsTest : public testing::Test {
 protected:
  AlarmsTest() {
    alarms.add_listener([this](const Alarm& alarm, bool publish) {
      if (publish) told.push_back((alarm.activated() ? "+" : "-") + alarm.name);
    });
  }
  ManualClock clock;
  Alarms alarms{clock};
  std::vector<std::string> told;
};

TEST_F(AlarmsTest, ActivateOnceAndDeactivateIntoHistory) {
  EXPECT_TRUE(alarms.activate("a", "message", {{"usage", "91.5"}}));
  EXPECT_FALSE(alarms.activate("a", "again", {}));
  EXPECT_TRUE(alarms.is_active("a"));
  clock.advance(2s);
  EXPECT_TRUE(alarms.deactivate("a"));
  EXPECT_FALSE(alarms.deactivate("a"));
  EXPECT_TRUE(alarms.active().empty());
  ASSERT_EQ(alarms.history().size(), 1U);
  EXPECT_EQ(*alarms.history()[0].deactivate_at_us - alarms.history()[0].activate_at_us, 2'000'000);
  EXPECT_EQ(told, (std::vector<std::string>{"+a", "-a"}));
}

TEST_F(AlarmsTest, JsonSaysInfinityWhileActive) {
  alarms.activate("a", "it's \"bad\"", {{"usage", "91.5"}, {"node", "\"n1\""}});
  EXPECT_EQ(to_json(alarms.active()[0]),
            "{\"name\":\"a\",\"details\":{\"usage\":91.5,\"node\":\"n1\"},\"message\":\"it's \\\"bad\\\"\","
            "\"activate_at\":1700000000000000,\"deactivate_at\":\"infinity\",\"activated\":true}");
  alarms.deactivate("a");
  EXPECT_NE(to_json(alarms.history()[0]).find("\"deactivate_at\":1700000000000000,\"activated\":false}"),
            std::string::npos);
}

TEST_F(AlarmsTest, HistoryIsBoundedByNumberAndAge) {
  AlarmOptions options;
  options.size_limit = 3;
  options.validity_period = 10s;
  ASSERT_TRUE(alarms.set_options(options));
  for (int i = 0; i < 5; ++i) {
    alarms.activate(std::to_string(i), "", {});
    alarms.deactivate(std::to_string(i));
    clock.advance(1s);
  }
  ASSERT_EQ(alarms.history().size(), 3U);
  EXPECT_EQ(alarms.history()[0].name, "2");
  clock.advance(7s + 500ms);
  EXPECT_EQ(alarms.history().size(), 2U);
  alarms.clear_history();
  EXPECT_TRUE(alarms.history().empty());
  options.size_limit = 3001;
  EXPECT_FALSE(alarms.set_options(options));
}

TEST_F(AlarmsTest, ActionsMayLeaveOutPublishing) {
  AlarmOptions options;
  options.publish = false;
  ASSERT_TRUE(alarms.set_options(options));
  alarms.activate("a", "", {});
  EXPECT_TRUE(told.empty());
}

TEST(AlarmsRestart, WhatWasActiveIsHistory) {
  ManualClock clock;
  const auto store = store::make_memory();
  StoreAlarmLog log(*store);
  {
    Alarms alarms(clock);
    alarms.open({}, &log);
    alarms.activate("active", "m", {{"usage", "91"}});
    clock.advance(1s);
    alarms.activate("past", "", {});
    alarms.deactivate("past");
    alarms.activate("old", "", {});
    alarms.deactivate("old");
    AlarmOptions options;
    options.size_limit = 1;
    ASSERT_TRUE(alarms.set_options(options));  // forgets "past"
  }
  ASSERT_TRUE(store->flush());
  clock.advance(5s);
  auto stored = log.load();
  ASSERT_TRUE(stored) << stored.error().what;
  ASSERT_EQ(stored->size(), 2U);
  Alarms alarms(clock);
  alarms.open(std::move(*stored), &log);
  EXPECT_TRUE(alarms.active().empty());
  const auto history = alarms.history();
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0].name, "active");
  EXPECT_EQ(history[0].details, "{\"usage\":91}");
  EXPECT_EQ(history[0].deactivate_at_us, clock.wall_ms() * 1000);
  EXPECT_EQ(history[1].name, "old");
}

}  // namespace
}  // namespace sb::telemetry
