// Authorization that answers later, and bans, over real sockets: the connection suspends, order is kept, the wait is
// bounded, keep-alive is not charged (architecture: "The path of a PUBLISH").
#include "app/e2e_node.h"

namespace sb::app {
namespace {

using namespace std::chrono_literals;

/// Questions of all shards, answered when the test says so.
class Desk {
 public:
  struct Question {
    std::string topic;
    runtime::Loop* loop;
    access::Authorizer::Reply reply;
  };
  void ask(Question question) {
    const std::lock_guard guard(mutex_);
    open_.push_back(std::move(question));
    ++asked_;
  }
  std::size_t open() const {
    const std::lock_guard guard(mutex_);
    return open_.size();
  }
  std::size_t asked() const {
    const std::lock_guard guard(mutex_);
    return asked_;
  }
  /// Waits for the next question, answers it and tells its topic.
  std::string answer(access::Answer answer) {
    if (!eventually([this] { return open() > 0; })) return "nothing asked";
    Question question;
    {
      const std::lock_guard guard(mutex_);
      question = std::move(open_.front());
      open_.erase(open_.begin());
    }
    question.loop->post([reply = std::move(question.reply), answer] { reply(answer); });
    return question.topic;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Question> open_;
  std::size_t asked_ = 0;
};

class DeferringAuthorizer final : public access::Authorizer {
 public:
  DeferringAuthorizer(Desk& desk, runtime::Loop& loop) : desk_(desk), loop_(loop) {}
  bool defers() const override { return true; }
  access::Answer decide(const access::Subject&, const access::Action& action, Reply reply) override {
    desk_.ask({std::string(action.topic), &loop_, std::move(reply)});
    return access::Answer::Pending;
  }

