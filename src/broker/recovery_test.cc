// What a node finds in its store when it starts again: everything that was promised, whatever the limits are now.
#include "broker/recovery.h"

#include "store/tables.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace sb::broker {
namespace {

struct Inbox final : SessionSink {
  struct Got {
    std::string payload;
    PacketId id;
    bool dup;
  };
  Sent send_publish(Delivery& delivery, const Outgoing& how) override {
    got.push_back({std::string(as_text(delivery.publication().payload)), how.packet_id, how.dup});
    return Sent::Yes;
  }
  void send_pubrel(PacketId id, ReasonCode, Ticket) override { released.push_back(id); }
  void on_session_lost(EndReason) override {}
  std::vector<Got> got;
  std::vector<PacketId> released;
};

/// One life of a node of one shard.
class Life {
 public:
  using Zones = std::map<std::string, SessionSettings, std::less<>>;

  Life(ManualClock& clock, store::KeyValue& store, const Zones& zones, CoreSettings settings = {},
       Broker::WillGuard guard = {})
      : clock_(clock), loop_(clock, {}), broker_(core_, 0, loop_, std::make_shared<CoreSettings>(std::move(settings))) {
    for (const auto& [name, zone] : zones) {
      auto copy = std::make_shared<SessionSettings>(zone);
      copy->zone = name;
      zones_[name] = std::move(copy);
    }
    core_.join(broker_);
    broker_.set_will_guard(std::move(guard));
    broker_.set_journal(std::make_unique<Journal>(store, loop_, 0));
    loop_.set_hooks({.after_turn = [this] { return broker_.journal()->after_turn(); }, .offline = {}, .online = {}});
    Recovery::Options options;
    options.settings = [this](std::string_view zone) {
      const auto named = zones_.find(zone);
      return named == zones_.end() ? zones_.at("default") : named->second;
    };
    auto recovered = Recovery::run(core_, store, options);
    EXPECT_TRUE(recovered) << recovered.error().what;
    if (recovered) report = *recovered;
  }

  Session& connect(const std::string& id, Inbox& inbox, const std::string& zone = "default",
                   std::unique_ptr<Will> will = nullptr) {
    OpenRequest request;
    request.will = std::move(will);
    request.identity = std::make_shared<const Identity>(Identity{id, {}, "10.0.0.1"});
    request.clean_start = false;
    request.expiry_s = 3600;
    request.settings = zones_.at(zone);
    request.window = request.settings->window;
    Session& session = *broker_.open(std::move(request), inbox).session;
    session.begin();
    return session;
  }
  ReasonCode subscribe(Session& session, std::string_view filter, Qos qos = Qos::AtLeastOnce) {
    SubscribeOptions options;
    options.qos = qos;
    return broker_.subscribe(session, filter, options).code;
  }
  void publish(std::string_view topic, int first, int last, Qos qos = Qos::AtLeastOnce, bool retain = false,
               std::uint32_t expiry_s = kNeverExpires) {
    for (int i = first; i < last; ++i) {
      const std::string payload = std::to_string(i);
      Publication p;
      p.topic = topic;
      p.payload = as_bytes(payload);
      p.qos = qos;
      p.retain = retain;
      p.expiry_s = expiry_s;
      (void)broker_.publish(p);
      if (i % 100 == 0) turn();
    }
    turn();
  }
  void turn() {
    for (int i = 0; i < 3; ++i) {
      clock_.advance(Journal::kHope);  // no batch waits longer
      loop_.turn(Nanos{0});
    }
  }
  Broker& broker() { return broker_; }
  std::uint64_t dropped() const { return core_.metric(Metric::DeliveryDropped); }
  Recovery::Report report;

