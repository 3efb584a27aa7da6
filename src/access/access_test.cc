#include "access/access_control.h"
#include "access/detail/filter_cover.h"

#include <gtest/gtest.h>

namespace sb::access {
namespace {

using namespace std::chrono_literals;

Subject client(std::string_view id, std::string_view user = {}, std::string_view host = "10.1.2.3") {
  Subject subject;
  subject.client_id = id;
  subject.username = user;
  subject.peer_host = host;
  return subject;
}
Action publish(std::string_view topic, Qos qos = Qos::AtMostOnce, bool retain = false) {
  return {ActionKind::Publish, topic, qos, retain};
}
Action subscribe(std::string_view filter, Qos qos = Qos::AtMostOnce) {
  return {ActionKind::Subscribe, filter, qos, false};
}

AclRef acl(std::string_view text) {
  auto parsed = Acl::parse(text);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().what);
  return parsed ? *parsed : nullptr;
}
std::string acl_error(std::string_view text) {
  auto parsed = Acl::parse(text);
  return parsed ? std::string("accepted") : parsed.error().what;
}

// access-control 7.2
constexpr std::string_view kReferenceRules =
    "{allow, {username, {re, \"^dashboard$\"}}, subscribe, [\"$SYS/#\"]}.\n"
    "{allow, {ipaddr, \"127.0.0.1\"}, all, [\"$SYS/#\", \"#\"]}.\n"
    "{deny, all, subscribe, [\"$SYS/#\", {eq, \"#\"}]}.\n"
    "{allow, all}.\n";

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

struct RecordingLog final : BanLog {
  void put(const Ban& ban) override { lines.push_back("+" + ban.who); }
  void erase(BanKind, std::string_view who) override { lines.push_back("-" + std::string(who)); }
  std::vector<std::string> lines;
};

Ban ban_of(BanKind as, std::string who, std::int64_t until_ms = 0) {
  Ban ban;
  ban.as = as;
  ban.who = std::move(who);
  ban.until_ms = until_ms;
  return ban;
}

TEST(BanTable, ChecksIdUsernameAndAddress) {
  ManualClock clock;
  BanTable table(clock);
  EXPECT_FALSE(table.banned("c", "u", "1.2.3.4"));
  ASSERT_TRUE(table.create(ban_of(BanKind::ClientId, "c")));
  ASSERT_TRUE(table.create(ban_of(BanKind::Username, "u")));
  ASSERT_TRUE(table.create(ban_of(BanKind::PeerHost, "1.2.3.4")));
  EXPECT_TRUE(table.banned("c", "", ""));
  EXPECT_TRUE(table.banned("x", "u", ""));
  EXPECT_TRUE(table.banned("x", "", "1.2.3.4"));
  EXPECT_FALSE(table.banned("u", "c", "1.2.3.5"));
  EXPECT_EQ(table.list().bans.size(), 3U);
  EXPECT_EQ(table.list(1, 1).bans.at(0).who, "u");
  EXPECT_TRUE(table.erase(BanKind::ClientId, "c"));
  EXPECT_FALSE(table.erase(BanKind::ClientId, "c"));
  EXPECT_FALSE(table.banned("c", "", ""));
}

TEST(BanTable, AnAddressMayBeWrittenInAnyWay) {
  ManualClock clock;
  RecordingLog log;
  BanTable table(clock);
  Ban old = ban_of(BanKind::PeerHost, "::FFFF:10.0.0.1", clock.wall_ms() + 5000);
  table.open({old}, &log);
  EXPECT_TRUE(table.banned("c", "", "10.0.0.1"));
  EXPECT_EQ(log.lines, (std::vector<std::string>{"-::FFFF:10.0.0.1", "+10.0.0.1"}));
  EXPECT_EQ(table.create(ban_of(BanKind::PeerHost, "0:0:0:0:0:0:0:1"))->who, "::1");
  EXPECT_TRUE(table.banned("c", "", "::1"));
  EXPECT_FALSE(table.create(ban_of(BanKind::PeerHost, "::0001"))) << "it is there already";
  EXPECT_TRUE(table.lookup(BanKind::PeerHost, "0::1"));
  EXPECT_TRUE(table.erase(BanKind::PeerHost, "0:0::1"));
  EXPECT_FALSE(table.banned("c", "", "::1"));
  ASSERT_TRUE(table.create(ban_of(BanKind::ClientId, "0::1")));
  EXPECT_TRUE(table.banned("0::1", "", "")) << "client ids are no addresses";
}

TEST(BanTable, ANetworkBeginsAtItsFirstAddress) {
  ManualClock clock;
  BanTable table(clock);
  EXPECT_EQ(table.create(ban_of(BanKind::PeerHostNet, "10.0.0.7/8"))->who, "10.0.0.0/8");
  EXPECT_FALSE(table.create(ban_of(BanKind::PeerHostNet, "10.9.0.0/8"))) << "it is there already";
  EXPECT_TRUE(table.banned("c", "", "10.255.0.1"));
  EXPECT_TRUE(table.lookup(BanKind::PeerHostNet, "::ffff:10.0.0.1/104"));
  EXPECT_TRUE(table.erase(BanKind::PeerHostNet, "10.1.1.1/8"));
  EXPECT_FALSE(table.banned("c", "", "10.255.0.1"));
  EXPECT_EQ(canonical(BanKind::PeerHostNet, "FD00::1/64"), "fd00::/64");
  EXPECT_EQ(canonical(BanKind::PeerHostNet, "192.0.2.1"), "192.0.2.1/32");
  EXPECT_EQ(canonical(BanKind::PeerHostNet, "192.0.2.1/0"), "0.0.0.0/0");
  EXPECT_EQ(canonical(BanKind::PeerHostNet, "::1/0"), "::/0");
  EXPECT_EQ(canonical(BanKind::PeerHostNet, "10.0.0.0/33"), "10.0.0.0/33") << "none";
}

TEST(BanTable, ABanEndsAfterItBegins) {
  ManualClock clock;
  BanTable table(clock);
  Ban ban = ban_of(BanKind::ClientId, "c", clock.wall_ms() + 5000);
  ban.at_ms = clock.wall_ms() + 6000;
  EXPECT_EQ(table.create(ban).error().what, "until is before at");
  ban.at_ms = clock.wall_ms() + 4000;
  EXPECT_TRUE(table.create(ban));
}

TEST(BanTable, PatternsAreHeldAgainstEveryName) {
  ManualClock clock;
  BanTable table(clock);
  ASSERT_TRUE(table.create(ban_of(BanKind::ClientIdRe, "^bot-[0-9]+$", clock.wall_ms() + 5000)));
  ASSERT_TRUE(table.create(ban_of(BanKind::UsernameRe, "trial")));
  ASSERT_TRUE(table.create(ban_of(BanKind::PeerHostNet, "10.1.0.0/16")));
  EXPECT_TRUE(table.banned("bot-7", "", "1.1.1.1"));
  EXPECT_FALSE(table.banned("bot-7x", "", "1.1.1.1"));
  EXPECT_TRUE(table.banned("c", "my-trial-2", "1.1.1.1")) << "found anywhere";
  EXPECT_FALSE(table.banned("trial", "", "1.1.1.1")) << "a client id is no username";
  EXPECT_TRUE(table.banned("c", "", "10.1.255.3"));
  EXPECT_TRUE(table.banned("c", "", "::ffff:10.1.0.3"));
  EXPECT_FALSE(table.banned("c", "", "10.2.0.1"));
  EXPECT_FALSE(table.banned("c", "", "no address"));
  EXPECT_EQ(table.create(ban_of(BanKind::ClientIdRe, "^bot-[0-9]+$")).error().code, Errc::Exists);
  EXPECT_EQ(table.create(ban_of(BanKind::ClientIdRe, "(")).error().what, "bad clientid_re '(': missing ): (");
  EXPECT_EQ(table.create(ban_of(BanKind::PeerHostNet, "10.1.0.0/33")).error().code, Errc::Invalid);
  clock.advance(5s);
  EXPECT_FALSE(table.banned("bot-7", "", "1.1.1.1"));
  EXPECT_TRUE(table.erase(BanKind::UsernameRe, "trial"));
  EXPECT_FALSE(table.banned("c", "trial", "1.1.1.1"));
}

TEST(BanTable, PatternsAreBounded) {
  ManualClock clock;
  BanTable table(clock);
  std::vector<Ban> stored = {ban_of(BanKind::UsernameRe, "(", Ban::kForever)};
  for (std::size_t i = 0; i < BanTable::kPatternsMax; ++i)
    stored.push_back(ban_of(BanKind::ClientIdRe, "c" + std::to_string(i), Ban::kForever));
  table.open(std::move(stored), nullptr);
  EXPECT_EQ(table.size(), BanTable::kPatternsMax) << "what is no pattern any more is left out";
  EXPECT_EQ(table.create(ban_of(BanKind::PeerHostNet, "10.0.0.0/8")).error().code, Errc::Full);
  EXPECT_TRUE(table.create(ban_of(BanKind::ClientId, "c")));
  EXPECT_TRUE(table.erase(BanKind::ClientIdRe, "c1"));
  EXPECT_TRUE(table.create(ban_of(BanKind::PeerHostNet, "10.0.0.0/8")));
}

TEST(BanTable, CountsThoseThatItLists) {
  ManualClock clock;
  BanTable table(clock);
  ASSERT_TRUE(table.create(ban_of(BanKind::ClientId, "a", clock.wall_ms() + 1000)));
  ASSERT_TRUE(table.create(ban_of(BanKind::ClientId, "b", clock.wall_ms() + 9000)));
  EXPECT_EQ(table.list(0, 0).count, 2U);
  const auto only_b = table.list(0, 9, [](const Ban& ban) { return ban.who == "b"; });
  EXPECT_EQ(only_b.count, 1U);
  EXPECT_EQ(only_b.bans.at(0).who, "b");
  clock.advance(2s);
  EXPECT_EQ(table.list(0, 0).count, 1U) << "before it is swept";
}

TEST(BanTable, DuplicatesAreRefusedAndExpiredOnesOverwritten) {
  ManualClock clock;
  RecordingLog log;
  BanTable table(clock);
  table.open({}, &log);
  const auto first = table.create(ban_of(BanKind::ClientId, "c", clock.wall_ms() + 1000));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->by, "mgmt_api");
  EXPECT_EQ(first->at_ms, clock.wall_ms());
  const auto again = table.create(ban_of(BanKind::ClientId, "c"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::Exists);
  EXPECT_EQ(again.error().what, "already_exist");
  clock.advance(1s);
  EXPECT_FALSE(table.banned("c", "", ""));
  EXPECT_FALSE(table.lookup(BanKind::ClientId, "c"));
  EXPECT_TRUE(table.create(ban_of(BanKind::ClientId, "c")));
  EXPECT_EQ(table.create(ban_of(BanKind::ClientId, "d", clock.wall_ms())).error().what, "already_expired");
  EXPECT_EQ(table.create(ban_of(BanKind::PeerHost, "nohost")).error().code, Errc::Invalid);
  EXPECT_EQ(log.lines, (std::vector<std::string>{"+c", "+c"}));
}

TEST(BanTable, SweepsAndSurvivesWallSteps) {
  ManualClock clock;
  RecordingLog log;
  BanTable table(clock);
  table.open({ban_of(BanKind::ClientId, "old", clock.wall_ms() - 1),
              ban_of(BanKind::ClientId, "kept", clock.wall_ms() + 5000)},
             &log);
  EXPECT_EQ(log.lines, (std::vector<std::string>{"-old"}));
  clock.step_wall(-24h);
  clock.advance(4s);
  EXPECT_TRUE(table.banned("kept", "", ""));
  clock.advance(1s);
  EXPECT_FALSE(table.banned("kept", "", ""));
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.sweep(), 1U);
  EXPECT_EQ(table.size(), 0U);
  auto forever = ban_of(BanKind::Username, "u", Ban::kForever);
  ASSERT_TRUE(table.create(forever));
  clock.advance(24h * 4000);
  EXPECT_TRUE(table.banned("", "u", ""));
}

