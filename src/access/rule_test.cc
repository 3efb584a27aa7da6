#include "access/rule.h"

#include <gtest/gtest.h>

namespace sb::access {
namespace {

Subject who(std::string_view client_id = "c1", std::string_view username = "joe") {
  Subject out;
  out.client_id = client_id;
  out.username = username;
  return out;
}

Action publish(std::string_view topic, Qos qos = Qos::AtMostOnce, bool retain = false) {
  return {ActionKind::Publish, topic, qos, retain};
}
Action subscribe(std::string_view topic, Qos qos = Qos::AtMostOnce) {
  return {ActionKind::Subscribe, topic, qos, false};
}

Rule rule(const Rule::Text& text) {
  auto out = Rule::parse(text);
  EXPECT_TRUE(out) << out.error().what;
  return *out;
}

TEST(Rule, HoldsForItsActionOnly) {
  const Rule to_publish = rule({.action = "publish", .topic = "a/+"});
  EXPECT_TRUE(to_publish.matches(who(), publish("a/b")));
  EXPECT_FALSE(to_publish.matches(who(), subscribe("a/b")));
  EXPECT_FALSE(to_publish.matches(who(), publish("a/b/c")));
  EXPECT_TRUE(rule({.action = "all", .topic = "a"}).matches(who(), subscribe("a")));
}

TEST(Rule, HoldsForItsQosAndRetainOnly) {
  const Rule some = rule({.action = "all", .topic = "t", .qos = "0, 2", .retain = "1"});
  EXPECT_TRUE(some.matches(who(), publish("t", Qos::AtMostOnce, true)));
  EXPECT_TRUE(some.matches(who(), publish("t", Qos::ExactlyOnce, true)));
  EXPECT_FALSE(some.matches(who(), publish("t", Qos::AtLeastOnce, true)));
  EXPECT_FALSE(some.matches(who(), publish("t", Qos::AtMostOnce, false)));
  EXPECT_TRUE(some.matches(who(), subscribe("t", Qos::ExactlyOnce)));  // retain is of PUBLISH
  EXPECT_FALSE(some.matches(who(), subscribe("t", Qos::AtLeastOnce)));
}

TEST(Rule, PlaceholdersTakeTheClientsNamesAndNothingWider) {
  const Rule own = rule({.action = "all", .topic = "c/${clientid}/${username}"});
  EXPECT_TRUE(own.matches(who(), publish("c/c1/joe")));
  EXPECT_FALSE(own.matches(who("c2"), publish("c/c1/joe")));
  EXPECT_FALSE(own.matches(who("+", "#"), publish("c/x/y")));
  EXPECT_FALSE(own.matches(who("c1", ""), publish("c/c1/")));
  const Rule whole = rule({.action = "all", .topic = "${clientid}/#"});
  EXPECT_TRUE(whole.matches(who("c1"), subscribe("c1/#")));
  for (const char* name : {"$SYS", "$share", "$"}) {
    EXPECT_FALSE(whole.matches(who(name), subscribe(std::string(name) + "/#"))) << name;
    EXPECT_FALSE(whole.matches(who(name), publish(std::string(name) + "/x"))) << name;
  }
  EXPECT_TRUE(own.matches(who("$c"), publish("c/$c/joe"))) << "further down a '$' is a letter like others";
}

TEST(Rule, ALiteralIsComparedAsItIs) {
  const Rule literal = rule({.action = "subscribe", .topic = "eq a/#"});
  EXPECT_TRUE(literal.matches(who(), subscribe("a/#")));
  EXPECT_FALSE(literal.matches(who(), subscribe("a/b")));
}

TEST(Rule, RowsThatCannotBeAreRefused) {
  for (const Rule::Text& text :
       {Rule::Text{.permission = "maybe", .topic = "t"}, Rule::Text{.action = "read", .topic = "t"},
        Rule::Text{.topic = ""}, Rule::Text{.topic = "a/#/b"}, Rule::Text{.topic = "t", .qos = "3"},
        Rule::Text{.topic = "t", .qos = "0,"}, Rule::Text{.topic = "t", .retain = "2"}})
    EXPECT_FALSE(Rule::parse(text)) << text.permission << text.action << text.topic << text.qos << text.retain;
}

TEST(Rule, TheFirstThatMatchesDecides) {
  const Rule rules[] = {rule({.permission = "deny", .topic = "a/b"}), rule({.permission = "allow", .topic = "a/#"})};
  EXPECT_EQ(first_match(rules, who(), publish("a/b")), Answer::Deny);
  EXPECT_EQ(first_match(rules, who(), publish("a/c")), Answer::Allow);
  EXPECT_EQ(first_match(rules, who(), publish("b")), Answer::NoMatch);
  EXPECT_EQ(first_match({}, who(), publish("b")), Answer::NoMatch);
}

}  // namespace
}  // namespace sb::access
