#include "plugins/module/rewrite/rewrite.h"

#include "broker/testing/module_fixture.h"

namespace sb::plugins::module::rewrite {
namespace {

using namespace module_fixture;

class RewriteTest : public ModuleTest {
 protected:
  RewriteTest() : module(context) {
    module.join(broker);
    subscribe(connect("all", all), "#");
  }
  void rules(std::vector<Rule> list) {
    ASSERT_TRUE(module.set_rules(std::move(list)));
    turn();
  }
  std::string published(std::string_view topic, const broker::IdentityRef& from = nullptr) {
    all.got.clear();
    publish(topic, "x", Qos::AtMostOnce, from);
    return all.got.empty() ? "" : all.got[0].topic;
  }
  std::string filter(const std::string& text, const std::string& id = "c1", const std::string& username = "joe") {
    std::vector<broker::FilterRequest> requests{{text, {}}};
    broker.hooks().client_subscribe.run(*identity(id, username), requests);
    return requests[0].filter;
  }
  Rewrite module;
  Receiver all;
};

TEST_F(RewriteTest, CostsNothingWithoutRules) {
  EXPECT_TRUE(broker.hooks().message_publish.empty());
  rules({{Applies::All, "x/#", "y", "^x/(.+)$"}});
  EXPECT_FALSE(broker.hooks().message_publish.empty());
  EXPECT_FALSE(broker.hooks().client_unsubscribe.empty());
  rules({});
  EXPECT_TRUE(broker.hooks().message_publish.empty());
  EXPECT_TRUE(broker.hooks().client_subscribe.empty());
}

TEST_F(RewriteTest, PutsGroupsAndPlaceholdersInPlace) {
  rules({{Applies::Publish, "x/#", "z/$2/$1/${clientid}/${username}/$3", "^x/(\\w+)/(\\w+)$"}});
  EXPECT_EQ(published("x/a/b", identity("c1", "joe")), "z/b/a/c1/joe/$3");
  EXPECT_EQ(published("x/a/b", identity("c1")), "z/b/a/c1/${username}/$3");
  EXPECT_EQ(published("x/a"), "x/a");
  EXPECT_EQ(published("y/a/b"), "y/a/b");
}

TEST_F(RewriteTest, LaterRulesWinAndTheFirstMatchingFilterDecides) {
  rules({{Applies::All, "a/#", "first/$1", "^a/(.+)$"}, {Applies::All, "a/b/#", "second", "^a/b/only$"}});
  EXPECT_EQ(published("a/c"), "first/c");
  EXPECT_EQ(published("a/b/only"), "second");
  EXPECT_EQ(published("a/b/other"), "a/b/other");  // the later rule's filter matched, its expression did not
}

TEST_F(RewriteTest, RewritesTheRealFilterOfSubscriptions) {
  rules({{Applies::Subscribe, "y/+/z/#", "y/z/$2", "^y/(.+)/z/(.+)$"}});
  EXPECT_EQ(filter("y/a/z/b"), "y/z/b");
  EXPECT_EQ(filter("$share/g/y/a/z/b"), "$share/g/y/z/b");
  EXPECT_EQ(filter("$exclusive/y/a/z/b"), "$exclusive/y/z/b");
  EXPECT_EQ(filter("y/a/z/#"), "y/z/#");
  EXPECT_EQ(published("y/a/z/b"), "y/a/z/b");  // subscribe rules leave publishing alone
  std::vector<std::string> gone{"y/a/z/b"};
  broker.hooks().client_unsubscribe.run(*identity("c1"), gone);
  EXPECT_EQ(gone[0], "y/z/b");
}

TEST_F(RewriteTest, ABadExpressionIsSkippedAndABadResultIgnored) {
  rules({{Applies::All, "a/#", "b", "(unclosed"}});
  EXPECT_EQ(module.rules().size(), 1U);
  EXPECT_EQ(published("a/x"), "a/x");
  rules({{Applies::Publish, "a/#", "b/${clientid}", ".*"}});
  EXPECT_EQ(published("a/x", identity("c+")), "a/x");
}

TEST_F(RewriteTest, ANameThatLeadsOutOfItsLevelLeavesTheTopicAsItWas) {
  rules({{Applies::All, "my/#", "d/${clientid}/$1", "^my/(.+)$"}, {Applies::All, "us/+", "${username}/x", ".*"}});
  EXPECT_EQ(filter("my/#"), "d/c1/#") << "of the filter itself wildcards are kept";
  for (const char* wide : {"+", "#", "a/b", "a/#"}) {
    SCOPED_TRACE(wide);
    EXPECT_EQ(filter("my/t", wide), "my/t");
    EXPECT_EQ(filter("us/t", "c1", wide), "us/t");
    EXPECT_EQ(published("my/t", identity(wide)), "my/t");
    EXPECT_EQ(published("us/t", identity("c1", wide)), "us/t");
    std::vector<std::string> gone{"my/t"};
    broker.hooks().client_unsubscribe.run(*identity(wide), gone);
    EXPECT_EQ(gone[0], "my/t");
  }
  EXPECT_EQ(filter("us/t", "c1", "$SYS"), "us/t");
  EXPECT_EQ(filter("my/t", "$SYS"), "d/$SYS/t");
}

TEST_F(RewriteTest, WildcardsAreRefusedAndAFileMayHoldMany) {
  EXPECT_TRUE(module.set_rules(std::vector<Rule>(300, {Applies::All, "a", "b", "c"})));
  EXPECT_EQ(module.set_rules({{Applies::All, "a", "b/#", "c"}}).error().code, Errc::Invalid);
  EXPECT_EQ(module.set_rules({{Applies::Publish, "a", "b/+", "c"}}).error().code, Errc::Invalid);
  EXPECT_EQ(module.rules().size(), 300U);
  EXPECT_TRUE(module.set_rules({{Applies::Subscribe, "a", "b/#", "c"}}));
}

TEST_F(RewriteTest, AMessageWithANewTopicIsKeptUnderIt) {
  rules({{Applies::Publish, "a/+", "b/$1", "^a/(.+)$"}});
  Receiver later;
  subscribe(connect("offline", later, {}, 100, false), "b/#", Qos::AtLeastOnce);
  broker.close(*broker.find("offline"), {});
  publish("a/1", "p", Qos::AtLeastOnce);
  broker::Session& back = connect("offline", later, {}, 100, false);
  back.replay();
  ASSERT_EQ(later.got.size(), 1U);
  EXPECT_EQ(later.got[0].topic, "b/1");
}

}  // namespace
}  // namespace sb::plugins::module::rewrite