 private:
  ManualClock& clock_;
  runtime::Loop loop_;
  runtime::Reclaimer reclaimer_{1};
  Core core_{make_router({}, reclaimer_), reclaimer_, 1};
  Broker broker_;
  std::map<std::string, SessionSettingsRef, std::less<>> zones_;
};

class RecoveryTest : public testing::Test {
 protected:
  void start(const Life::Zones& zones = {{"default", {}}}, CoreSettings settings = {}) {
    life.reset();  // as kill -9 does: no connection is closed
    life = std::make_unique<Life>(clock, *store, zones, std::move(settings), guard);
  }
  /// The disk takes nothing while it is true.
  std::shared_ptr<bool> start_on_disk_that_fills() {
    auto full = std::make_shared<bool>(false);
    store = store::make_memory({.before_commit = [full](const store::Batch&) -> Result<> {
      if (*full) return fail(Errc::Full, "no room");
      return {};
    }});
    start();
    return full;
  }
  /// Connects and acknowledges (QoS 1) until nothing comes; the payloads as they came.
  std::vector<int> take_all(const std::string& zone = "default") {
    Inbox inbox;
    Session& session = life->connect("d", inbox, zone);
    std::vector<int> out;
    for (std::size_t i = 0; i < inbox.got.size(); ++i) {
      out.push_back(std::stoi(inbox.got[i].payload));
      session.on_puback(inbox.got[i].id);
    }
    life->broker().close(session, {});
    return out;
  }
  static std::vector<int> numbers(int first, int last) {
    std::vector<int> out;
    for (int i = first; i < last; ++i) out.push_back(i);
    return out;
  }
  ManualClock clock;
  std::unique_ptr<store::KeyValue> store = store::make_memory();
  Broker::WillGuard guard;
  std::unique_ptr<Life> life;
};

TEST_F(RecoveryTest, KeepsWhatWasInFlightBesideAFullQueue) {
  start();
  Inbox inbox;
  Session& session = life->connect("d", inbox);
  ASSERT_EQ(life->subscribe(session, "t"), ReasonCode::Success);
  life->publish("t", 0, 64);
  for (int i = 0; i < 32; ++i) session.on_puback(inbox.got[static_cast<std::size_t>(i)].id);
  ASSERT_EQ(inbox.got.size(), 64U);  // the second half came out of the queue: its rows do not say that it was sent
  life->publish("t", 64, 1064);
  ASSERT_EQ(session.queue().size(), 1000U);
  ASSERT_EQ(life->dropped(), 0U);

  start();
  EXPECT_EQ(life->report.owed, 1032U);
  EXPECT_EQ(take_all(), numbers(32, 1064));
  EXPECT_EQ(life->dropped(), 0U);
}

TEST_F(RecoveryTest, KeepsExchangesOfQos2BesideAFullQueue) {  // 4.3.3
  start();
  Inbox inbox;
  Session& session = life->connect("d", inbox);
  ASSERT_EQ(life->subscribe(session, "t", Qos::ExactlyOnce), ReasonCode::Success);
  life->publish("t", 0, 32, Qos::ExactlyOnce);
  ASSERT_EQ(inbox.got.size(), 32U);
  life->publish("t", 32, 1032, Qos::ExactlyOnce);
  for (std::size_t i = 0; i < 16; ++i) session.on_pubrec(inbox.got[i].id, ReasonCode::Success);
  life->turn();

  start();
  EXPECT_EQ(life->dropped(), 0U);
  Inbox again;
  Session& resumed = life->connect("d", again);
  EXPECT_EQ(again.released, inbox.released);
  for (const PacketId id : again.released) resumed.on_pubcomp(id);
  for (std::size_t i = 0; i < again.got.size(); ++i) {
    resumed.on_pubrec(again.got[i].id, ReasonCode::Success);
    resumed.on_pubcomp(again.got[i].id);
  }
  std::set<std::string> payloads;
  for (const Inbox::Got& one : again.got) payloads.insert(one.payload);
  EXPECT_EQ(again.got.size(), 1016U);
  EXPECT_EQ(payloads.size(), 1016U);
  EXPECT_FALSE(payloads.contains("15"));
}

// Round the circle of ids to one that is still out: the message gets another, and has it after a crash as well
// [MQTT-4.3.3-2].
TEST_F(RecoveryTest, KeepsAnIdThatIsNotThatOfItsPlace) {
  start();
  Inbox inbox;
  Session& session = life->connect("d", inbox);
  ASSERT_EQ(life->subscribe(session, "t", Qos::ExactlyOnce), ReasonCode::Success);
  life->publish("t", 0, 1, Qos::ExactlyOnce);
  ASSERT_EQ(inbox.got.size(), 1U);
  ASSERT_EQ(inbox.got[0].id, 1);
  std::size_t seen = 1;
  for (int i = 1; i < 65535; i += 32) {
    life->publish("t", i, std::min(i + 32, 65535));
    for (; seen < inbox.got.size(); ++seen) session.on_puback(inbox.got[seen].id);
  }
  ASSERT_EQ(inbox.got.size(), 65535U);
  life->publish("t", 65535, 65537, Qos::ExactlyOnce);
  ASSERT_EQ(inbox.got.size(), 65537U);
  EXPECT_EQ(inbox.got[65535].id, 65535);
  EXPECT_EQ(inbox.got[65536].id, 2);

  start();
  Inbox again;
  life->connect("d", again);
  ASSERT_EQ(again.got.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const Inbox::Got& before = inbox.got[i == 0 ? 0 : 65534 + i];
    EXPECT_EQ(again.got[i].payload, before.payload);
    EXPECT_EQ(again.got[i].id, before.id);
    EXPECT_TRUE(again.got[i].dup);
  }
}

// [MQTT-3.3.1-3]: what may have gone out before a crash has nothing to do with what comes later.
TEST_F(RecoveryTest, WhatComesLongAfterACrashIsNoRepetition) {
  start();
  Inbox inbox;
  Session& session = life->connect("d", inbox);
  ASSERT_EQ(life->subscribe(session, "t", Qos::ExactlyOnce), ReasonCode::Success);
  life->publish("t", 0, 10);
  start();
  EXPECT_EQ(take_all(), numbers(0, 10));
  life->turn();
  start();
  EXPECT_EQ(life->report.owed, 0U);
  life->publish("t", 10, 12);
  life->publish("t", 12, 13, Qos::ExactlyOnce);
  start();
  Inbox later;
  life->connect("d", later);
  ASSERT_EQ(later.got.size(), 3U);
  for (const Inbox::Got& one : later.got) EXPECT_FALSE(one.dup) << one.payload;
}

/// A session whose queue has levels.
class PrioritiesTest : public RecoveryTest {
 protected:
  void begin(std::uint16_t window) {
    QueuePriorities priorities;
    priorities["t/hi"] = 10;
    zones["default"].queue.priorities = std::make_shared<const QueuePriorities>(std::move(priorities));
    zones["default"].window = window;
    start(zones);
    session = &life->connect("d", inbox);
    ASSERT_EQ(life->subscribe(*session, "t/#"), ReasonCode::Success);
  }
  /// The `which`-th that came.
  void acknowledge(std::size_t which) { session->on_puback(inbox.got.at(which).id); }
  void close_and_restart(Nanos down = {}) {
    life->broker().close(*session, {});
    life->turn();
    clock.advance(down);
    start(zones);
  }
  /// Payloads as they come, acknowledged; with a * those with DUP.
  std::vector<std::string> all_that_comes() {
    Inbox again;
    Session& resumed = life->connect("d", again);
    std::vector<std::string> out;
    for (std::size_t i = 0; i < again.got.size(); ++i) {
      out.push_back(again.got[i].payload + (again.got[i].dup ? "*" : ""));
      resumed.on_puback(again.got[i].id);
    }
    return out;
  }
  Life::Zones zones{{"default", {}}};
  Inbox inbox;
  Session* session = nullptr;
};

TEST_F(PrioritiesTest, WhatWasNotSentIsNoRepetition) {  // [MQTT-3.3.1-3]
  begin(1);
  life->publish("t/lo", 0, 2);
  life->publish("t/hi", 2, 3);
  acknowledge(0);
  ASSERT_EQ(inbox.got.back().payload, "2");
  close_and_restart();
  EXPECT_EQ(all_that_comes(), (std::vector<std::string>{"2*", "1"}));
}

TEST_F(PrioritiesTest, WhatWasNotSentExpires) {  // [MQTT-3.3.2-5]
  begin(1);
  life->publish("t/lo", 0, 1);
  life->publish("t/lo", 1, 2, Qos::AtLeastOnce, false, 2);
  life->publish("t/hi", 2, 3);
  acknowledge(0);
  ASSERT_EQ(inbox.got.back().payload, "2");
  close_and_restart(std::chrono::seconds(3));
  EXPECT_EQ(all_that_comes(), (std::vector<std::string>{"2*"}));
  EXPECT_EQ(life->dropped(), 1U);
}

TEST_F(PrioritiesTest, AllThatWasSentIsARepetition) {  // [MQTT-3.3.1-1]
  begin(2);
  life->publish("t/lo", 0, 3);
  life->publish("t/hi", 3, 4);
  acknowledge(0);
  acknowledge(1);
  ASSERT_EQ(inbox.got.back().payload, "2") << "behind 3";
  close_and_restart();
  EXPECT_EQ(all_that_comes(), (std::vector<std::string>{"2*", "3*"}));
}

TEST_F(PrioritiesTest, ACrashKeepsTheOrderOfALevel) {  // [MQTT-4.6.0-1]
  begin(2);
  life->publish("t/lo", 0, 3);
  acknowledge(0);  // 2 comes out of the queue: its row does not say that it was sent
  acknowledge(1);
  life->publish("t/lo", 3, 4);
  ASSERT_EQ(inbox.got.back().payload, "3");
  start(zones);
  EXPECT_EQ(all_that_comes(), (std::vector<std::string>{"2*", "3*"}));
}

TEST_F(RecoveryTest, GivesASessionTheSettingsOfItsZone) {
  Life::Zones zones{{"default", {}}, {"big", {}}};
  zones["default"].max_subscriptions = 5;
  zones["default"].queue.messages = 10;
  zones["big"].max_subscriptions = 100;
  zones["big"].queue.messages = 5000;
  start(zones);
  Inbox inbox;
  Session& session = life->connect("d", inbox, "big");
  for (int i = 0; i < 10; ++i) ASSERT_EQ(life->subscribe(session, "q/" + std::to_string(i)), ReasonCode::Success);
  life->broker().close(session, {});
  life->publish("q/1", 0, 3000);

  start(zones);
  EXPECT_EQ(life->report.subscriptions, 10U);
  const Session* stored = life->broker().find("d");
  ASSERT_NE(stored, nullptr);
  EXPECT_EQ(stored->settings().zone, "big");
  EXPECT_EQ(stored->subscription_count(), 10U);
  life->publish("q/2", 3000, 3100);  // before its client is back
  EXPECT_EQ(take_all("big"), numbers(0, 3100));
}

TEST_F(RecoveryTest, KeepsWhatALimitWouldRefuseNow) {
  Life::Zones zones{{"default", {}}};
  start(zones);
  Inbox inbox;
  Session& session = life->connect("d", inbox);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(life->subscribe(session, "q/" + std::to_string(i)), ReasonCode::Success);
  life->broker().close(session, {});
  life->publish("q/1", 100, 600);
  for (int i = 0; i < 4; ++i) life->publish("r/" + std::to_string(i), i, i + 1, Qos::AtLeastOnce, true);

  zones["default"].max_subscriptions = 5;
  zones["default"].queue.messages = 10;
  zones["default"].queue.bytes = 1000;
  CoreSettings settings;
  settings.retained.max_messages = 1;
  start(zones, settings);
  EXPECT_EQ(life->report.subscriptions, 10U);
  EXPECT_EQ(life->broker().find("d")->subscription_count(), 10U);
  EXPECT_EQ(life->broker().find("d")->queue().size(), 500U);
  EXPECT_EQ(life->broker().retained().size(), 4U);

  // The bounds hold for what is new: one message in, one out; no further subscription.
  life->publish("q/1", 600, 601);
  EXPECT_EQ(life->broker().find("d")->queue().size(), 500U);
  EXPECT_EQ(life->dropped(), 1U);
  EXPECT_EQ(life->subscribe(*life->broker().find("d"), "more"), ReasonCode::QuotaExceeded);
  EXPECT_EQ(take_all(), numbers(101, 601));
}

// 7.3: what was stored while $share/$queue/f was another subscription than $queue/f.
TEST_F(RecoveryTest, BothSpellingsOfAQueueBecomeOneSubscription) {
  start();
  Inbox inbox;
  Session& session = life->connect("d", inbox);
  ASSERT_EQ(life->subscribe(session, "$queue/t"), ReasonCode::Success);
  const std::uint64_t number = session.number();
  life->turn();
  store::Batch old;
  for (const char* filter : {"$share/$queue/t", "$share/$queue/u"}) {
    store::SubscriptionRecord record;
    record.session = number;
    record.filter = filter;
    store::put(old, record);
  }
  ASSERT_TRUE(store->commit_wait(std::move(old)));
  for (int restart = 0; restart < 2; ++restart) {
    start();
    Session* found = life->broker().find("d");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subscription_count(), 2U);
    EXPECT_TRUE(found->find_subscription("$queue/t"));
    EXPECT_TRUE(found->find_subscription("$queue/u"));
    life->turn();
  }
  for (const char* filter : {"$queue/t", "$share/$queue/u"})
    EXPECT_EQ(life->broker().unsubscribe(*life->broker().find("d"), filter), ReasonCode::Success);
  life->turn();
  start();
  EXPECT_EQ(life->broker().find("d")->subscription_count(), 0U);
}

