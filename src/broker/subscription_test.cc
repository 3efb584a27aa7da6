// What becomes of the filter and the options that a client asks for (broker.md 7).
#include "broker/testing/module_fixture.h"

namespace sb::broker {
namespace {

class Subscriptions : public module_fixture::ModuleTest {
 protected:
  module_fixture::Receiver first;
  module_fixture::Receiver second;
};

// 7.3: $queue/t and $share/$queue/t are the same.
TEST_F(Subscriptions, BothSpellingsOfAQueueAreOneGroup) {
  subscribe(connect("first", first), "$queue/t");
  subscribe(connect("second", second), "$share/$queue/t");
  for (int i = 0; i < 10; ++i) publish("t");
  EXPECT_EQ(first.got.size(), 5U);
  EXPECT_EQ(second.got.size(), 5U);
}

TEST_F(Subscriptions, BothSpellingsOfAQueueAreOneSubscription) {
  Session& session = connect("first", first);
  subscribe(session, "$queue/t");
  const auto again = broker.subscribe(session, "$share/$queue/t", SubscribeOptions{});
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(again.subscription->filter(), "$queue/t");
  EXPECT_EQ(session.subscription_count(), 1U);
  EXPECT_EQ(session.find_subscription("$share/$queue/t"), again.subscription);
  EXPECT_EQ(broker.unsubscribe(session, "$share/$queue/t"), ReasonCode::Success);
  EXPECT_EQ(broker.unsubscribe(session, "$queue/t"), ReasonCode::NoSubscriptionExisted);
  publish("t");
  EXPECT_TRUE(first.got.empty());
}

// What is owed through a group may outlive its last member; whoever looks for another finds no list that is on its way
// out.
TEST_F(Subscriptions, AGroupWithoutMembersHasNoList) {
  Session& session = connect("first", first);
  subscribe(session, "$share/g/t");
  const SharedGroupRef group(session.find_subscription("$share/g/t")->special->group);
  ASSERT_EQ(group->members()->size(), 1U);
  EXPECT_EQ(broker.unsubscribe(session, "$share/g/t"), ReasonCode::Success);
  EXPECT_EQ(group->members(), nullptr);
  EXPECT_EQ(pick(*group.get(), {}), nullptr);
  subscribe(session, "$share/g/t");  // another group of that name
  publish("t");
  EXPECT_EQ(first.got.size(), 1U);
  EXPECT_EQ(group->members(), nullptr);
}

TEST_F(Subscriptions, NoMoreIsGrantedThanTheZoneAllows) {
  auto settings = std::make_shared<SessionSettings>();
  settings->max_qos = Qos::AtLeastOnce;
  session_settings = settings;
  Session& session = connect("first", first, {}, 10);
  SubscribeOptions options;
  options.qos = Qos::ExactlyOnce;
  EXPECT_EQ(broker.subscribe(session, "t", options).subscription->options.qos, Qos::AtLeastOnce);
  EXPECT_EQ(broker.subscribe(session, "t", options).subscription->options.qos, Qos::AtLeastOnce) << "again";
  publish("t", "x", Qos::ExactlyOnce);
  ASSERT_EQ(first.got.size(), 1U);
  EXPECT_EQ(first.got[0].qos, Qos::AtLeastOnce);
}

TEST_F(Subscriptions, AnUpgradeStopsAtWhatTheZoneAllows) {
  SessionSettings settings;
  settings.upgrade_qos = true;
  EXPECT_EQ(settings.qos_of_delivery(Qos::ExactlyOnce, Qos::AtMostOnce), Qos::ExactlyOnce);
  EXPECT_EQ(settings.qos_of_delivery(Qos::AtMostOnce, Qos::AtLeastOnce), Qos::AtLeastOnce);
  settings.max_qos = Qos::AtLeastOnce;
  EXPECT_EQ(settings.qos_of_delivery(Qos::ExactlyOnce, Qos::AtMostOnce), Qos::AtLeastOnce);
  settings.upgrade_qos = false;
  EXPECT_EQ(settings.qos_of_delivery(Qos::ExactlyOnce, Qos::AtMostOnce), Qos::AtMostOnce);
}

}  // namespace
}  // namespace sb::broker