 private:
  Desk& desk_;
  runtime::Loop& loop_;
};

class DeferredAccess : public NodeTest {
 protected:
  access::Policy deferring() {
    access::AuthorizerSource source;
    source.type = "deferring";
    source.make = [this](const access::ShardEnvironment& at) {
      return std::make_unique<DeferringAuthorizer>(desk, at.loop);
    };
    access::Policy policy;
    policy.sources.push_back(std::move(source));
    return policy;
  }
  Desk desk;
};

TEST_F(DeferredAccess, PipelinedPacketsKeepTheirOrderBehindASuspendedOne) {
  start(deferring());
  RawClient client(address());
  client.send(RawClient::connect_packet("pipe") + RawClient::subscribe_packet(1, {"a"}) +
              RawClient::publish_packet("a", "1", 1, 2) + RawClient::publish_packet("b", "2", 1, 3) +
              RawClient::ping_packet());
  EXPECT_EQ(type_of(client.packet()), 2U);
  EXPECT_TRUE(client.packet(100ms).empty());  // nothing overtakes the question
  EXPECT_EQ(desk.asked(), 1U);                // and only one is outstanding
  EXPECT_EQ(desk.answer(access::Answer::Allow), "a");
  EXPECT_EQ(type_of(client.packet()), 9U);
  EXPECT_TRUE(client.packet(100ms).empty());
  EXPECT_EQ(desk.answer(access::Answer::Allow), "a");
  // The delivery to itself and the PUBACK, in either order.
  const std::string one = client.packet();
  const std::string two = client.packet();
  EXPECT_EQ(std::min(type_of(one), type_of(two)), 3U);
  EXPECT_EQ(std::max(type_of(one), type_of(two)), 4U);
  EXPECT_EQ(desk.answer(access::Answer::Deny), "b");
  const std::string refused = client.packet();
  EXPECT_EQ(type_of(refused), 4U);
  EXPECT_EQ(reason_of(refused), 0x87);
  EXPECT_EQ(type_of(client.packet()), 13U);
  EXPECT_EQ(desk.open(), 0U);
}

TEST_F(DeferredAccess, EveryFilterOfASubscribeGetsItsOwnVerdictWithoutACache) {
  access::Policy policy = deferring();
  policy.cache.enable = false;
  start(std::move(policy));
  auto client = connect("many");
  client->send(RawClient::subscribe_packet(1, {"f0", "f1", "f2", "f1"}));
  for (const char* topic : {"f0", "f1", "f2", "f1"})
    EXPECT_EQ(desk.answer(topic[1] == '1' ? access::Answer::Deny : access::Answer::Allow), topic);
  const std::string suback = client->packet();
  ASSERT_EQ(suback.size(), 9U);
  EXPECT_EQ(suback.substr(5), std::string("\x01\x87\x01\x87"));
  EXPECT_EQ(desk.asked(), 4U);
}

/// What the cache answers at first, and has forgotten when the packet is looked at again.
TEST_F(DeferredAccess, FiltersThatLeaveTheCacheWhileTheirPacketWaits) {
  access::Policy policy = deferring();
  policy.cache.max_size = 1;
  start(std::move(policy));
  auto client = connect("leaves");
  client->send(RawClient::subscribe_packet(1, {"a"}));
  EXPECT_EQ(desk.answer(access::Answer::Allow), "a");
  EXPECT_EQ(type_of(client->packet()), 9U);
  client->send(RawClient::subscribe_packet(2, {"a", "b", "c"}));
  EXPECT_EQ(desk.answer(access::Answer::Deny), "b");
  EXPECT_EQ(desk.answer(access::Answer::Allow), "c");
  const std::string suback = client->packet();
  ASSERT_EQ(suback.size(), 8U);
  EXPECT_EQ(suback.substr(5), std::string("\x01\x87\x01"));
  EXPECT_EQ(desk.asked(), 3U);
  EXPECT_EQ(node->core().metric(broker::Metric::AuthorizationAllow), 3U);  // each decision once
  EXPECT_EQ(node->core().metric(broker::Metric::AuthorizationDeny), 1U);
}

TEST_F(DeferredAccess, MoreFiltersThanTheCacheHolds) {
  access::Policy policy = deferring();
  policy.cache.max_size = 2;
  start(std::move(policy));
  auto client = connect("more");
  std::string body("\0\1\0", 3);
  for (int i = 0; i < 40; ++i) body += RawClient::text("t" + std::to_string(i)) + '\0';
  client->send(RawClient::framed(0x82, body));
  for (int i = 0; i < 40; ++i) EXPECT_EQ(desk.answer(access::Answer::Allow), "t" + std::to_string(i));
  EXPECT_EQ(client->packet().size(), 5U + 40U);
  EXPECT_EQ(desk.asked(), 40U);
}

TEST_F(DeferredAccess, ASilentSourceIsNoMatchAfterTheLimit) {
  access::Policy policy = deferring();
  policy.allow_no_match = false;
  policy.answer_timeout = 200ms;
  start(std::move(policy));
  auto client = connect("slow");
  const auto begin = std::chrono::steady_clock::now();
  client->send(RawClient::publish_packet("t", "x", 1, 7) + RawClient::ping_packet());
  const std::string puback = client->packet();
  EXPECT_EQ(reason_of(puback), 0x87);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 200ms);
  EXPECT_EQ(type_of(client->packet()), 13U);
  EXPECT_EQ(desk.answer(access::Answer::Allow), "t");  // late: heard by nobody
  client->send(RawClient::ping_packet());
  EXPECT_EQ(type_of(client->packet()), 13U);
}

TEST_F(DeferredAccess, KeepAliveIsNotChargedForTheWait) {
  start(deferring());
  RawClient::Options how;
  how.keep_alive_s = 1;
  auto client = connect("patient", how);
  client->send(RawClient::publish_packet("t", "x", 1, 7));
  EXPECT_TRUE(client->packet(2200ms).empty());  // longer than 1.5 times the interval
  EXPECT_FALSE(client->ended());
  EXPECT_EQ(desk.answer(access::Answer::Allow), "t");
  EXPECT_EQ(type_of(client->packet()), 4U);
  // The client's own silence is charged again.
  const std::string goodbye = client->packet();
  EXPECT_EQ(type_of(goodbye), 14U);
  EXPECT_EQ(reason_of(goodbye), 0x8D);
}

TEST_F(DeferredAccess, AClientThatLeavesMeanwhileLeavesNothingBehind) {
  start(deferring());
  for (int i = 0; i < 20; ++i) {
    auto client = connect("leaver" + std::to_string(i));
    client->send(RawClient::publish_packet("t", "x", 1, 7) + RawClient::publish_packet("u", "x", 1, 8));
    ASSERT_TRUE(eventually([&] { return desk.open() == 1; }));
    client->close();
    EXPECT_EQ(desk.answer(access::Answer::Allow), "t");
    // Its second packet may still be asked for, if the end of the socket is seen later.
    eventually([&] { return desk.open() > 0; }, 5ms);
    while (desk.open() > 0) desk.answer(access::Answer::Allow);
  }
  EXPECT_TRUE(eventually([&] { return node->stats().count(broker::Gauge::LiveConnections) == 0; }));
  auto client = connect("after");
  client->send(RawClient::ping_packet());
  EXPECT_EQ(type_of(client->packet()), 13U);
}

TEST_F(DeferredAccess, DisconnectOnDenyEndsTheConnection) {
  access::Policy policy = deferring();
  policy.disconnect_on_deny = true;
  start(std::move(policy));
  auto client = connect("c");
  client->send(RawClient::subscribe_packet(1, {"no"}));
  EXPECT_EQ(desk.answer(access::Answer::Deny), "no");
  const std::string goodbye = client->packet();
  EXPECT_EQ(type_of(goodbye), 14U);
  EXPECT_EQ(reason_of(goodbye), 0x87);
}

TEST_F(DeferredAccess, AVerdictIsCachedForTheConnection) {
  start(deferring());
  auto client = connect("c");
  client->send(RawClient::publish_packet("t", "1", 1, 1));
  EXPECT_EQ(desk.answer(access::Answer::Allow), "t");
  EXPECT_EQ(type_of(client->packet()), 4U);
  client->send(RawClient::publish_packet("t", "2", 1, 2));
  EXPECT_EQ(type_of(client->packet()), 4U);
  EXPECT_EQ(desk.asked(), 1U);
  node->access().clear_caches();
  settle();
  client->send(RawClient::publish_packet("t", "3", 1, 3));
  EXPECT_EQ(desk.answer(access::Answer::Deny), "t");
  EXPECT_EQ(reason_of(client->packet()), 0x87);
}

TEST_F(DeferredAccess, AWillWaitsForItsVerdict) {
  access::Policy policy = deferring();
  start(std::move(policy));
  auto watcher = connect("watcher");
  watcher->send(RawClient::subscribe_packet(1, {"w"}));
  EXPECT_EQ(desk.answer(access::Answer::Allow), "w");
  EXPECT_EQ(type_of(watcher->packet()), 9U);
  RawClient::Options how;
  how.will_topic = "w";
  connect("dying", how)->close();
  EXPECT_EQ(desk.answer(access::Answer::Allow), "w");
  const std::string will = watcher->packet();
  EXPECT_EQ(type_of(will), 3U);
  EXPECT_NE(will.find("gone"), std::string::npos);
}

// ---------------------------------------------------------------- file rules, bans

class Access : public NodeTest {};

TEST_F(Access, FileRulesDecide) {
  access::Policy policy;
  policy.sources.push_back(access::file_source(*access::Acl::parse(
      "{deny, all, publish, [\"no/${clientid}\"]}. {deny, all, subscribe, [\"$SYS/#\", {eq, \"#\"}]}. {allow, all}.")));
  start(std::move(policy));
  auto client = connect("me");
  client->send(RawClient::publish_packet("no/me", "x", 1, 1) + RawClient::publish_packet("no/you", "x", 1, 2) +
               RawClient::subscribe_packet(3, {"#", "a/#", "$share/g/$SYS/#"}));
  EXPECT_EQ(reason_of(client->packet()), 0x87);
  EXPECT_EQ(reason_of(client->packet()), 0x10);
  EXPECT_EQ(client->packet().substr(5), std::string("\x87\x01\x87"));
  EXPECT_EQ(node->core().metric(broker::Metric::AuthorizationDeny), 3U);
}

TEST_F(Access, AClientIdBanKicksAtOnceOthersCountAtTheNextConnect) {
  start();
  auto client = connect("bad");
  access::Ban ban;
  ban.who = "bad";
  ASSERT_TRUE(node->access().ban(ban));
  const std::string goodbye = client->packet();
  EXPECT_EQ(type_of(goodbye), 14U);
  EXPECT_EQ(reason_of(goodbye), 0x98);
  int code = 0;
  connect("bad", {}, &code);
  EXPECT_EQ(code, 0x8A);
  EXPECT_TRUE(node->access().bans().erase(access::BanKind::ClientId, "bad"));
  connect("bad");

  RawClient::Options joe;
  joe.username = "joe";
  auto other = connect("good", joe);
  ban.as = access::BanKind::Username;
  ban.who = "joe";
  ASSERT_TRUE(node->access().ban(ban));
  other->send(RawClient::ping_packet());
  EXPECT_EQ(type_of(other->packet()), 13U);
  connect("good2", joe, &code);
  EXPECT_EQ(code, 0x8A);

  ban.as = access::BanKind::PeerHost;
  ban.who = "127.0.0.1";
  ASSERT_TRUE(node->access().ban(ban));
  connect("anybody", {}, &code);
  EXPECT_EQ(code, 0x8A);
}

TEST_F(Access, WhatABannedPublisherLeftBehindIsHeldBack) {
  options.shards = 1;  // a retained message is stored on its topic's shard: posted, otherwise
  start();
  RawClient::Options durable;
  durable.clean_start = false;
  durable.expiry_s = 100;
  auto sleeper = connect("sleeper", durable);
  sleeper->send(RawClient::subscribe_packet(1, {"q"}));
  EXPECT_EQ(type_of(sleeper->packet()), 9U);
  sleeper->close();
  ASSERT_TRUE(eventually([&] { return node->core().metric(broker::Metric::ClientDisconnected) == 1; }));
  auto good = connect("good");
  auto bad = connect("bad");
  bad->send(RawClient::publish_packet("q", "of bad", 1, 1) + RawClient::publish_packet("r/bad", "kept", 1, 2, true));
  good->send(RawClient::publish_packet("q", "of good", 1, 1) + RawClient::publish_packet("r/good", "kept", 1, 2, true));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(type_of(bad->packet()), 4U);
    EXPECT_EQ(type_of(good->packet()), 4U);
  }
  access::Ban ban;
  ban.who = "bad";
  ASSERT_TRUE(node->access().ban(ban));
  sleeper = connect("sleeper", durable);
  EXPECT_NE(sleeper->packet().find("of good"), std::string::npos);
  EXPECT_TRUE(sleeper->packet(100ms).empty());
  good->send(RawClient::subscribe_packet(3, {"r/#"}));
  EXPECT_EQ(type_of(good->packet()), 9U);
  EXPECT_NE(good->packet().find("r/good"), std::string::npos);
  EXPECT_TRUE(good->packet(100ms).empty());
}

TEST_F(Access, FlappingEndsInABan) {
  access::Policy policy;
  policy.zones["default"] = access::FlappingSettings{true, 60s, 3, 60s};
  start(std::move(policy));
  for (int i = 0; i < 3; ++i) connect("flapper");
  int code = 0;
  connect("flapper", {}, &code);
  EXPECT_EQ(code, 0x8A);
  connect("steady");
}

TEST_F(Access, AuthenticationMayAnswerLater) {
  struct Late final : access::Authenticator {
    explicit Late(runtime::Loop& l) : loop(l) {}
    bool defers() const override { return true; }
    Result authenticate(const access::Credentials& credentials, Reply reply) override {
      const bool known = credentials.subject.username == "joe";
      loop.post([reply = std::move(reply), known] {
        access::Authenticated answer;
        answer.code = known ? ReasonCode::Success : ReasonCode::BadUserNameOrPassword;
        reply(answer);
      });
      return {true, {}};
    }
    runtime::Loop& loop;
  };
  access::Policy policy;
  access::AuthenticatorMember member;
  member.id = "late";
  member.make = [](const access::ShardEnvironment& at) { return std::make_unique<Late>(at.loop); };
  policy.authentication[""].push_back(std::move(member));
  start(std::move(policy));
  RawClient client(address());
  RawClient::Options joe;
  joe.username = "joe";
  client.send(RawClient::connect_packet("c", joe) + RawClient::ping_packet());
  EXPECT_EQ(client.packet().at(3), '\0');
  EXPECT_EQ(type_of(client.packet()), 13U);
  int code = 0;
  connect("d", {}, &code);
  EXPECT_EQ(code, 0x86);
}

}  // namespace
}  // namespace sb::app