// 5.3: what was taken and kept is acknowledged again at once, whatever else waits for the disk or was refused by it.
TEST_F(RecoveryTest, ARepetitionWaitsForTheCommitOfItsMessageAlone) {
  start();
  Inbox inbox;
  Session* session = &life->connect("d", inbox);
  life->turn();
  session->add_awaiting_rel(7, nullptr);
  session->store_awaiting_rel(7);
  const Ticket ticket = session->awaiting_taken(7).ticket;
  EXPECT_FALSE(life->broker().journal()->kept(ticket));
  life->turn();
  EXPECT_TRUE(life->broker().journal()->kept(ticket));
  ASSERT_EQ(life->subscribe(*session, "t"), ReasonCode::Success);
  EXPECT_EQ(session->awaiting_taken(7).ticket, ticket);
  EXPECT_FALSE(life->broker().journal()->kept(life->broker().journal()->barrier())) << "something else waits";
  EXPECT_EQ(session->awaiting_taken(8).ticket, 0U);
  life->turn();

  start();
  session = life->broker().find("d");
  ASSERT_TRUE(session->awaiting_rel(7));
  EXPECT_TRUE(life->broker().journal()->kept(session->awaiting_taken(7).ticket)) << "it was on disk";
}

TEST_F(RecoveryTest, ToldWhenItIsOnDiskOrTheDiskTakesNothing) {
  const auto full = start_on_disk_that_fills();
  std::vector<bool> told;
  const auto tell = [&](bool kept) { told.push_back(kept); };
  life->broker().when_kept(nullptr, tell);
  EXPECT_EQ(told, std::vector{true}) << "nothing was changed";

  const auto retain = [&] {
    Publication p;
    p.topic = "t";
    p.payload = as_bytes(std::string_view("x"));
    p.retain = true;
    (void)life->broker().publish(p);
  };
  retain();
  life->broker().when_kept(nullptr, tell);
  life->broker().when_kept(nullptr, tell);
  EXPECT_EQ(told.size(), 1U);
  life->turn();
  EXPECT_EQ(told, (std::vector{true, true, true}));

  *full = true;
  retain();
  life->broker().when_kept(nullptr, tell);
  EXPECT_EQ(told.size(), 3U);
  life->turn();
  ASSERT_EQ(told.size(), 4U);
  EXPECT_FALSE(told.back());
  life->broker().when_kept(nullptr, tell);
  ASSERT_EQ(told.size(), 5U) << "nobody is kept waiting for a disk that takes nothing";
  EXPECT_FALSE(told.back());
  EXPECT_TRUE(life->broker().wants_disk("t", true));
  EXPECT_FALSE(life->broker().wants_disk("t", false)) << "nobody is subscribed";

  const auto receipt = std::make_shared<Receipt>(0);  // another shard's part of a publication
  *full = false;
  for (int i = 0; i < 400; ++i) life->turn();  // the journal tries again after a second
  receipt->expect();
  life->broker().when_kept(receipt, tell);
  EXPECT_EQ(told.size(), 5U);
  EXPECT_TRUE(receipt->done(true));
  life->broker().journal()->notify_waiters();
  ASSERT_EQ(told.size(), 6U);
  EXPECT_TRUE(told.back());
  life->turn();
}

