// What becomes of shared messages whose member is gone (broker.md 8.4).
#include "broker/testing/module_fixture.h"

namespace sb::broker {
namespace {

class Redispatch : public module_fixture::ModuleTest {
 protected:
  static constexpr std::string_view kFilter = "$share/g/t";
  void publish_expiring(std::uint32_t expiry_s) {
    Publication p;
    p.topic = "t";
    p.payload = as_bytes("x");
    p.qos = Qos::AtLeastOnce;
    p.expiry_s = expiry_s;
    ASSERT_EQ(broker.publish(p), ReasonCode::Success);
  }
  /// One member that is gone keeps what another one, which comes now, gets when the first one's session ends.
  void leave_to_other(std::uint32_t expiry_s) {
    Session& first = connect("first", ours, {}, 10);
    subscribe(first, kFilter, Qos::AtLeastOnce);
    broker.close(first, {});
    publish_expiring(expiry_s);
    subscribe(connect("second", others), kFilter, Qos::AtLeastOnce);
    advance(std::chrono::seconds(12));
    ASSERT_EQ(broker.find("first"), nullptr);
  }
  module_fixture::Receiver ours;
  module_fixture::Receiver others;
};

TEST_F(Redispatch, GivesAMessageToAnotherMember) {
  leave_to_other(60);
  EXPECT_EQ(others.topics(), std::vector<std::string>{"t"});
}

TEST_F(Redispatch, LeavesOutAMessageThatHasExpired) {  // [MQTT-3.3.2-5]
  leave_to_other(5);
  EXPECT_TRUE(others.got.empty());
  EXPECT_EQ(core.metric(Metric::DeliveryDroppedExpired), 1U);
}

// [S] 8.3: members that are online come first, and one whose connection has just ended is not.
TEST_F(Redispatch, GivesTheWillOfALeavingMemberToOneThatIsOnline) {
  subscribe(connect("stays", others), kFilter, Qos::AtLeastOnce);
  for (int i = 0; i < 4; ++i) {  // round robin would come to the one that leaves
    OpenRequest request;
    request.identity = identity("leaves");
    request.expiry_s = 60;
    request.clean_start = false;
    request.settings = session_settings;
    request.will = std::make_unique<Will>();
    request.will->topic = "t";
    request.will->qos = Qos::AtLeastOnce;
    Session& leaving = *broker.open(std::move(request), ours).session;
    subscribe(leaving, kFilter, Qos::AtLeastOnce);
    broker.close(leaving, {});
  }
  EXPECT_EQ(others.got.size(), 4U);
  EXPECT_TRUE(ours.got.empty());
}

}  // namespace
}  // namespace sb::broker