TEST(Flapping, CountsInsideTheWindowOnly) {
  FlappingDetector detector;
  const FlappingSettings settings{true, 1000ms, 3, 5000ms};
  EXPECT_FALSE(detector.count("c", 0, settings));
  EXPECT_FALSE(detector.count("c", 999, settings));
  EXPECT_FALSE(detector.count("d", 999, settings));
  EXPECT_FALSE(detector.count("c", 1000, settings));  // a new window
  EXPECT_FALSE(detector.count("c", 1500, settings));
  EXPECT_TRUE(detector.count("c", 1999, settings));
  detector.sweep(10'000);
  EXPECT_EQ(detector.size(), 0U);
}

// ---------------------------------------------------------------- the gate

struct Deferring final : Authorizer {
  bool defers() const override { return true; }
  Answer decide(const Subject&, const Action& action, Reply reply) override {
    asked.emplace_back(action.topic);
    replies.push_back(std::move(reply));
    return Answer::Pending;
  }
  std::vector<std::string> asked;
  std::vector<Reply> replies;
};

class GateTest : public testing::Test {
 protected:
  GateTest()
      : core_(broker::make_router({}, reclaimer_), reclaimer_, 1),
        broker_(core_, 0, loop_, std::make_shared<broker::CoreSettings>()) {
    core_.join(broker_);
  }
  void open(Policy policy) {
    access_ = std::make_unique<AccessControl>(core_, clock_, std::make_shared<const Policy>(std::move(policy)));
    gate_ = access_->make_gate(broker_);
  }
  AuthorizerSource deferring() {
    AuthorizerSource source;
    source.type = "test";
    source.make = [this](const ShardEnvironment&) {
      auto made = std::make_unique<Deferring>();
      deferring_ = made.get();
      return made;
    };
    return source;
  }
  void advance(Nanos by) {
    clock_.advance(by);
    loop_.turn(0ms);
  }
  Verdict ask(std::string_view topic) {
    return gate_->authorize(client("c"), publish(topic), [this](Verdict verdict) { late_.push_back(verdict); });
  }

  ManualClock clock_;
  runtime::Loop loop_{clock_, {}};
  runtime::Reclaimer reclaimer_{1};
  broker::Core core_;
  broker::Broker broker_;
  std::unique_ptr<AccessControl> access_;
  std::unique_ptr<NodeGate> gate_;
  Deferring* deferring_ = nullptr;
  std::vector<Verdict> late_;
};

TEST_F(GateTest, WithoutSourcesEverythingIsOpenUnlessNoMatchDenies) {
  open({});
  EXPECT_TRUE(gate_->open_to_all());
  Policy policy;
  policy.allow_no_match = false;
  const std::uint64_t before = gate_->generation();
  access_->set_policy(std::make_shared<const Policy>(policy));
  loop_.turn(0ms);
  EXPECT_FALSE(gate_->open_to_all());
  EXPECT_NE(gate_->generation(), before);
  EXPECT_EQ(ask("t"), Verdict::Deny);
  EXPECT_EQ(broker_.metrics().get(broker::Metric::AuthorizationNomatch), 1U);
}

TEST_F(GateTest, RulesOfTheReferenceLeavePublishingOpen) {
  Policy policy;
  policy.sources.push_back(file_source(acl(kReferenceRules)));
  open(policy);
  EXPECT_FALSE(gate_->open_to_all());
  EXPECT_TRUE(gate_->open_to_publish());
  EXPECT_EQ(gate_->authorize(client("c"), subscribe("#"), {}), Verdict::Deny);
  EXPECT_EQ(policy.sources[0].counts->deny, 1U);
}

TEST_F(GateTest, ADeferredAnswerGoesOnAlongTheChain) {
  Policy policy;
  policy.sources.push_back(deferring());
  policy.sources.push_back(file_source(acl("{deny, all, all, [\"secret\"]}.")));
  open(policy);
  EXPECT_EQ(ask("secret"), Verdict::Pending);
  EXPECT_EQ(ask("open"), Verdict::Pending);
  EXPECT_EQ(ask("mine"), Verdict::Pending);
  EXPECT_EQ(gate_->outstanding(), 3U);
  deferring_->replies[0](Answer::NoMatch);
  deferring_->replies[1](Answer::Ignore);
  deferring_->replies[2](Answer::Deny);
  deferring_->replies[2](Answer::Allow);  // twice: ignored
  EXPECT_EQ(late_, (std::vector<Verdict>{Verdict::Deny, Verdict::Allow, Verdict::Deny}));
  EXPECT_EQ(gate_->outstanding(), 0U);
}

TEST_F(GateTest, ASilentSourceCountsAsNoMatchAfterTheLimit) {
  Policy policy;
  policy.allow_no_match = false;
  policy.sources.push_back(deferring());
  open(policy);
  EXPECT_EQ(ask("t"), Verdict::Pending);
  advance(4900ms);
  EXPECT_TRUE(late_.empty());
  advance(200ms);
  EXPECT_EQ(late_, (std::vector<Verdict>{Verdict::Deny}));
  deferring_->replies[0](Answer::Allow);
  EXPECT_EQ(late_.size(), 1U);
}

TEST_F(GateTest, QuestionsOutliveAPolicyChange) {
  Policy policy;
  policy.sources.push_back(deferring());
  open(policy);
  EXPECT_EQ(ask("t"), Verdict::Pending);
  Deferring* old = deferring_;
  access_->set_policy(std::make_shared<const Policy>());
  loop_.turn(0ms);
  old->replies[0](Answer::Deny);
  EXPECT_EQ(late_, (std::vector<Verdict>{Verdict::Deny}));
}

TEST_F(GateTest, AQuestionIsAnsweredByOnePolicy) {
  Policy policy;
  policy.allow_no_match = false;
  policy.answer_timeout = 2s;
  policy.sources.push_back(deferring());
  policy.sources.push_back(deferring());
  open(policy);
  EXPECT_EQ(ask("a"), Verdict::Pending);
  EXPECT_EQ(ask("b"), Verdict::Pending);
  Policy other;  // allows what nobody decides, and waits for ever
  other.answer_timeout = 1h;
  access_->set_policy(std::make_shared<const Policy>(other));
  loop_.turn(0ms);
  EXPECT_EQ(gate_->outstanding(), 2U);
  for (int step = 0; step < 10; ++step) advance(1s);
  EXPECT_EQ(late_, (std::vector<Verdict>{Verdict::Deny, Verdict::Deny}));
  EXPECT_EQ(broker_.metrics().get(broker::Metric::AuthorizationNomatch), 2U);
}

TEST_F(GateTest, FlappingBansFromTheNextConnectAndEnds) {
  Policy policy;
  policy.zones["z"] = FlappingSettings{true, 60s, 3, 5min};
  open(policy);
  Subject who = client("c");
  for (int i = 0; i < 10; ++i) gate_->count_connect(who);  // another zone
  EXPECT_FALSE(gate_->banned(who));
  who.zone = "z";
  gate_->count_connect(who);
  gate_->count_connect(who);
  EXPECT_FALSE(gate_->banned(who));
  gate_->count_connect(who);
  EXPECT_TRUE(gate_->banned(who));
  const auto ban = access_->bans().lookup(BanKind::ClientId, "c");
  ASSERT_TRUE(ban);
  EXPECT_EQ(ban->by, "flapping detector");
  EXPECT_EQ(ban->reason, "flapping is detected");
  advance(5min);
  EXPECT_FALSE(gate_->banned(who));
  EXPECT_EQ(access_->bans().size(), 0U);  // swept meanwhile
}

struct FixedAuthenticator final : Authenticator {
  explicit FixedAuthenticator(AuthenticatorAnswer a) : answer(std::move(a)) {}
  Result authenticate(const Credentials&, Reply) override { return {false, answer}; }
  AuthenticatorAnswer answer;
};
struct LateAuthenticator final : Authenticator {
  bool defers() const override { return true; }
  Result authenticate(const Credentials& credentials, Reply r) override {
    password = credentials.password ? std::string(as_text(*credentials.password)) : "";
    reply = std::move(r);
    return {true, {}, found};
  }
  std::string password;
  std::shared_ptr<std::atomic<bool>> found = std::make_shared<std::atomic<bool>>(false);
  Reply reply;
};

TEST_F(GateTest, WhoWasFoundIsNotLetInByTheNextOneWhenTheAnswerIsLate) {
  LateAuthenticator* late = nullptr;
  AuthenticatorMember deferring, open_door;
  deferring.make = [&late](const ShardEnvironment&) {
    auto made = std::make_unique<LateAuthenticator>();
    late = made.get();
    return made;
  };
  open_door.make = [](const ShardEnvironment&) { return std::make_unique<FixedAuthenticator>(Authenticated{}); };
  Policy policy;
  policy.authentication[""] = {deferring, open_door};
  open(policy);
  std::vector<ReasonCode> codes;
  for (const bool found : {false, true}) {
    Credentials credentials;
    credentials.subject.client_id = "c";
    EXPECT_FALSE(gate_->authenticate(credentials, [&](Authenticated answer) { codes.push_back(answer.code); }));
    *late->found = found;  // also after it was asked: a back end answers then
    advance(5100ms);
  }
  EXPECT_EQ(codes, (std::vector{ReasonCode::Success, ReasonCode::ServerBusy}));
}

TEST_F(GateTest, AuthenticatorChainsFallThroughAndListenersReplaceTheGlobalOne) {
  const auto fixed = [](AuthenticatorAnswer answer, bool enable = true) {
    AuthenticatorMember member;
    member.enable = enable;
    member.make = [answer](const ShardEnvironment&) { return std::make_unique<FixedAuthenticator>(answer); };
    return member;
  };
  LateAuthenticator* late = nullptr;
  AuthenticatorMember deferring;
  deferring.make = [&late](const ShardEnvironment&) {
    auto made = std::make_unique<LateAuthenticator>();
    late = made.get();
    return made;
  };
  Policy policy;
  policy.authentication[""] = {fixed(std::nullopt), fixed(Authenticated{ReasonCode::Success, false, true, {}, {}})};
  policy.authentication["tcp:refuse"] = {fixed(std::nullopt)};
  policy.authentication["tcp:off"] = {fixed(std::nullopt, false)};
  policy.authentication["tcp:late"] = {deferring,
                                       fixed(Authenticated{ReasonCode::BadUserNameOrPassword, false, false, {}, {}})};
  open(policy);
  Credentials credentials;
  credentials.subject = client("c");
  EXPECT_TRUE(gate_->authenticate(credentials, {})->superuser);
  credentials.subject.listener = "tcp:refuse";
  EXPECT_EQ(gate_->authenticate(credentials, {})->code, ReasonCode::NotAuthorized);
  credentials.subject.listener = "tcp:off";
  EXPECT_TRUE(gate_->authenticate(credentials, {})->anonymous);
  credentials.subject.listener = "tcp:late";
  std::optional<Authenticated> answer;
  {
    const std::string password = "pass";
    credentials.password = as_bytes(password);
    EXPECT_FALSE(gate_->authenticate(credentials, [&](Authenticated a) { answer = std::move(a); }));
  }
  EXPECT_EQ(late->password, "pass");
  advance(5100ms);  // silent: ignored, the next member decides
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, ReasonCode::BadUserNameOrPassword);
  EXPECT_EQ(gate_->outstanding(), 0U);
}