// 4.3.3: a crash before it is written would undo that it was sent, and a repetition of it be taken for another message.
TEST_F(RecoveryTest, HoldsQos2BackWhileTheDiskRefusesIt) {
  const auto full = start_on_disk_that_fills();
  Inbox inbox;
  Session& session = life->connect("d", inbox);
  ASSERT_EQ(life->subscribe(session, "t", Qos::ExactlyOnce), ReasonCode::Success);
  life->turn();
  const Journal& journal = *life->broker().journal();
  const Ticket before = journal.ticket();
  *full = true;
  life->publish("t", 0, 1, Qos::ExactlyOnce);
  EXPECT_TRUE(journal.trouble());
  EXPECT_TRUE(journal.kept(before)) << "nobody waits for a disk that is full";
  EXPECT_TRUE(journal.refused(before));
  EXPECT_FALSE(journal.stored(before));
  EXPECT_EQ(inbox.got.size(), 0U);
  for (int i = 0; i < 3; ++i) {
    clock.advance(std::chrono::seconds(1));
    life->turn();
  }
  EXPECT_FALSE(journal.stored(before));
  EXPECT_EQ(inbox.got.size(), 0U);

  *full = false;
  clock.advance(std::chrono::seconds(1));
  life->turn();
  EXPECT_FALSE(journal.trouble());
  EXPECT_TRUE(journal.stored(before));
  EXPECT_FALSE(journal.refused(before));
  ASSERT_EQ(inbox.got.size(), 1U);
  EXPECT_EQ(inbox.got[0].payload, "0");
  life->publish("t", 1, 2, Qos::ExactlyOnce);
  EXPECT_EQ(inbox.got.size(), 2U);
}

