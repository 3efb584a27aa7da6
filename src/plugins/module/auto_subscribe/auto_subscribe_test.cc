#include "plugins/module/auto_subscribe/auto_subscribe.h"

#include "broker/testing/module_fixture.h"

namespace sb::plugins::module::auto_subscribe {
namespace {

using namespace module_fixture;

class AutoSubscribeTest : public ModuleTest {
 protected:
  AutoSubscribeTest() : module(context) { module.join(broker); }
  void topics(std::vector<Topic> list) {
    ASSERT_TRUE(module.set_topics(std::move(list)));
    turn();
  }
  broker::Session& arrive(const std::string& id, Receiver& to, const std::string& username = {},
                          std::string_view mountpoint = {}, broker::Permission* permission = nullptr) {
    broker::Session& session = connect(id, to, username);
    const auto who = identity(id, username);
    broker::ClientEvent event = event_of(*who);
    event.mountpoint = mountpoint;
    event.peer_port = 4711;
    event.permission = permission;
    broker.hooks().client_connected.run(event);
    return session;
  }
  AutoSubscribe module;
  Receiver sink;
};

TEST_F(AutoSubscribeTest, SubscribesWithPlaceholdersAndOptions) {
  SubscribeOptions options;
  options.qos = Qos::AtLeastOnce;
  options.no_local = true;
  topics({{"c/${clientid}/u/${username}", options}, {"h/${host}/${port}", {}}});
  broker::Session& session = arrive("c1", sink, "joe");
  ASSERT_TRUE(session.find_subscription("c/c1/u/joe"));
  EXPECT_EQ(session.find_subscription("c/c1/u/joe")->options, options);
  EXPECT_TRUE(session.find_subscription("h/10.0.0.1/4711"));
}

TEST_F(AutoSubscribeTest, SkipsWhatCannotBeFilledIn) {
  topics({{"u/${username}", {}}, {"x/${nothing}", {}}, {"bad/#/x", {}}, {"ok", {}}});
  broker::Session& session = arrive("c1", sink);
  EXPECT_EQ(session.subscription_count(), 1U);
  EXPECT_TRUE(session.find_subscription("ok"));
}

TEST_F(AutoSubscribeTest, ANameKeepsToItsLevel) {
  topics({{"c/${clientid}", {}}, {"u/${username}/x", {}}, {"${clientid}/${username}", {}}, {"ok", {}}});
  for (const char* wide : {"+", "#", "a/#", "a/b", "a+"}) {
    SCOPED_TRACE(wide);
    EXPECT_EQ(arrive(wide, sink, wide).subscription_count(), 1U);
    broker::Session& named = arrive("c1", sink, wide);
    EXPECT_EQ(named.subscription_count(), 2U);
    EXPECT_TRUE(named.find_subscription("c/c1"));
  }
  // What begins with '$' is the node's own, or a prefix.
  broker::Session& system = arrive("$SYS", sink, "joe");
  EXPECT_EQ(system.subscription_count(), 3U);
  EXPECT_TRUE(system.find_subscription("c/$SYS"));
  EXPECT_FALSE(system.find_subscription("$SYS/joe"));
}

struct Asked final : broker::Permission {
  void may_subscribe(std::string_view filter, Qos qos, Then then) override {
    asked.push_back(std::string(filter) + " " + std::to_string(to_int(qos)));
    if (filter == "later")
      late = std::move(then);
    else
      then(filter != "no");
  }
  std::vector<std::string> asked;
  Then late;
};

TEST_F(AutoSubscribeTest, MakesWhatIsAllowedWhenThatIsKnown) {
  SubscribeOptions options;
  options.qos = Qos::AtLeastOnce;
  topics({{"$share/g/yes", options}, {"no", {}}, {"later", {}}});
  Asked permission;
  broker::Session& session = arrive("c1", sink, {}, "m/", &permission);
  EXPECT_EQ(permission.asked, (std::vector<std::string>{"yes 1", "no 0", "later 0"}))
      << "as the client would name them";
  EXPECT_EQ(session.subscription_count(), 1U);
  EXPECT_TRUE(session.find_subscription("$share/g/m/yes"));
  permission.late(true);
  EXPECT_TRUE(session.find_subscription("m/later"));
  arrive("c2", sink, {}, {}, &permission);
  broker.close(*broker.find("c2"), {});
  permission.late(true);  // of a session that is gone
  EXPECT_FALSE(broker.find("c2"));
}

TEST_F(AutoSubscribeTest, MountsTheRealFilterAndReplaysRetained) {
  publish("m/r", "kept", Qos::AtMostOnce, nullptr, true);
  topics({{"r", {}}, {"$share/g/r", {}}});
  broker::Session& session = arrive("c1", sink, {}, "m/");
  EXPECT_TRUE(session.find_subscription("m/r"));
  EXPECT_TRUE(session.find_subscription("$share/g/m/r"));
  ASSERT_EQ(sink.got.size(), 1U);
  EXPECT_EQ(sink.got[0].payload, "kept");
  EXPECT_TRUE(sink.got[0].retain);
}

TEST_F(AutoSubscribeTest, AtMostTwentyAndNoneLeavesTheHook) {
  EXPECT_EQ(module.set_topics(std::vector<Topic>(21, {"t", {}})).error().code, Errc::Full);
  topics(std::vector<Topic>(20, {"t", {}}));
  EXPECT_FALSE(broker.hooks().client_connected.empty());
  topics({});
  EXPECT_TRUE(broker.hooks().client_connected.empty());
}

}  // namespace
}  // namespace sb::plugins::module::auto_subscribe
