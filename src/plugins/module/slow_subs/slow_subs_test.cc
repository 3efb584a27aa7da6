#include "plugins/module/slow_subs/slow_subs.h"

#include "broker/testing/module_fixture.h"

namespace sb::plugins::module::slow_subs {
namespace {

using namespace module_fixture;

using namespace std::chrono_literals;

class SlowSubsTest : public ModuleTest {
 protected:
  SlowSubsTest() : module(context) { module.join(broker); }
  void options(Options o) {
    o.enable = true;
    ASSERT_TRUE(module.set_options(o));
    turn();
  }
  /// One QoS 1 delivery that the client acknowledges after `wait`.
  void deliver(const std::string& id, std::string_view topic, Nanos wait) {
    Receiver sink;
    broker::Session& session = connect(id, sink);
    subscribe(session, topic, Qos::AtLeastOnce);
    publish(topic, "x", Qos::AtLeastOnce);
    advance(wait, wait);
    session.on_puback(sink.got.at(0).packet_id);
    broker.close(session, {});
  }
  SlowSubs module;
};

TEST_F(SlowSubsTest, ListsWhatExceedsTheThreshold) {
  EXPECT_TRUE(broker.hooks().delivery_completed.empty());
  options({});
  deliver("fast", "t", 500ms);
  deliver("slow", "t", 501ms);
  deliver("slower", "t", 900ms);
  const auto list = module.list();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].client_id, "slower");
  EXPECT_EQ(list[0].topic, "t");
  EXPECT_EQ(list[0].timespan_ms, 900);
  EXPECT_EQ(list[1].client_id, "slow");
  module.clear();
  EXPECT_TRUE(module.list().empty());
}

TEST_F(SlowSubsTest, KeepsTheHighestPerClientAndTopicAndTheLargestOverall) {
  Options o;
  o.top_k_num = 2;
  options(o);
  deliver("a", "t", 900ms);
  deliver("a", "t", 700ms);
  deliver("b", "t", 800ms);
  deliver("c", "t", 600ms);
  deliver("d", "t", 1000ms);
  const auto list = module.list();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].client_id, "d");
  EXPECT_EQ(list[1].client_id, "a");
  EXPECT_EQ(list[1].timespan_ms, 900);
}

TEST_F(SlowSubsTest, EntriesExpireAndDisablingForgets) {
  Options o;
  o.expire_interval = 30s;
  options(o);
  deliver("a", "t", 900ms);
  advance(25s, 5s);
  EXPECT_EQ(module.list().size(), 1U);
  advance(20s, 5s);
  EXPECT_TRUE(module.list().empty());
  deliver("a", "t", 900ms);
  o.enable = false;
  ASSERT_TRUE(module.set_options(o));
  turn();
  EXPECT_TRUE(module.list().empty());
  EXPECT_TRUE(broker.hooks().delivery_completed.empty());
}

TEST_F(SlowSubsTest, MeasuresWhatIsAskedFor) {
  Options o;
  o.stats_type = Kind::Response;
  options(o);
  // Waits in the queue of an offline session: whole time long, response short.
  Receiver sink;
  subscribe(connect("q", sink, {}, 1000, false), "t", Qos::AtLeastOnce);
  broker.close(*broker.find("q"), {});
  publish("t", "x", Qos::AtLeastOnce);
  advance(2s);
  broker::Session& session = connect("q", sink, {}, 1000, false);
  session.replay();
  session.on_puback(sink.got.at(0).packet_id);
  EXPECT_TRUE(module.list().empty());
  o.stats_type = Kind::Internal;
  options(o);
  publish("t", "x", Qos::AtLeastOnce);
  advance(2s);
  session.on_puback(sink.got.at(1).packet_id);
  EXPECT_TRUE(module.list().empty());
}

TEST_F(SlowSubsTest, Qos0FromTheQueueCounts) {
  options({});
  Receiver sink;
  subscribe(connect("q", sink, {}, 1000, false), "t");
  broker.close(*broker.find("q"), {});
  publish("t");
  advance(2s);
  connect("q", sink, {}, 1000, false).replay();
  ASSERT_EQ(module.list().size(), 1U);
  EXPECT_EQ(module.list()[0].timespan_ms, 2000);
}

TEST_F(SlowSubsTest, BoundsTheTable) {
  Options o;
  o.top_k_num = 1001;
  EXPECT_EQ(module.set_options(o).error().code, Errc::Invalid);
  o.top_k_num = 0;
  EXPECT_FALSE(module.set_options(o));
}

}  // namespace
}  // namespace sb::plugins::module::slow_subs