// Its publisher is given no PUBREC before, and repeats it when there is room: it is known then, whenever that is.
TEST_F(RecoveryTest, KnowsAReceivedIdAsLongAsTheDiskRefusesIt) {
  const auto full = start_on_disk_that_fills();
  Inbox inbox;
  Session& session = life->connect("d", inbox);
  life->turn();
  *full = true;
  session.add_awaiting_rel(7, nullptr);
  session.store_awaiting_rel(7);
  const auto wait = [&](Millis time) {
    for (Millis step{1000}; time.count() > 0; time -= step) {
      clock.advance(step);
      life->turn();
    }
  };
  const Millis timeout = session.settings().await_rel_timeout;
  wait(2 * timeout);
  EXPECT_TRUE(session.awaiting_rel(7));
  *full = false;
  wait(2 * timeout);
  EXPECT_FALSE(session.awaiting_rel(7));
}

// The rows that go with another shard's batch count too.
TEST_F(RecoveryTest, CountsWhatItsPartsOwe) {
  start();
  Journal& journal = *life->broker().journal();
  Inbox inbox;
  Session& session = life->connect("d", inbox);
  life->turn();
  const Ticket before = journal.ticket();
  Owed owed;
  Publication p;
  p.topic = "t";
  p.qos = Qos::ExactlyOnce;
  Delivery delivery(p, nullptr);
  owed.message = delivery.message();
  owed.qos = Qos::ExactlyOnce;
  owed.sequence = 1;
  PartRef part;
  {
    Journal::Scope rows(journal);
    journal.add(session.number(), owed, store::QueueState::Queued, 0);
    part = rows.close();
  }
  ASSERT_TRUE(part);
  life->turn();
  EXPECT_FALSE(journal.kept(before)) << "the part is under way";
  for (int i = 0; i < 2; ++i) {
    journal.settle_part(part->serial, false);
    EXPECT_TRUE(journal.kept(before));
    EXPECT_TRUE(journal.refused(before));
    EXPECT_FALSE(journal.stored(before));
    EXPECT_FALSE(journal.trouble()) << "this journal's own rows are taken";
  }
  journal.settle_part(part->serial, true);
  EXPECT_FALSE(journal.refused(before));
  EXPECT_TRUE(journal.stored(before));
  EXPECT_FALSE(journal.owing());
  journal.remove(session.number(), owed);
  life->turn();
}