TEST_F(GateTest, WhoeverIsRefusedBecauseNobodyCouldBeAskedHasNotGuessed) {
  const auto fixed = [](AuthenticatorAnswer answer) {
    AuthenticatorMember member;
    member.make = [answer](const ShardEnvironment&) { return std::make_unique<FixedAuthenticator>(answer); };
    return member;
  };
  AuthenticatorMember silent;
  silent.make = [](const ShardEnvironment&) { return std::make_unique<LateAuthenticator>(); };
  const auto no = [](ReasonCode code) { return AuthenticatorAnswer(Authenticated::refused(code)); };
  Policy policy;
  policy.authentication["down"] = {fixed(not_asked()), fixed(std::nullopt)};
  policy.authentication["silent"] = {silent, fixed(std::nullopt)};
  policy.authentication["asked"] = {fixed(std::nullopt), fixed(std::nullopt)};
  policy.authentication["wrong"] = {fixed(not_asked()), fixed(no(ReasonCode::BadUserNameOrPassword))};
  policy.authentication["busy"] = {fixed(no(ReasonCode::ServerBusy))};
  open(policy);
  const auto answer_of = [&](std::string_view listener) {
    Credentials credentials;
    credentials.subject = client("c");
    credentials.subject.listener = listener;
    std::optional<Authenticated> late;
    auto now = gate_->authenticate(credentials, [&](Authenticated answer) { late = std::move(answer); });
    if (!now) advance(5100ms);
    return now ? *now : late.value();
  };
  for (const auto& [listener, code, guess] : {std::tuple{"down", ReasonCode::NotAuthorized, false},
                                              {"silent", ReasonCode::NotAuthorized, false},
                                              {"asked", ReasonCode::NotAuthorized, true},
                                              {"wrong", ReasonCode::BadUserNameOrPassword, true},
                                              {"busy", ReasonCode::ServerBusy, false}}) {
    EXPECT_EQ(answer_of(listener).code, code) << listener;
    EXPECT_EQ(answer_of(listener).is_wrong_guess(), guess) << listener;
  }
  EXPECT_FALSE(Authenticated::refused(ReasonCode::Banned).is_wrong_guess());
}

