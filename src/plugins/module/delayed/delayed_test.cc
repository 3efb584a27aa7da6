#include "plugins/module/delayed/delayed.h"

#include "broker/testing/module_fixture.h"

#include <map>

namespace sb::plugins::module::delayed {
namespace {

using namespace module_fixture;

using namespace std::chrono_literals;

struct MemoryLog final : Log {
  void append(unsigned, const Record& record) override { rows[record.number] = record; }
  void erase(unsigned, const Record& record) override { rows.erase(record.number); }
  Result<> load(const std::function<void(Record)>& each) override {
    for (const auto& [number, record] : rows) each(record);
    return {};
  }
  std::map<std::uint64_t, Record> rows;
};

class DelayedTest : public ModuleTest {
 protected:
  DelayedTest() {
    make();
    subscribe(connect("all", all), "#");
  }
  void make() {
    module = std::make_unique<Delayed>(context);
    ASSERT_TRUE(module->open(log));
    module->join(broker);
  }
  void options(const Options& o) {
    module->set_options(o);
    turn();
  }
  MemoryLog log;
  std::unique_ptr<Delayed> module;
  Receiver all;
};

TEST_F(DelayedTest, HoldsForTheIntervalAndKeepsWhatItWas) {
  const auto from = identity("c1", "joe");
  EXPECT_EQ(publish("$delayed/10/a/b", "p", Qos::AtLeastOnce, from), ReasonCode::NoMatchingSubscribers);
  EXPECT_EQ(module->size(), 1U);
  EXPECT_EQ(log.rows.size(), 1U);
  EXPECT_EQ(broker.metrics().get(broker::Metric::MessagesDelayed), 1U);
  advance(9900ms);
  EXPECT_TRUE(all.got.empty());
  advance(200ms);
  ASSERT_EQ(all.got.size(), 1U);
  EXPECT_EQ(all.got[0].topic, "a/b");
  EXPECT_EQ(all.got[0].payload, "p");
  EXPECT_EQ(module->size(), 0U);
  EXPECT_TRUE(log.rows.empty());
}

TEST_F(DelayedTest, ReleasesInOrderOfTime) {
  publish("$delayed/3/c");
  publish("$delayed/1/a");
  publish("$delayed/2/b1");
  publish("$delayed/2/b2");
  advance(4s);
  EXPECT_EQ(all.topics(), (std::vector<std::string>{"a", "b1", "b2", "c"}));
}

TEST_F(DelayedTest, AbsoluteTimesAndThePast) {
  const std::int64_t now_s = clock.wall_ms() / 1000;
  publish("$delayed/" + std::to_string(now_s + 5) + "/later");
  EXPECT_EQ(publish("$delayed/" + std::to_string(now_s - 5) + "/past"), ReasonCode::Success);
  EXPECT_EQ(publish("$delayed/0/zero"), ReasonCode::Success);
  EXPECT_EQ(all.topics(), (std::vector<std::string>{"past", "zero"}));
  advance(6s);
  EXPECT_EQ(all.topics().back(), "later");
}

TEST_F(DelayedTest, WhatCannotBeHeldIsRefusedAndWhatIsMalformedDenied) {
  const std::int64_t now_s = clock.wall_ms() / 1000;
  EXPECT_EQ(publish("$delayed/" + std::to_string(now_s + Delayed::kIntervalMax + 10) + "/t"),
            ReasonCode::ImplementationSpecificError);
  for (const char* bad : {"$delayed/x/t", "$delayed/-1/t", "$delayed/5", "$delayed/5/", "$delayed//t",
                          "$delayed/99999999999999999999/t", "$delayed/1/$delayed/1/t", "$delayed/0/$delayed/1/t"})
    EXPECT_EQ(publish(bad), ReasonCode::NotAuthorized) << bad;
  EXPECT_EQ(module->size(), 0U);
  publish("$delayed/" + std::to_string(Delayed::kIntervalMax - 1) + "/t");
  EXPECT_EQ(module->size(), 1U);
}

TEST_F(DelayedTest, WallStepsMoveNothing) {
  publish("$delayed/10/t");
  clock.step_wall(-24h);
  advance(9900ms);
  EXPECT_TRUE(all.got.empty());
  clock.step_wall(48h);
  turn();
  EXPECT_TRUE(all.got.empty());
  advance(200ms);
  EXPECT_EQ(all.got.size(), 1U);
}

TEST_F(DelayedTest, SurvivesARestartCountingTheDownTime) {
  publish("$delayed/10/soon", "1");
  publish("$delayed/100/later", "2");
  module.reset();
  clock.advance(20s);
  turn();
  make();
  EXPECT_EQ(module->size(), 2U);
  advance(1s);
  EXPECT_EQ(all.topics(), (std::vector<std::string>{"soon"}));
  advance(80s);
  EXPECT_EQ(all.topics().back(), "later");
}

TEST_F(DelayedTest, ListsPagesFindsAndErases) {
  const auto from = identity("c1", "joe");
  for (int i = 1; i <= 5; ++i)
    publish("$delayed/" + std::to_string(i * 10) + "/t" + std::to_string(i), "p", Qos::AtLeastOnce, from);
  advance(3s);
  const auto page = module->list(1, 2);
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].topic, "t2");
  EXPECT_EQ(page[0].remaining_s, 17);
  EXPECT_EQ(page[0].interval_s, 20);
  EXPECT_EQ(page[0].expected_at_ms - page[0].publish_at_ms, 20'000);
  EXPECT_EQ(page[0].client_id, "c1");
  EXPECT_EQ(page[0].username, "joe");
  EXPECT_EQ(page[0].qos, Qos::AtLeastOnce);
  ASSERT_TRUE(module->find(page[1].id));
  EXPECT_EQ(as_text(module->find(page[1].id)->message->payload()), "p");
  EXPECT_TRUE(module->erase(page[1].id));
  turn();
  EXPECT_EQ(module->erase(page[1].id).error().what, "MESSAGE_ID_NOT_FOUND");
  EXPECT_EQ(module->erase("zz").error().what, "MESSAGE_ID_SCHEMA_ERROR");
  EXPECT_EQ(log.rows.size(), 4U);
  advance(60s);
  EXPECT_EQ(all.topics(), (std::vector<std::string>{"t1", "t2", "t4", "t5"}));
}

TEST_F(DelayedTest, ErasesAllOfATopic) {
  for (const char* topic : {"$delayed/10/a", "$delayed/20/b", "$delayed/30/a", "$delayed/40/a/b"}) publish(topic);
  EXPECT_EQ(module->erase_topic("a"), 2U);
  EXPECT_EQ(module->erase_topic("a"), 0U);
  EXPECT_EQ(module->erase_topic("#"), 0U) << "a name, not a filter";
  turn();
  EXPECT_EQ(log.rows.size(), 2U);
  EXPECT_EQ(module->size(), 2U);
  advance(60s);
  EXPECT_EQ(all.topics(), (std::vector<std::string>{"b", "a/b"}));
}

TEST_F(DelayedTest, TheLimitDropsAndDisablingClears) {
  options({true, 1});
  publish("$delayed/10/a");
  publish("$delayed/10/b");
  EXPECT_EQ(module->size(), 1U);
  options({false, 0});
  EXPECT_EQ(module->size(), 0U);
  EXPECT_TRUE(log.rows.empty());
  EXPECT_TRUE(broker.hooks().message_publish.empty());
  subscribe(*broker.find("all"), "$delayed/#");
  publish("$delayed/10/literal");
  EXPECT_EQ(all.topics(), (std::vector<std::string>{"$delayed/10/literal"}));
  options({true, 0});
  publish("$delayed/1/c");
  advance(2s);
  EXPECT_EQ(all.topics().back(), "c");
}

TEST_F(DelayedTest, WhatWasStoredDoesNotSurviveARunWithoutTheFeature) {
  publish("$delayed/10/t");
  module.reset();
  module = std::make_unique<Delayed>(context);
  ASSERT_TRUE(module->open(log));
  module->set_options({false, 0});  // as the configuration says before the shards run
  module->join(broker);
  turn();
  EXPECT_EQ(module->size(), 0U);
  EXPECT_TRUE(log.rows.empty());
  module.reset();
  make();
  advance(20s);
  EXPECT_TRUE(all.got.empty());
}

// No Local is about the client id: neither a restart nor a new session of the client changes whose message it is.
TEST_F(DelayedTest, NoLocalHoldsForWhatTheClientPublishedBefore) {
  Receiver own;
  SubscribeOptions no_local;
  no_local.no_local = true;
  ASSERT_EQ(broker.subscribe(connect("c1", own), "t", no_local).code, ReasonCode::Success);
  publish("$delayed/10/t", "p", Qos::AtLeastOnce, identity("c1"));
  publish("$delayed/10/t", "p", Qos::AtLeastOnce, identity("c2"));
  module.reset();
  make();
  advance(11s);
  EXPECT_EQ(all.got.size(), 2U);
  EXPECT_EQ(own.got.size(), 1U);
  EXPECT_EQ(broker.metrics().get(broker::Metric::DeliveryDroppedNoLocal), 1U);
}

TEST_F(DelayedTest, ABannedPublisherIsSuppressed) {
  context.banned = [](const broker::Identity& who) { return who.client_id == "bad"; };
  publish("$delayed/1/bad", "p", Qos::AtMostOnce, identity("bad"));
  publish("$delayed/1/good", "p", Qos::AtMostOnce, identity("good"));
  advance(2s);
  EXPECT_EQ(all.topics(), (std::vector<std::string>{"good"}));
  EXPECT_TRUE(log.rows.empty());
}

TEST_F(DelayedTest, RetainCountsAtRelease) {
  publish("$delayed/1/r", "kept", Qos::AtMostOnce, nullptr, true);
  EXPECT_EQ(broker.retained().size(), 0U);
  advance(2s);
  EXPECT_EQ(broker.retained().size(), 1U);
  EXPECT_TRUE(broker.retained().find("r"));
}

TEST_F(DelayedTest, ACrowdIsReleasedWholeAcrossTurns) {
  for (int i = 0; i < 1000; ++i) publish("$delayed/1/t");
  advance(1500ms, 10ms);
  EXPECT_EQ(all.got.size(), 1000U);
}

TEST_F(DelayedTest, TellsTheGauge) {
  stats.join(broker, {});
  publish("$delayed/100/t");
  advance(1100ms);
  EXPECT_EQ(stats.count(broker::Gauge::Delayed), 1U);
}

}  // namespace
}  // namespace sb::plugins::module::delayed
