#include "access/authz/rule_table.h"

#include "access/authz/rule_json.h"
#include "access/authz/store_rule_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sb::access::authz {
namespace {

using testing::HasSubstr;

Subject who(std::string_view client_id, std::string_view username = {}) {
  Subject out;
  out.client_id = client_id;
  out.username = username;
  return out;
}
Action publish(std::string_view topic) {
  return {ActionKind::Publish, topic, Qos::AtMostOnce, false};
}
RuleText rule(std::string topic, bool allow = true) {
  RuleText out;
  out.topic = std::move(topic);
  out.allow = allow;
  return out;
}

TEST(RuleTable, AsksTheClientThenTheUserThenEverybody) {
  RuleTable table;
  ASSERT_TRUE(table.put(Holder::All, "", {rule("t", false)}));
  EXPECT_EQ(table.decide(who("c", "u"), publish("t")), Answer::Deny);
  ASSERT_TRUE(table.put(Holder::Username, "u", {rule("t", true)}));
  EXPECT_EQ(table.decide(who("c", "u"), publish("t")), Answer::Allow);
  ASSERT_TRUE(table.put(Holder::ClientId, "c", {rule("t", false)}));
  EXPECT_EQ(table.decide(who("c", "u"), publish("t")), Answer::Deny);
  EXPECT_EQ(table.decide(who("d", "u"), publish("t")), Answer::Allow);
  EXPECT_EQ(table.decide(who("d"), publish("x")), Answer::NoMatch);
}

TEST(RuleTable, OfNobodyAreNotThoseOfTheEmptyName) {
  RuleTable table;
  ASSERT_TRUE(table.put(Holder::Username, "u", {rule("t")}));
  EXPECT_EQ(table.decide(who("c", ""), publish("t")), Answer::NoMatch);
}

TEST(RuleTable, AddsAllOrNothing) {
  RuleTable table;
  ASSERT_TRUE(table.put(Holder::Username, "b", {}));
  std::vector<RuleTable::Stored> rows;
  for (const char* name : {"a", "b", "c"}) rows.push_back({Holder::Username, name, {rule("t")}});
  const auto refused = table.add(Holder::Username, rows);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Exists);
  EXPECT_EQ(refused.error().what, "b");
  EXPECT_FALSE(table.find(Holder::Username, "a"));
  ASSERT_TRUE(table.erase(Holder::Username, "b"));
  EXPECT_TRUE(table.add(Holder::Username, rows));
  EXPECT_EQ(table.erase(Holder::Username, "nobody").error().code, Errc::NotFound);
}

TEST(RuleTable, RefusesRulesThatCannotBeByTheirNumber) {
  RuleTable table;
  const auto refused = table.put(Holder::All, "", {rule("a"), rule("a/#/b")});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("rule 2:"));
  EXPECT_FALSE(table.put(Holder::All, "", std::vector<RuleText>(RuleTable::kRulesMax + 1, rule("a"))));
  EXPECT_FALSE(table.find(Holder::All, ""));
}

TEST(RuleTable, TellsOfEveryChangeAndListsInOrder) {
  RuleTable table;
  int changes = 0;
  table.on_change([&] { ++changes; });
  for (const char* name : {"joe", "ann", "jon"}) ASSERT_TRUE(table.put(Holder::ClientId, name, {rule("t")}));
  EXPECT_FALSE(table.put(Holder::ClientId, "x", {rule("")}));
  EXPECT_EQ(changes, 3);
  auto page = table.list(Holder::ClientId, 1, 1, std::nullopt);
  EXPECT_EQ(page.count, 3U);
  ASSERT_EQ(page.rows.size(), 1U);
  EXPECT_EQ(page.rows[0]->who, "joe");
  EXPECT_EQ(table.list(Holder::ClientId, 0, 9, "jo").count, 2U);
  ASSERT_TRUE(table.clear());
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(changes, 4);
}

TEST(RuleTable, SurvivesInTheStore) {
  const auto store = store::make_memory();
  StoreRuleLog log(*store);
  RuleTable table;
  table.open({}, &log);
  RuleText text = rule("a/${clientid}", false);
  text.action = "subscribe";
  text.qos = 5;
  text.retain = true;
  ASSERT_TRUE(table.put(Holder::ClientId, "joe", {text, rule("eq a/#")}));
  ASSERT_TRUE(table.put(Holder::All, "", {rule("b")}));
  ASSERT_TRUE(table.put(Holder::Username, "gone", {rule("b")}));
  ASSERT_TRUE(table.erase(Holder::Username, "gone"));
  auto stored = log.load();
  ASSERT_TRUE(stored) << stored.error().what;
  RuleTable again;
  again.open(*std::move(stored), &log);
  EXPECT_EQ(again.size(), 2U);
  ASSERT_TRUE(again.find(Holder::ClientId, "joe"));
  EXPECT_EQ(again.find(Holder::ClientId, "joe")->texts, (std::vector<RuleText>{text, rule("eq a/#")}));
  EXPECT_EQ(again.decide(who("x"), publish("b")), Answer::Allow);
  ASSERT_TRUE(again.clear());
  EXPECT_TRUE(log.load()->empty());
}

TEST(RuleJson, IsReadBackAsItIsWritten) {
  RuleText text = rule("t \"x\"/#", false);
  text.qos = 6;
  text.retain = false;
  const std::vector<RuleText> rules = {text, rule("a")};
  const std::string json = rules_to_json(rules);
  EXPECT_EQ(json, R"([{"topic":"t \"x\"/#","permission":"deny","action":"all","qos":[1,2],"retain":false},)"
                  R"({"topic":"a","permission":"allow","action":"all","qos":[0,1,2],"retain":"all"}])");
  EXPECT_EQ(*rules_from_json(json), rules);
}

TEST(RuleJson, RefusesWhatIsNoRule) {
  for (const char* text :
       {"{}", "[1]", R"([{"topic":"a","permission":"allow"}])", R"([{"topic":1,"permission":"allow","action":"all"}])",
        R"([{"topic":"a","permission":"yes","action":"all"}])",
        R"([{"topic":"a","permission":"allow","action":"read"}])",
        R"([{"topic":"a","permission":"allow","action":"all","qos":[3]}])",
        R"([{"topic":"a","permission":"allow","action":"all","qos":[]}])",
        R"([{"topic":"a","permission":"allow","action":"all","retain":1}])",
        R"([{"topic":"a","permission":"allow","action":"all","x":1}])", "["})
    EXPECT_FALSE(rules_from_json(text)) << text;
}

TEST(RuleTable, WhatWasAskedForBeforeItWasClearedComesTooLate) {
  RuleTable table;
  const auto asked = table.epoch();
  ASSERT_TRUE(table.put(Holder::Username, "joe", {RuleText{.topic = "t"}}, asked));
  ASSERT_TRUE(table.clear());
  EXPECT_FALSE(table.put(Holder::Username, "joe", {RuleText{.topic = "t"}}, asked));
  EXPECT_FALSE(table.add(Holder::Username, {{Holder::Username, "joe", {}}}, asked));
  EXPECT_EQ(table.size(), 0U);
  EXPECT_TRUE(table.put(Holder::Username, "joe", {RuleText{.topic = "t"}}, table.epoch()));
}

}  // namespace
}  // namespace sb::access::authz
