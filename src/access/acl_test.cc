#include "access/acl.h"

#include "access/detail/filter_cover.h"
#include "access/testing/rules.h"

#include <gtest/gtest.h>

namespace sb::access {
namespace {

using rules_fixture::acl;
using rules_fixture::client;
using rules_fixture::kReferenceRules;
using rules_fixture::publish;
using rules_fixture::subscribe;

std::string acl_error(std::string_view text) {
  auto parsed = Acl::parse(text);
  return parsed ? std::string("accepted") : parsed.error().what;
}

TEST(Acl, RulesOfTheReferenceDecideAsDocumented) {
  const AclRef rules = acl(kReferenceRules);
  ASSERT_EQ(rules->size(), 4U);
  EXPECT_EQ(rules->match(client("c", "dashboard"), subscribe("$SYS/#")), Answer::Allow);
  EXPECT_EQ(rules->match(client("c", "dashboard2"), subscribe("$SYS/#")), Answer::Deny);
  EXPECT_EQ(rules->match(client("c", "u", "127.0.0.1"), subscribe("#")), Answer::Allow);
  EXPECT_EQ(rules->match(client("c", "u", "127.0.0.1"), subscribe("$SYS/brokers")), Answer::Allow);
  EXPECT_EQ(rules->match(client("c"), subscribe("#")), Answer::Deny);
  EXPECT_EQ(rules->match(client("c"), subscribe("+/#")), Answer::Deny);
  EXPECT_EQ(rules->match(client("c"), subscribe("$SYS/brokers/+/version")), Answer::Deny);
  EXPECT_EQ(rules->match(client("c"), subscribe("a/#")), Answer::Allow);
  EXPECT_EQ(rules->match(client("c"), publish("$SYS/x")), Answer::Allow);
  EXPECT_TRUE(rules->never_denies_publish());
  EXPECT_TRUE(rules->allows_every_publish());
}

TEST(Acl, APatternIsNotPassedByAnEndOfLine) {
  const AclRef rules = acl("{deny, {clientid, {re, \"^bad-.*$\"}}, all, [\"#\"]}.\n{allow, all}.");
  for (const char* name : {"bad-1", "bad-1\n", "bad-\nx"})
    EXPECT_EQ(rules->match(client(name), publish("t")), Answer::Deny) << name;
  EXPECT_EQ(rules->match(client("good"), publish("t")), Answer::Allow);
  EXPECT_NE(acl_error("{allow, {'and', []}, all, [\"t\"]}."), "accepted") << "nobody named is not everybody";
}

TEST(Acl, FirstMatchWinsAndNothingIsNoMatch) {
  const AclRef rules = acl("{deny, all, publish, [\"a/b\"]}.\n{allow, all, all, [\"a/#\"]}.");
  EXPECT_EQ(rules->match(client("c"), publish("a/b")), Answer::Deny);
  EXPECT_EQ(rules->match(client("c"), publish("a/c")), Answer::Allow);
  EXPECT_EQ(rules->match(client("c"), publish("b")), Answer::NoMatch);
  EXPECT_FALSE(rules->never_denies_publish());
}

TEST(Acl, ClientsByNameAddressAndCombination) {
  const AclRef rules =
      acl("{allow, {user, \"u1\"}, publish, [\"1\"]}. {allow, {client, {re, \"^dev-[0-9]+$\"}}, publish, [\"2\"]}.\n"
          "{allow, {ipaddr, \"10.0.0.0/9\"}, publish, [\"3\"]}. {allow, {ipaddrs, [\"::1\", \"fd00::/8\"]}, publish, "
          "[\"4\"]}.\n"
          "{allow, {'and', [{user, \"u\"}, {ipaddr, \"10.1.2.3\"}]}, publish, [\"5\"]}.\n"
          "{allow, {'or', [{user, \"x\"}, {clientid, \"y\"}]}, publish, [\"6\"]}.");
  const auto allowed = [&](Subject who, std::string_view topic) {
    return rules->match(who, publish(topic)) == Answer::Allow;
  };
  EXPECT_TRUE(allowed(client("c", "u1"), "1"));
  EXPECT_FALSE(allowed(client("c"), "1"));
  EXPECT_TRUE(allowed(client("dev-17"), "2"));
  EXPECT_FALSE(allowed(client("dev-17x"), "2"));
  EXPECT_TRUE(allowed(client("c", "", "10.127.255.255"), "3"));
  EXPECT_FALSE(allowed(client("c", "", "10.128.0.0"), "3"));
  EXPECT_TRUE(allowed(client("c", "", "::ffff:10.0.0.1"), "3"));
  EXPECT_TRUE(allowed(client("c", "", "fd12::9"), "4"));
  EXPECT_FALSE(allowed(client("c", "", "fe80::9"), "4"));
  EXPECT_TRUE(allowed(client("c", "u"), "5"));
  EXPECT_FALSE(allowed(client("c", "u", "10.1.2.4"), "5"));
  EXPECT_TRUE(allowed(client("y"), "6"));
  EXPECT_FALSE(allowed(client("z"), "6"));
}

TEST(Acl, RegularExpressionsSearchUnlessAnchored) {
  const AclRef rules = acl("{deny, {username, {re, \"ad\"}}, all, [\"#\"]}.");
  EXPECT_EQ(rules->match(client("c", "bad1"), publish("t")), Answer::Deny);
  EXPECT_EQ(rules->match(client("c", "good"), publish("t")), Answer::NoMatch);
}

TEST(Acl, ActionsMayNameQosAndRetain) {
  const AclRef rules =
      acl("{allow, all, {publish, [{qos, [0, 1]}, {retain, false}]}, [\"p\"]}."
          "{allow, all, {subscribe, [{qos, 1}]}, [\"s\"]}. {allow, all, {all, [{qos, 2}, {retain, all}]}, [\"x\"]}.");
  EXPECT_EQ(rules->match(client("c"), publish("p", Qos::AtLeastOnce)), Answer::Allow);
  EXPECT_EQ(rules->match(client("c"), publish("p", Qos::ExactlyOnce)), Answer::NoMatch);
  EXPECT_EQ(rules->match(client("c"), publish("p", Qos::AtMostOnce, true)), Answer::NoMatch);
  EXPECT_EQ(rules->match(client("c"), subscribe("s", Qos::AtLeastOnce)), Answer::Allow);
  EXPECT_EQ(rules->match(client("c"), subscribe("s")), Answer::NoMatch);
  EXPECT_EQ(rules->match(client("c"), subscribe("x", Qos::ExactlyOnce)), Answer::Allow);
  EXPECT_EQ(rules->match(client("c"), publish("x", Qos::ExactlyOnce, true)), Answer::Allow);
}

TEST(Acl, PlaceholdersNeverWidenARule) {
  const AclRef rules =
      acl("{allow, all, all, [\"c/${clientid}/#\", \"u/${username}\", \"n/${cert_common_name}\", \"l/${x}\"]}.");
  EXPECT_EQ(rules->match(client("me"), publish("c/me/t")), Answer::Allow);
  EXPECT_EQ(rules->match(client("me"), publish("c/you/t")), Answer::NoMatch);
  EXPECT_EQ(rules->match(client("+"), publish("c/you/t")), Answer::NoMatch);
  EXPECT_EQ(rules->match(client("a/b"), publish("c/a/b/t")), Answer::NoMatch);
  EXPECT_EQ(rules->match(client("me"), publish("u/undefined")), Answer::NoMatch);
  EXPECT_EQ(rules->match(client("me", "joe"), publish("u/joe")), Answer::Allow);
  EXPECT_EQ(rules->match(client("me"), publish("l/${x}")), Answer::Allow);
  Subject named = client("me");
  named.common_name = "cn";
  EXPECT_EQ(rules->match(named, publish("n/cn")), Answer::Allow);
}

TEST(Acl, EqIsLiteral) {
  const AclRef rules = acl("{allow, all, subscribe, [{eq, \"a/#\"}, \"eq b/+\"]}.");
  EXPECT_EQ(rules->match(client("c"), subscribe("a/#")), Answer::Allow);
  EXPECT_EQ(rules->match(client("c"), subscribe("a/b")), Answer::NoMatch);
  EXPECT_EQ(rules->match(client("c"), subscribe("b/+")), Answer::Allow);
  EXPECT_EQ(rules->match(client("c"), subscribe("b/x")), Answer::NoMatch);
}

TEST(Acl, ASubscriptionNeedsACoveringRule) {
  const AclRef allow = acl("{allow, all, subscribe, [\"t/+\"]}.");
  EXPECT_EQ(allow->match(client("c"), subscribe("t/#")), Answer::NoMatch);
  EXPECT_EQ(allow->match(client("c"), subscribe("t/+")), Answer::Allow);
  const AclRef deny = acl("{deny, all, subscribe, [\"t/+\"]}.");
  EXPECT_EQ(deny->match(client("c"), subscribe("t/#")), Answer::Deny);
  EXPECT_EQ(deny->match(client("c"), subscribe("t/x")), Answer::Deny);
}

TEST(FilterCover, IncludesExactlyWhatItMatches) {
  using detail::covers;
  EXPECT_TRUE(covers("t/#", "t/+"));
  EXPECT_TRUE(covers("t/#", "t"));
  EXPECT_TRUE(covers("t/#", "t/#"));
  EXPECT_TRUE(covers("+/#", "#"));
  EXPECT_TRUE(covers("#", "+/#"));
  EXPECT_FALSE(covers("+/+/#", "#"));
  EXPECT_FALSE(covers("a/+/#", "a/#"));
  EXPECT_FALSE(covers("#", "$SYS/#"));
  EXPECT_FALSE(covers("+/a", "$x/a"));
  EXPECT_TRUE(covers("$SYS/#", "$SYS/a/+"));
  EXPECT_FALSE(covers("a", "+"));
  EXPECT_FALSE(covers("a/b", "a"));
}

TEST(Acl, ErrorsNameTheLine) {
  EXPECT_EQ(acl_error("{allow, all}.\n% note\n{permit, all}."), "line 3: a rule begins with allow or deny");
  EXPECT_EQ(acl_error("{allow, all}"), "line 1: expected '.' after the term");
  EXPECT_EQ(acl_error("\n{allow, all, publish, [\"a/#/b\"]}."), "line 2: not a topic filter: \"a/#/b\"");
  EXPECT_EQ(acl_error("{allow, {ipaddr, \"10.0.0.0/33\"}, all, [\"a\"]}."),
            "line 1: not an address or network: \"10.0.0.0/33\"");
  EXPECT_EQ(acl_error("{allow, all, {publish, {qos, 1}}, [\"a\"]}."), "line 1: options of an action are a list");
  EXPECT_EQ(acl_error("{allow, all, {subscribe, [{retain, true}]}, [\"a\"]}."),
            "line 1: retain is an option of publish");
  EXPECT_EQ(acl_error("{allow, {username, {re, \"(\"}}, all, [\"a\"]}.").rfind("line 1: regular expression", 0), 0U);
  EXPECT_EQ(acl_error("{allow, all, all,\n[\"a\""), "line 2: '[' without ']'");
  EXPECT_EQ(acl_error("{allow, all, all, [\"a"), "line 1: text without closing quote");
  EXPECT_EQ(acl_error("{allow}."), "line 1: a rule is {allow | deny, all} or {allow | deny, Who, Action, Topics}");
  EXPECT_EQ(acl_error(std::string(40, '[')), "line 1: nested too deeply");
  EXPECT_EQ(acl_error("{allow, {group, \"g\"}, all, [\"a\"]}."), "line 1: unknown kind of client: group");
}

}  // namespace
}  // namespace sb::access