// What collects while the disk takes nothing has a bound; nothing of it is lost.
TEST_F(RecoveryTest, PublishersWaitWhenTooMuchWaitsForTheDisk) {
  const auto full = start_on_disk_that_fills();
  Broker& broker = life->broker();
  *full = true;
  const std::string payload(std::size_t{1} << 20, 'p');
  int published = 0;
  for (; !broker.must_wait() && published < 1000; ++published) {
    Publication p;
    const std::string topic = "t/" + std::to_string(published);
    p.topic = topic;
    p.payload = as_bytes(payload);
    p.retain = true;
    (void)broker.publish(p);
    life->turn();
  }
  EXPECT_TRUE(broker.must_wait());
  EXPECT_GE(published, 64);
  EXPECT_LT(published, 70);
  bool resumed = false;
  broker.when_room([&resumed] { resumed = true; });
  const auto wait = [&] {
    for (int i = 0; i < 3; ++i) {
      clock.advance(std::chrono::seconds(1));
      life->turn();
    }
  };
  wait();
  EXPECT_FALSE(resumed);
  *full = false;
  wait();
  EXPECT_TRUE(resumed);
  EXPECT_FALSE(broker.must_wait());
  start();
  EXPECT_EQ(life->report.retained, static_cast<std::size_t>(published));
}