TEST_F(GateTest, AnEnhancedMethodWithoutAChainIsRefused) {
  open({});
  Credentials credentials;
  credentials.subject = client("c");
  EXPECT_TRUE(gate_->authenticate(credentials, {})->anonymous);
  credentials.method = "SCRAM-SHA-256";
  EXPECT_EQ(gate_->authenticate(credentials, {})->code, ReasonCode::BadAuthenticationMethod);
}

TEST_F(GateTest, SomeVerdictsAreNotToBeKept) {
  open({});
  EXPECT_TRUE(gate_->cacheable(publish("a")));
  Policy policy;
  policy.cache_excludes = {"a", "b/+", "c/#"};
  access_->set_policy(std::make_shared<const Policy>(policy));
  loop_.turn(0ms);
  for (const char* topic : {"a", "b/x", "b/+", "c", "c/x/y"}) EXPECT_FALSE(gate_->cacheable(publish(topic))) << topic;
  for (const char* topic : {"a/b", "b", "b/x/y", "d"}) EXPECT_TRUE(gate_->cacheable(publish(topic))) << topic;
}

TEST_F(GateTest, TellsWhetherAnAnswerMayComeLater) {
  Policy policy;
  policy.sources.push_back(file_source(acl("{allow, all}.")));
  open(policy);
  EXPECT_FALSE(gate_->defers());
  policy.sources.push_back(deferring());
  access_->set_policy(std::make_shared<const Policy>(policy));
  loop_.turn(0ms);
  EXPECT_TRUE(gate_->defers());
}

