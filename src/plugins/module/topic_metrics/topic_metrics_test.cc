#include "plugins/module/topic_metrics/topic_metrics.h"

#include "broker/testing/module_fixture.h"

namespace sb::plugins::module::topic_metrics {
namespace {

using namespace module_fixture;

using namespace std::chrono_literals;

class TopicMetricsTest : public ModuleTest {
 protected:
  TopicMetricsTest() : module(context) { module.join(broker); }
  std::uint64_t count(std::string_view topic, Counter counter) {
    return module.find(topic).value().count[static_cast<std::size_t>(counter)];
  }
  double rate(std::string_view topic, Counter counter) {
    return module.find(topic).value().rate[static_cast<std::size_t>(counter)];
  }
  TopicMetrics module;
};

TEST_F(TopicMetricsTest, CountsInOutAndDroppedByQos) {
  ASSERT_TRUE(module.add("t"));
  turn();
  publish("t", "x", Qos::AtLeastOnce);
  EXPECT_EQ(count("t", Counter::Dropped), 1U);
  Receiver sink;
  subscribe(connect("c", sink), "t", Qos::AtMostOnce);
  publish("t", "x", Qos::AtLeastOnce);
  publish("t", "x", Qos::ExactlyOnce);
  publish("other");
  EXPECT_EQ(count("t", Counter::In), 3U);
  EXPECT_EQ(count("t", Counter::Qos1In), 2U);
  EXPECT_EQ(count("t", Counter::Qos2In), 1U);
  EXPECT_EQ(count("t", Counter::Out), 2U);
  EXPECT_EQ(count("t", Counter::Qos0Out), 2U);  // as the subscription got them
  EXPECT_EQ(count("t", Counter::Dropped), 1U);
}

TEST_F(TopicMetricsTest, RatesAreAveragesOfFiveSeconds) {
  ASSERT_TRUE(module.add("t"));
  turn();
  for (int i = 0; i < 80; ++i) {  // ten a second for eight seconds
    publish("t");
    advance(100ms);
  }
  EXPECT_NEAR(rate("t", Counter::In), 10.0, 0.3);
  advance(10s, 100ms);
  EXPECT_EQ(rate("t", Counter::In), 0.0);
  EXPECT_EQ(count("t", Counter::In), 80U);
}

TEST_F(TopicMetricsTest, ResetsOneOrAll) {
  ASSERT_TRUE(module.add("a"));
  ASSERT_TRUE(module.add("b"));
  turn();
  publish("a");
  publish("b");
  EXPECT_FALSE(module.find("a")->reset_ms);
  ASSERT_TRUE(module.reset("a"));
  EXPECT_EQ(count("a", Counter::In), 0U);
  EXPECT_EQ(count("b", Counter::In), 1U);
  EXPECT_EQ(module.find("a")->reset_ms, clock.wall_ms());
  module.reset_all();
  EXPECT_EQ(count("b", Counter::In), 0U);
  publish("a");
  EXPECT_EQ(count("a", Counter::In), 1U);
}

TEST_F(TopicMetricsTest, RefusesWhatIsNoTopicTwiceOrTooMuch) {
  EXPECT_EQ(module.add("a/+").error().what, "'a/+' is no topic name: 1..65535 bytes of UTF-8 without + and #");
  EXPECT_EQ(module.add("").error().code, Errc::Invalid);
  ASSERT_TRUE(module.add("a"));
  EXPECT_EQ(module.add("a").error().code, Errc::Exists);
  EXPECT_EQ(module.add("a").error().what, "'a' is monitored already");
  for (int i = 1; i < 512; ++i) ASSERT_TRUE(module.add("t" + std::to_string(i)));
  EXPECT_EQ(module.add("more").error().what, "at most 512 topics are monitored");
  EXPECT_EQ(module.reset("none").error().what, "TOPIC_NOT_FOUND");
  EXPECT_EQ(module.remove("none").error().code, Errc::NotFound);
  EXPECT_EQ(module.list().size(), 512U);
}

TEST_F(TopicMetricsTest, WithoutTopicsItLeavesTheHooks) {
  ASSERT_TRUE(module.add("a"));
  turn();
  EXPECT_FALSE(broker.hooks().message_delivered.empty());
  ASSERT_TRUE(module.remove("a"));
  turn();
  EXPECT_TRUE(broker.hooks().message_publish.empty());
  EXPECT_TRUE(broker.hooks().message_delivered.empty());
  EXPECT_TRUE(broker.hooks().message_dropped.empty());
}

TEST(TopicMetricsNames, FollowTheCounters) {
  EXPECT_EQ(to_string(Counter::In), "messages.in");
  EXPECT_EQ(to_string(Counter::Qos2Out), "messages.qos2.out");
  EXPECT_EQ(to_string(Counter::Dropped), "messages.dropped");
}

}  // namespace
}  // namespace sb::plugins::module::topic_metrics