/// A source of permissions that answers later.
class HeldWillTest : public RecoveryTest {
 protected:
  HeldWillTest() {
    guard = [this](const IdentityRef&, const Will&, Broker::WillReply reply) {
      replies.push_back(std::move(reply));
      return WillVerdict::Held;
    };
    start();
    Inbox watcher;
    Session& session = life->connect("d", watcher);
    EXPECT_EQ(life->subscribe(session, "w"), ReasonCode::Success);
    life->broker().close(session, {});
    auto will = std::make_unique<Will>();
    will->topic = "w";
    will->payload = "1";
    will->qos = Qos::AtLeastOnce;
    Inbox inbox;
    life->broker().close(life->connect("dying", inbox, "default", std::move(will)), {});
    life->turn();
  }
  void restart() {
    replies.clear();
    start();
    life->turn();
  }
  std::vector<Broker::WillReply> replies;
};

TEST_F(HeldWillTest, IsAskedForAgainAfterACrash) {
  ASSERT_EQ(replies.size(), 1U);
  for (int crash = 0; crash < 2; ++crash) {
    restart();
    ASSERT_EQ(replies.size(), 1U);
  }
  EXPECT_EQ(take_all(), std::vector<int>{});
  replies[0](true);
  EXPECT_EQ(take_all(), std::vector<int>{1});
}

TEST_F(HeldWillTest, IsPublishedOnceWhateverCrashes) {
  ASSERT_EQ(replies.size(), 1U);
  replies[0](true);
  life->turn();
  restart();
  EXPECT_TRUE(replies.empty());
  EXPECT_EQ(take_all(), std::vector<int>{1});
}

TEST_F(HeldWillTest, IsForgottenWhenItIsDenied) {
  ASSERT_EQ(replies.size(), 1U);
  replies[0](false);
  life->turn();
  restart();
  EXPECT_TRUE(replies.empty());
  EXPECT_EQ(take_all(), std::vector<int>{});
}

// 4.5: whoever judges a will may have to ask a back end, which answers only once the shards run.
TEST_F(RecoveryTest, WillsOfACrashAreJudgedWhenTheShardRuns) {
  start();
  Inbox dying, watch;
  OpenRequest request;
  request.identity = std::make_shared<const Identity>(Identity{"dying", "joe", "10.0.0.1"});
  request.settings = std::make_shared<const SessionSettings>();
  request.will = std::make_unique<Will>();
  request.will->topic = "w";
  request.will->payload = "gone";
  request.will->delay_s = 3600;
  life->broker().open(std::move(request), dying);
  Session& session = life->connect("watch", watch);
  ASSERT_EQ(life->subscribe(session, "w"), ReasonCode::Success);
  life->turn();

  for (const bool crash_again : {true, false}) {
    start();
    EXPECT_EQ(life->report.wills, 1U);
    int asked = 0;
    life->broker().set_will_guard([&asked](const IdentityRef& from, const Will&, Broker::WillReply) {
      EXPECT_EQ(from->username, "joe");
      ++asked;
      return WillVerdict::Publish;
    });
    EXPECT_EQ(asked, 0);
    if (crash_again) continue;
    life->turn();
    EXPECT_EQ(asked, 1);
    Inbox back;
    life->connect("watch", back);
    life->turn();
    EXPECT_EQ(back.got.size(), 1U);
  }
  start();
  EXPECT_EQ(life->report.wills, 0U) << "once";
}

}  // namespace
}  // namespace sb::broker
