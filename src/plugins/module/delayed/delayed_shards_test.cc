// What a release leaves on disk where the receiver lives on another shard (docs/decisions/0004).
#include "broker/testing/module_fixture.h"
#include "plugins/module/delayed/delayed.h"
#include "plugins/module/delayed/store_log.h"
#include "store/tables.h"

namespace sb::plugins::module::delayed {
namespace {

using namespace std::chrono_literals;

class DelayedShards : public testing::TestWithParam<Qos> {
 protected:
  struct Shard {
    Shard(broker::Core& core, unsigned id, const Clock& clock, store::KeyValue& store)
        : loop(clock, {}), broker(core, id, loop, std::make_shared<broker::CoreSettings>()) {
      core.join(broker);
      loop.set_poller([this] { return broker.poll(); });
      loop.set_has_work([this] { return broker.has_work(); });
      broker.set_journal(std::make_unique<broker::Journal>(store, loop, id));
      broker.set_durable(true, true);
      loop.set_hooks({.after_turn = [this] { return broker.journal()->after_turn(); }, .offline = {}, .online = {}});
    }
    ~Shard() { broker.finish_journal(); }
    runtime::Loop loop;
    broker::Broker broker;
  };

  DelayedShards() {
    make();
    broker::Session& session = connect();
    SubscribeOptions options;
    options.qos = Qos::ExactlyOnce;
    EXPECT_EQ(there().subscribe(session, "t", options).code, ReasonCode::Success);
    there().close(session, {});
  }
  void make() {
    module = std::make_unique<Delayed>(context);
    EXPECT_TRUE(module->open(log));
    for (auto& shard : shards) module->join(shard->broker);
  }
  /// The receiver.
  broker::Session& connect() {
    broker::OpenRequest request;
    request.identity = std::make_shared<const broker::Identity>(broker::Identity{"receiver", {}, "10.0.0.1"});
    request.clean_start = false;
    request.expiry_s = kNeverExpires;
    request.settings = std::make_shared<const broker::SessionSettings>();
    return *there().open(std::move(request), sink).session;
  }
  broker::Broker& here() { return shards[0]->broker; }
  broker::Broker& there() { return shards[1]->broker; }
  /// Long enough for everything that waits for the disk.
  void turn(std::initializer_list<unsigned> which) {
    for (int i = 0; i < 50; ++i) {
      clock.advance(broker::Journal::kHope);
      for (const unsigned id : which) shards[id]->loop.turn(Nanos{0});
    }
  }
  template <class Row>
  std::size_t stored() {
    std::size_t rows = 0;
    EXPECT_TRUE(store::scan<Row>(*store, [&](const Row&) -> Result<> {
      ++rows;
      return {};
    }));
    return rows;
  }

  ManualClock clock;
  std::unique_ptr<store::KeyValue> store = store::make_memory();
  runtime::Reclaimer reclaimer{2};
  broker::Core core{broker::make_router({.shards = 2}, reclaimer), reclaimer, 2};
  std::unique_ptr<Shard> shards[2] = {std::make_unique<Shard>(core, 0, clock, *store),
                                      std::make_unique<Shard>(core, 1, clock, *store)};
  broker::Stats stats{core};
  module_fixture::RecordingAlarms alarms;
  broker::ModuleContext context{core, clock, alarms, stats, "n1@127.0.0.1", {}, "5.4.0", "Signalbox", {}};
  StoreLog log{core, *store};
  std::unique_ptr<Delayed> module;
  module_fixture::Receiver sink;
};

TEST_P(DelayedShards, TheRowIsThereUntilTheReceiversShardHasStoredTheMessage) {
  broker::Publication p;
  p.topic = "$delayed/1/t";
  p.payload = as_bytes("x");
  p.qos = GetParam();
  ASSERT_EQ(here().publish(p), ReasonCode::NoMatchingSubscribers);
  turn({0, 1});
  ASSERT_EQ(stored<store::DelayedRecord>(), 1U);
  clock.advance(2s);
  turn({0});  // released, and everything of this shard is on disk
  EXPECT_EQ(module->size(), 0U);
  EXPECT_EQ(stored<store::DelayedRecord>(), 1U) << "a crash now would lose the message";
  EXPECT_EQ(stored<store::QueueRecord>(), 0U);
  turn({1});  // its rows go to the shard that released
  EXPECT_EQ(stored<store::DelayedRecord>() + stored<store::QueueRecord>(), 1U) << "there twice, or not at all";
  turn({0, 1});
  EXPECT_EQ(stored<store::DelayedRecord>(), 0U);
  EXPECT_EQ(stored<store::QueueRecord>(), 1U);
}

TEST_P(DelayedShards, ARowGoesAlthoughNobodyReceives) {
  broker::Publication p;
  p.topic = "$delayed/1/nobody";
  p.qos = GetParam();
  ASSERT_EQ(here().publish(p), ReasonCode::NoMatchingSubscribers);
  turn({0, 1});
  ASSERT_EQ(stored<store::DelayedRecord>(), 1U);
  clock.advance(2s);
  turn({0});
  EXPECT_EQ(stored<store::DelayedRecord>(), 0U);
}

// 4.6: what one client published comes in its order, after a restart too.
TEST_P(DelayedShards, OneAuthorsMessagesAreReleasedByOneShardAfterARestart) {
  const broker::IdentityRef from = std::make_shared<const broker::Identity>(broker::Identity{"author", {}, "10.0.0.2"});
  for (int i = 0; i < 8; ++i) {
    const std::string payload = std::to_string(i);
    broker::Publication p;
    p.topic = "$delayed/1/t";
    p.payload = as_bytes(payload);
    p.qos = GetParam();
    p.from = &from;
    ASSERT_EQ(shards[core.home_of("author")]->broker.publish(p), ReasonCode::NoMatchingSubscribers);
  }
  turn({0, 1});
  make();
  EXPECT_EQ(module->size(), 8U);
  clock.advance(2s);
  turn({core.home_of("author")});
  EXPECT_EQ(module->size(), 0U);
  turn({0, 1});
  connect().begin();
  ASSERT_EQ(sink.got.size(), 8U);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(sink.got[static_cast<std::size_t>(i)].payload, std::to_string(i));
}

INSTANTIATE_TEST_SUITE_P(Acknowledged, DelayedShards, testing::Values(Qos::AtLeastOnce, Qos::ExactlyOnce));

}  // namespace
}  // namespace sb::plugins::module::delayed
