#include "access/access_control.h"
#include "access/testing/rules.h"

#include <gtest/gtest.h>

namespace sb::access {
namespace {

using namespace std::chrono_literals;
using rules_fixture::acl;
using rules_fixture::client;
using rules_fixture::kReferenceRules;
using rules_fixture::publish;
using rules_fixture::subscribe;

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

TEST_F(GateTest, WhoIsLetInByAChainThatIsGoneAsksTheNewOne) {
  std::vector<LateAuthenticator*> late;
  const auto deferring = [&late] {
    AuthenticatorMember member;
    member.make = [&late](const ShardEnvironment&) {
      auto made = std::make_unique<LateAuthenticator>();
      late.push_back(made.get());
      return made;
    };
    return member;
  };
  AuthenticatorMember refusing;
  refusing.make = [](const ShardEnvironment&) {
    return std::make_unique<FixedAuthenticator>(Authenticated::refused(ReasonCode::NotAuthorized));
  };
  const auto change = [&](std::vector<AuthenticatorMember> chain) {
    Policy policy;
    if (!chain.empty()) policy.authentication[""] = std::move(chain);
    access_->set_policy(std::make_shared<const Policy>(policy));
    loop_.turn(0ms);
  };
  std::optional<Authenticated> answer;
  const auto connect = [&] {
    late.clear();
    change({deferring(), deferring()});
    answer.reset();
    Credentials credentials;
    credentials.subject.client_id = "c";
    EXPECT_FALSE(gate_->authenticate(credentials, [&](Authenticated a) { answer = std::move(a); }));
  };
  Authenticated superuser;
  superuser.superuser = true;
  open({});

  connect();
  change({refusing});
  late[0]->reply(superuser);
  EXPECT_EQ(answer->code, ReasonCode::NotAuthorized);

  connect();
  change({});
  late[0]->reply(superuser);
  EXPECT_TRUE(answer->anonymous) << "as whoever comes now";
  EXPECT_FALSE(answer->superuser);

  connect();
  advance(5100ms);  // the first one is silent, the second is asked
  change({deferring()});
  const auto first = late[0]->reply;
  late[1]->reply(superuser);
  EXPECT_FALSE(answer) << "the new one is asked";
  first(superuser);
  EXPECT_FALSE(answer) << "late, and of the old chain";
  late[2]->reply(Authenticated::refused(ReasonCode::BadUserNameOrPassword));
  EXPECT_EQ(answer->code, ReasonCode::BadUserNameOrPassword);

  connect();
  change({refusing});
  late[0]->reply(Authenticated::refused(ReasonCode::Banned));
  EXPECT_EQ(answer->code, ReasonCode::Banned) << "a refusal stands";
  EXPECT_EQ(gate_->outstanding(), 0U);
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
  Ban ban;
  ban.as = BanKind::ClientId;
  ban.who = "c";
  ASSERT_TRUE(access_->ban(std::move(ban)));
  EXPECT_EQ(judge("m/yes", 2), broker::WillVerdict::Deny);
  deferring_->replies[2](Answer::Allow);  // banned meanwhile
  EXPECT_EQ(replies, (std::vector<bool>{true, false, false}));
}

}  // namespace
}  // namespace sb::access
