#include "client/pressure.h"

#include <gtest/gtest.h>

#include <set>

namespace sb::client {
namespace {

using namespace std::chrono_literals;

struct Alarms final : broker::AlarmSink {
  bool activate(std::string_view name, std::string_view, broker::AlarmDetails) override {
    return active.insert(std::string(name)).second;
  }
  bool deactivate(std::string_view name) override { return active.erase(std::string(name)) == 1; }
  std::set<std::string> active;
};

struct NoSink final : broker::SessionSink {
  Sent send_publish(broker::Delivery&, const broker::Outgoing&) override { return Sent::Yes; }
  void send_pubrel(PacketId, ReasonCode, broker::Ticket) override {}
  void on_session_lost(broker::EndReason) override {}
};

class PressureTest : public testing::Test {
 protected:
  PressureTest() {
    core.join(broker);
    pressure.join(broker);
  }
  broker::Session& offline(const std::string& id, int messages) {
    broker::OpenRequest request;
    request.identity = std::make_shared<const broker::Identity>(broker::Identity{id, "", ""});
    request.clean_start = false;
    request.expiry_s = 1000;
    request.settings = std::make_shared<const broker::SessionSettings>();
    NoSink sink;
    broker::Session& session = *broker.open(std::move(request), sink).session;
    SubscribeOptions options;
    options.qos = Qos::AtLeastOnce;
    broker.subscribe(session, id, options);
    broker.close(session, {});
    for (int i = 0; i < messages; ++i) {
      broker::Publication p;
      p.topic = id;
      const std::string payload(1000, 'x');
      p.payload = as_bytes(payload);
      p.qos = Qos::AtLeastOnce;
      broker.publish(p);
    }
    return session;
  }
  void advance(Nanos by) {
    clock.advance(by);
    loop.turn(0ms);
  }
  ManualClock clock;
  runtime::Loop loop{clock, {}};
  runtime::Reclaimer reclaimer{1};
  broker::Core core{broker::make_router({}, reclaimer), reclaimer, 1};
  broker::Broker broker{core, 0, loop, std::make_shared<broker::CoreSettings>()};
  Alarms alarms;
  MemoryUse memory{50, 100};
  Pressure pressure{alarms, 1, {}, [this] { return memory; }};
};

TEST_F(PressureTest, BelowTheMarkNothingHappens) {
  broker::Session& session = offline("a", 10);
  advance(1100ms);
  EXPECT_FALSE(pressure.memory_high());
  EXPECT_EQ(session.queue().size(), 10U);
  memory = {90, 0};  // unknown total
  advance(1100ms);
  EXPECT_FALSE(pressure.memory_high());
}

TEST_F(PressureTest, AboveTheMarkTheLongestQueuesShrinkAndItIsAlarmed) {
  broker::Session& small = offline("small", 10);
  broker::Session& large = offline("large", 50);
  const std::size_t each = large.queue().bytes() / 50;
  memory.total = 1'000'000;
  memory.used = 850'000 + 30 * each;
  advance(1100ms);
  EXPECT_TRUE(pressure.memory_high());
  EXPECT_EQ(alarms.active.count("memory_high_watermark"), 1U);
  EXPECT_EQ(small.queue().size(), 10U);
  EXPECT_LE(large.queue().size(), 20U);
  EXPECT_GE(large.queue().size(), 19U);
  EXPECT_EQ(pressure.dropped(), broker.metrics().get(broker::Metric::DeliveryDroppedQueueFull));
  EXPECT_EQ(large.counts().dropped_queue_full, pressure.dropped());
  memory.used = 100;
  advance(1100ms);
  EXPECT_FALSE(pressure.memory_high());
  EXPECT_TRUE(alarms.active.empty());
}

TEST_F(PressureTest, EqualQueuesShareTheLoss) {
  broker::Session& a = offline("a", 40);
  broker::Session& b = offline("b", 40);
  memory.total = 1'000'000;
  memory.used = 850'000 + 20 * (a.queue().bytes() / 40);
  advance(1100ms);
  EXPECT_NEAR(static_cast<double>(a.queue().size()), 30.0, 1.0);
  EXPECT_NEAR(static_cast<double>(b.queue().size()), 30.0, 1.0);
}

TEST_F(PressureTest, ZeroSwitchesItOff) {
  pressure.set_options({0.0, 950, 5});
  memory = {100, 100};
  advance(1100ms);
  EXPECT_FALSE(pressure.memory_high());
}

TEST_F(PressureTest, ABusyShardIsOverloadedAfterSeveralSamples) {
  pressure.set_options({0.85, 0, 3});  // any load counts
  for (int i = 0; i < 2; ++i) advance(1100ms);
  EXPECT_FALSE(pressure.overloaded(0));
  advance(1100ms);
  EXPECT_TRUE(pressure.overloaded(0));
  EXPECT_EQ(alarms.active.count("runq_overload"), 1U);
  pressure.set_options({0.85, 1001, 3});
  advance(1100ms);
  EXPECT_FALSE(pressure.overloaded(0));
  EXPECT_TRUE(alarms.active.empty());
}

TEST(MeasureMemory, KnowsThisMachine) {
  const MemoryUse now = measure_memory();
  EXPECT_GT(now.used, 0U);
  EXPECT_GT(now.total, now.used);
}

}  // namespace
}  // namespace sb::client