TEST_F(GateTest, RulesKnowTheAuthorOfAWill) {
  Policy policy;
  policy.allow_no_match = false;
  policy.sources.push_back(file_source(acl("{allow, all, publish, [\"n/${cert_common_name}\"]}.")));
  open(policy);
  const auto identity = std::make_shared<const broker::Identity>(broker::Identity{"c", "", "1.1.1.1"});
  broker::Will will;
  will.topic = "m/n/device-7";
  will.mount_size = 2;
  EXPECT_EQ(gate_->judge_will(identity, will, nullptr), broker::WillVerdict::Deny);
  will.common_name = "device-7";
  EXPECT_EQ(gate_->judge_will(identity, will, nullptr), broker::WillVerdict::Publish);
}

TEST_F(GateTest, WillsAreJudgedAndHeldWhileASourceThinks) {
  Policy policy;
  policy.sources.push_back(file_source(acl("{deny, all, publish, [\"no\"]}. {allow, all, publish, [\"yes\"]}.")));
  policy.sources.push_back(deferring());
  open(policy);
  const auto identity = std::make_shared<const broker::Identity>(broker::Identity{"c", "", "1.1.1.1"});
  std::vector<bool> replies;
  const auto judge = [&](std::string topic, std::uint16_t mount_size = 0, bool trusted = false,
                         std::int64_t until = 0) {
    broker::Will will;
    will.topic = topic;
    will.mount_size = mount_size;
    will.trusted = trusted;
    will.trusted_until_ms = until;
    return gate_->judge_will(identity, will, [&](bool publish) { replies.push_back(publish); });
  };
  EXPECT_EQ(judge("no"), broker::WillVerdict::Deny);
  EXPECT_EQ(judge("no", 0, true), broker::WillVerdict::Publish);
  EXPECT_EQ(judge("yes", 0, true, loop_.wall_ms() + 1), broker::WillVerdict::Publish);
  EXPECT_EQ(judge("yes", 0, true, loop_.wall_ms()), broker::WillVerdict::Deny) << "by rules that have ended";
  EXPECT_EQ(judge("m/yes", 2), broker::WillVerdict::Publish);
  EXPECT_EQ(judge("later"), broker::WillVerdict::Held);
  deferring_->replies[0](Answer::Allow);
  EXPECT_EQ(judge("later"), broker::WillVerdict::Held);
  deferring_->replies[1](Answer::Deny);
  EXPECT_EQ(judge("later"), broker::WillVerdict::Held);
  EXPECT_EQ(replies, (std::vector<bool>{true, false}));
  // By the topic that they will have in the end, 9.2.
  EXPECT_EQ(judge("$delayed/1/yes"), broker::WillVerdict::Publish);
  EXPECT_EQ(judge("$delayed/1/no"), broker::WillVerdict::Deny);
  EXPECT_EQ(judge("m/$delayed/1/no", 2), broker::WillVerdict::Deny);
  EXPECT_EQ(judge("$delayed/1/$delayed/1/no"), broker::WillVerdict::Deny);
  EXPECT_EQ(judge("$delayed/1/$delayed/1/yes"), broker::WillVerdict::Deny);
  ASSERT_TRUE(access_->ban(ban_of(BanKind::ClientId, "c")));
  EXPECT_EQ(judge("m/yes", 2), broker::WillVerdict::Deny);
  deferring_->replies[2](Answer::Allow);  // banned meanwhile
  EXPECT_EQ(replies, (std::vector<bool>{true, false, false}));
}

}  // namespace
}  // namespace sb::access
