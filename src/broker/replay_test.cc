// Retained messages from publisher to new subscriber, over one shard and over three.
#include "broker/broker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>

namespace sb::broker {
namespace {

struct Inbox final : SessionSink {
  struct Got {
    std::string topic, payload;
    Qos qos;
    bool retain;
    PacketId id;
  };
  Sent send_publish(Delivery& delivery, const Outgoing& how) override {
    const Publication& p = delivery.publication();
    got.push_back({std::string(p.topic), std::string(as_text(p.payload)), how.qos, how.retain, how.packet_id});
    if (room > 0) --room;
    return Sent::Yes;
  }
  bool writable() const override { return room > 0; }
  void send_pubrel(PacketId, ReasonCode, Ticket) override {}
  void on_session_lost(EndReason) override {}
  std::vector<std::string> payloads(std::string_view topic) const {
    std::vector<std::string> out;
    for (const Got& one : got)
      if (one.topic == topic) out.push_back(one.payload);
    return out;
  }
  std::vector<Got> got;
  std::size_t room = ~std::size_t{0};
};

class ReplayTest : public testing::TestWithParam<unsigned> {
 protected:
  struct Shard {
    Shard(Core& core, unsigned id, const Clock& clock, const CoreSettings& settings)
        : loop(clock, {}), broker(core, id, loop, std::make_shared<CoreSettings>(settings)) {
      core.join(broker);
      loop.set_poller([this] { return broker.poll(); });
      loop.set_has_work([this] { return broker.has_work(); });
    }
    runtime::Loop loop;
    Broker broker;
  };

  ReplayTest() { begin(); }
  void begin() {
    for (unsigned id = 0; id < GetParam(); ++id) shards.push_back(std::make_unique<Shard>(core, id, clock, settings));
  }
  void apply() {
    for (auto& shard : shards) shard->broker.set_settings(std::make_shared<CoreSettings>(settings));
  }
  Broker& broker(unsigned id = 0) { return shards[id % shards.size()]->broker; }
  void turn(int times = 8) {
    for (int i = 0; i < times; ++i)
      for (auto& shard : shards) shard->loop.turn(Nanos{0});
  }
  void advance(Millis by) {
    for (; by.count() > 0; by -= Millis{10}) {
      clock.advance(Millis{10});
      turn(1);
    }
    turn();
  }
  Session& connect(const std::string& id, Inbox& inbox, std::uint32_t expiry_s = 0, std::uint16_t window = 32,
                   bool clean_start = true) {
    OpenRequest request;
    request.identity = std::make_shared<const Identity>(Identity{id, {}, {}});
    request.settings = session_settings;
    request.expiry_s = expiry_s;
    request.window = window;
    request.clean_start = clean_start;
    Session& session = *broker().open(std::move(request), inbox).session;
    session.begin();
    return session;
  }
  const Subscription& subscribe(Session& session, std::string_view filter, Qos qos = Qos::AtMostOnce) {
    SubscribeOptions options;
    options.qos = qos;
    const auto done = broker().subscribe(session, filter, options);
    EXPECT_EQ(done.code, ReasonCode::Success);
    broker().replay_retained(session, *done.subscription, done.is_new);
    return *done.subscription;
  }
  void publish(std::string_view topic, std::string_view payload, Qos qos = Qos::AtMostOnce, unsigned from = 0,
               std::uint32_t expiry_s = kNeverExpires, bool retain = true) {
    Publication p;
    p.topic = topic;
    p.payload = as_bytes(payload);
    p.qos = qos;
    p.retain = retain;
    p.expiry_s = expiry_s;
    broker(from).publish(p);
  }
  void fill(std::size_t count, Qos qos = Qos::AtMostOnce) {
    for (std::size_t i = 0; i < count; ++i) {
      publish("t/" + std::to_string(i), "old", qos);
      if (i % 500 == 0) turn(1);
    }
    turn();
    ASSERT_EQ(core.retained_count(), count);
  }
  std::size_t stored() const {
    std::size_t sum = 0;
    for (const auto& shard : shards) sum += shard->broker.retained().size();
    return sum;
  }

  ManualClock clock;
  CoreSettings settings = [] {
    CoreSettings all_wait;
    all_wait.retained.replay_at_once = 0;
    return all_wait;
  }();
  SessionSettingsRef session_settings = std::make_shared<const SessionSettings>();
  runtime::Reclaimer reclaimer{GetParam()};
  Core core{make_router({.shards = GetParam()}, reclaimer), reclaimer, GetParam()};
  std::vector<std::unique_ptr<Shard>> shards;
};

TEST_P(ReplayTest, GivesEverythingOnceInOrderOfPublishing) {
  std::vector<std::string> expected;
  for (int i = 0; i < 3000; ++i) {
    const std::string topic = "t/" + std::to_string(i * 7919 % 3000);
    publish(topic, "old");
    expected.push_back(topic);
    clock.advance(Millis{1});
    turn(1);
  }
  turn();
  Inbox inbox;
  subscribe(connect("c", inbox), "t/+");
  turn(40);
  std::vector<std::string> got;
  for (const auto& one : inbox.got) {
    EXPECT_TRUE(one.retain);
    got.push_back(one.topic);
  }
  EXPECT_EQ(got, expected);
}

TEST_P(ReplayTest, ExactFilterGetsItsMessage) {
  for (const char* topic : {"a", "b", "c", "d"}) publish(topic, topic);
  turn();
  Inbox inbox;
  Session& session = connect("c", inbox);
  for (const char* topic : {"a", "b", "c", "d", "none"}) subscribe(session, topic);
  turn();
  EXPECT_EQ(inbox.got.size(), 4U);
}

// [MQTT-3.8.3-3] makes no difference between live and retained messages, nor does it ask which connection it was.
TEST_P(ReplayTest, LeavesOutItsOwnWithNoLocal) {
  const auto own = std::make_shared<const Identity>(Identity{"c", {}, {}});
  const auto other = std::make_shared<const Identity>(Identity{"d", {}, {}});
  for (const auto& [topic, from] : std::map<std::string, IdentityRef>{{"t/own", own}, {"t/other", other}}) {
    Publication p;
    p.topic = topic;
    p.payload = as_bytes("x");
    p.retain = true;
    p.from = &from;
    broker().publish(p);
  }
  publish("t/nobody", "x");
  turn();
  for (const bool at_once : {false, true}) {
    settings.retained.replay_at_once = at_once ? 10 : 0;
    apply();
    turn();
    Inbox inbox;
    Session& session = connect("c", inbox);
    SubscribeOptions options;
    options.no_local = true;
    const auto done = broker().subscribe(session, "t/+", options);
    broker().replay_retained(session, *done.subscription, done.is_new);
    turn();
    std::set<std::string> topics;
    for (const auto& one : inbox.got) topics.insert(one.topic);
    EXPECT_EQ(topics, (std::set<std::string>{"t/nobody", "t/other"}));
    EXPECT_EQ(core.metric(Metric::DeliveryDroppedNoLocal), at_once ? 2U : 1U);
    broker().close(session, {});
    turn();
  }
}

TEST_P(ReplayTest, HoldsNoMoreThanPagesForASlowSubscriber) {
  fill(20'000);
  Inbox inbox;
  inbox.room = 10;
  Session& session = connect("slow", inbox);
  subscribe(session, "#");
  turn();
  EXPECT_LE(inbox.got.size(), 11U);
  EXPECT_LE(session.queue().size(), 1U);
  for (int i = 0; i < 4000 && inbox.got.size() < 20'000; ++i) {
    inbox.room = 100;
    session.pump();
    EXPECT_LE(session.queue().size(), 1U);
    turn(2);
  }
  std::set<std::string> topics;
  for (const auto& one : inbox.got) topics.insert(one.topic);
  EXPECT_EQ(inbox.got.size(), 20'000U);
  EXPECT_EQ(topics.size(), 20'000U);
}

TEST_P(ReplayTest, KeepsToTheWindow) {
  fill(500, Qos::AtLeastOnce);
  Inbox inbox;
  Session& session = connect("c", inbox, 0, 4);
  subscribe(session, "#", Qos::AtLeastOnce);
  turn();
  EXPECT_EQ(inbox.got.size(), 4U);
  for (std::size_t next = 0; next < inbox.got.size(); ++next) {
    ASSERT_LE(inbox.got.size(), next + 4);
    session.on_puback(inbox.got[next].id);
    turn(1);
  }
  EXPECT_EQ(inbox.got.size(), 500U);
}

TEST_P(ReplayTest, StopsAtUnsubscribe) {
  fill(3000);
  Inbox inbox;
  inbox.room = 5;
  Session& session = connect("c", inbox);
  subscribe(session, "#");
  turn();
  EXPECT_EQ(broker().unsubscribe(session, "#"), ReasonCode::Success);
  inbox.room = ~std::size_t{0};
  session.pump();
  turn(40);
  EXPECT_LE(inbox.got.size(), 6U);
}

TEST_P(ReplayTest, EndsWithTheSession) {
  fill(3000);
  Inbox inbox;
  inbox.room = 5;
  Session& session = connect("c", inbox);
  subscribe(session, "#");
  broker().close(session, {});  // answers of other shards are still under way
  turn(40);
  EXPECT_LE(inbox.got.size(), 6U);
  EXPECT_EQ(broker().session_count(), 0U);
}

TEST_P(ReplayTest, GoesOnAfterAReconnect) {
  fill(3000);
  Inbox first;
  first.room = 5;
  Session& session = connect("c", first, 60);
  subscribe(session, "#");
  turn();
  broker().close(session, {});
  turn();
  Inbox second;
  connect("c", second, 60, 32, false);
  turn(40);
  EXPECT_EQ(first.got.size() + second.got.size(), 3000U);
}

TEST_P(ReplayTest, BeginsAnewWhenSubscribedAgain) {
  fill(2000);
  Inbox inbox;
  inbox.room = 5;
  Session& session = connect("c", inbox);
  subscribe(session, "#");
  turn();
  const std::size_t before = inbox.got.size();
  inbox.room = ~std::size_t{0};
  subscribe(session, "#");
  turn(40);
  EXPECT_LE(inbox.got.size() - before, 2001U);
  EXPECT_GE(inbox.got.size() - before, 2000U);
}

// Retained values change all the time, from every shard and in every QoS, while a slow subscriber is served: of no
// topic may an older value follow a newer one.
TEST_P(ReplayTest, OldValuesNeverFollowNewOnes) {
  constexpr unsigned kTopics = 3000;
  std::vector<int> value(kTopics, 0);
  std::mt19937 random(7);
  const auto change = [&](unsigned topic) {
    publish("t/" + std::to_string(topic), std::to_string(++value[topic]), static_cast<Qos>(random() % 3), topic % 3);
  };
  for (unsigned i = 0; i < kTopics; ++i) {
    change(i);
    if (i % 500 == 0) turn(1);
  }
  turn();
  Inbox inbox;
  inbox.room = 0;
  Session& session = connect("c", inbox, 0, 8);
  subscribe(session, "t/#", Qos::AtLeastOnce);
  std::size_t acknowledged = 0;
  for (int round = 0; round < 3000; ++round) {
    change(static_cast<unsigned>(random() % kTopics));
    inbox.room = random() % 8;
    for (; acknowledged < inbox.got.size(); ++acknowledged)
      if (inbox.got[acknowledged].qos == Qos::AtLeastOnce) session.on_puback(inbox.got[acknowledged].id);
    session.pump();
    turn(static_cast<int>(random() % 2));
  }
  inbox.room = ~std::size_t{0};
  for (int i = 0; i < 4000; ++i) {
    for (; acknowledged < inbox.got.size(); ++acknowledged)
      if (inbox.got[acknowledged].qos == Qos::AtLeastOnce) session.on_puback(inbox.got[acknowledged].id);
    session.pump();
    turn(1);
  }
  std::map<std::string, int> last;
  std::size_t replayed = 0;
  for (const auto& one : inbox.got) {
    const int now = std::stoi(one.payload);
    if (one.retain) {
      EXPECT_GE(now, last[one.topic]) << one.topic;
    }
    last[one.topic] = std::max(last[one.topic], now);
    replayed += one.retain ? 1 : 0;
  }
  EXPECT_GT(replayed, 500U);
  for (unsigned i = 0; i < kTopics; ++i) EXPECT_EQ(last["t/" + std::to_string(i)], value[i]) << i;
}

// A page has left the topic's shard when a newer value is published: on its way it must not overtake.
TEST_P(ReplayTest, APageUnderWayLosesAgainstALiveMessage) {
  fill(50);
  Inbox inbox;
  Session& session = connect("c", inbox);
  const auto done = broker().subscribe(session, "t/#", {});
  inbox.room = 1;
  broker().replay_retained(session, *done.subscription, true);
  for (std::size_t id = 1; id < shards.size(); ++id) shards[id]->loop.turn(Nanos{0});  // pages are read there
  for (int i = 0; i < 50; ++i) publish("t/" + std::to_string(i), "new");
  inbox.room = ~std::size_t{0};
  session.pump();
  turn();
  ASSERT_GE(inbox.got.size(), 50U);
  EXPECT_LE(inbox.got.size(), 51U);  // one may have gone before
  for (std::size_t i = 1; i < inbox.got.size(); ++i) EXPECT_EQ(inbox.got[i].payload, "new") << i;
}

TEST_P(ReplayTest, LiveTrafficDoesNotHoldItUp) {
  fill(300, Qos::AtLeastOnce);
  Inbox inbox;
  Session& session = connect("c", inbox, 0, 2);
  subscribe(session, "live", Qos::AtLeastOnce);
  for (int i = 0; i < 20; ++i) publish("live", "x", Qos::AtLeastOnce, 0, kNeverExpires, false);
  subscribe(session, "t/#", Qos::AtLeastOnce);
  turn();
  std::size_t replayed = 0;
  for (std::size_t next = 0; next < 800 && next < inbox.got.size(); ++next) {
    publish("live", "x", Qos::AtLeastOnce, 0, kNeverExpires, false);  // as much comes as goes
    session.on_puback(inbox.got[next].id);
    replayed += inbox.got[next].retain ? 1 : 0;
    turn(1);
  }
  EXPECT_EQ(replayed, 300U);
}

TEST_P(ReplayTest, DeliveryRateHoldsForTheNode) {
  settings.retained.replay_per_second = 100;
  settings.retained.batch_read = settings.retained.batch_deliver = 100;
  apply();
  fill(600);
  std::array<Inbox, 2> inboxes;
  subscribe(connect("a", inboxes[0]), "#");
  subscribe(connect("b", inboxes[1]), "#");
  turn();
  const auto sum = [&] { return inboxes[0].got.size() + inboxes[1].got.size(); };
  EXPECT_LE(sum(), 100U);  // what a second brings may go at once
  EXPECT_GE(sum(), 99U);
  advance(Millis{3000});
  EXPECT_LE(sum(), 401U);
  EXPECT_GE(sum(), 380U);
  settings.retained.replay_per_second = 0;
  apply();
  advance(Millis{1000});
  EXPECT_EQ(sum(), 1200U);
}

TEST_P(ReplayTest, BatchesLetOthersIn) {
  settings.retained.batch_deliver = 10;
  settings.retained.batch_read = 3;
  apply();
  fill(100);
  Inbox inbox;
  subscribe(connect("c", inbox), "#");
  EXPECT_LE(inbox.got.size(), 10U);
  shards[0]->loop.turn(Nanos{0});
  EXPECT_LE(inbox.got.size(), 20U);
  turn(400);
  EXPECT_EQ(inbox.got.size(), 100U);
}

TEST_P(ReplayTest, SwitchedOffAtRunTime) {
  fill(2000);
  Inbox inbox;
  inbox.room = 5;
  Session& session = connect("c", inbox);
  subscribe(session, "#");
  turn();
  settings.retained.enable = false;
  apply();
  inbox.room = ~std::size_t{0};
  session.pump();
  publish("t/new", "x");
  publish("t/1", "");  // clears nothing
  turn(20);
  EXPECT_LE(inbox.got.size(), 8U);  // the two were live
  EXPECT_EQ(stored(), 2000U);
  Inbox other;
  Session& second = connect("d", other);
  subscribe(second, "#");
  turn();
  EXPECT_TRUE(other.got.empty());
  settings.retained.enable = true;  // what was kept is there again
  apply();
  subscribe(second, "#");
  turn(20);
  EXPECT_EQ(other.got.size(), 2000U);
}

TEST_P(ReplayTest, LimitsFollowTheSettings) {
  settings.retained.max_messages = 2;
  settings.retained.max_payload = 3;
  apply();
  for (const char* topic : {"a", "b", "c"}) {
    publish(topic, "1");
    turn();
  }
  EXPECT_EQ(stored(), 2U);
  publish("a", "22");  // one that is known may change
  publish("b", "4444");
  turn();
  EXPECT_EQ(as_text(broker(core.retained_home_of("a")).retained().find("a")->payload()), "22");
  EXPECT_EQ(as_text(broker(core.retained_home_of("b")).retained().find("b")->payload()), "1");
  publish("b", "");
  turn();
  publish("c", "1");
  turn();
  EXPECT_EQ(stored(), 2U);
  EXPECT_EQ(core.retained_count(), 2U);
  settings.retained.max_messages = settings.retained.max_payload = 0;
  apply();
  publish("d", "4444");
  turn();
  EXPECT_EQ(stored(), 3U);
}

TEST_P(ReplayTest, ClearingIsRoutedUnlessToldNot) {
  Inbox inbox;
  subscribe(connect("c", inbox), "a");
  publish("a", "1");
  publish("a", "");
  turn();
  EXPECT_EQ(inbox.payloads("a"), (std::vector<std::string>{"1", ""}));
  settings.retained.stop_publish_clear = true;
  apply();
  publish("a", "2");
  publish("a", "");
  turn();
  EXPECT_EQ(inbox.payloads("a"), (std::vector<std::string>{"1", "", "2"}));
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(core.retained_count(), 0U);
}

TEST_P(ReplayTest, SweepsWhatHasExpired) {
  for (int i = 0; i < 5000; ++i) publish("t/" + std::to_string(i), "x", Qos::AtMostOnce, 0, i % 2 == 0 ? 1 : 1000);
  turn();
  advance(Millis{2000});
  EXPECT_EQ(stored(), 5000U);  // msg_clear_interval = 0: never swept
  Inbox inbox;
  subscribe(connect("c", inbox), "#");
  turn(40);
  EXPECT_EQ(inbox.got.size(), 2500U);  // but never delivered
  settings.retained.clear_interval = Millis{1000};
  apply();
  advance(Millis{900});
  EXPECT_EQ(stored(), 5000U);
  advance(Millis{300});
  EXPECT_EQ(stored(), 2500U);
  EXPECT_EQ(core.retained_count(), 2500U);
}

TEST_P(ReplayTest, SweepsInSmallSteps) {
  for (int i = 0; i < 9000; ++i) publish("t/" + std::to_string(i), "x", Qos::AtMostOnce, 0, 1);
  turn();
  settings.retained.clear_interval = Millis{1000};
  apply();
  std::size_t before = stored();
  for (int i = 0; i < 200; ++i) {
    clock.advance(Millis{10});
    turn(1);
    EXPECT_LE(before - stored(), 1024 * shards.size());
    before = stored();
  }
  EXPECT_EQ(before, 0U);
}

// 3.3.2.3.3: a lifetime of 0 s is over at once. Who is subscribed gets it; nothing is kept, and what was is replaced.
TEST_P(ReplayTest, AnExpiryOfZeroKeepsNothing) {
  settings.retained.stop_publish_clear = true;  // says nothing about a message that has a payload
  apply();
  publish("a", "kept");
  turn();
  Inbox inbox;
  subscribe(connect("c", inbox), "a");
  turn();
  publish("a", "gone", Qos::AtMostOnce, 0, 0);
  turn();
  EXPECT_EQ(inbox.payloads("a"), (std::vector<std::string>{"kept", "gone"}));
  EXPECT_EQ(core.retained_count(), 0U);
}

TEST_P(ReplayTest, TheSettingsLifetimeOfZeroIsForEver) {
  settings.retained.default_expiry_s = 0;
  apply();
  publish("a", "kept");
  turn();
  advance(Millis{5000});
  Inbox inbox;
  subscribe(connect("c", inbox), "a");
  turn();
  EXPECT_EQ(inbox.got.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(, ReplayTest, testing::Values(1U, 3U),
                         [](const auto& i) { return std::to_string(i.param) + "Shards"; });

}  // namespace
}  // namespace sb::broker
