// Packet ids of what a session has sent, in windows with gaps (broker.md 6.4).
#include "broker/detail/inflight_index.h"
#include "broker/testing/module_fixture.h"

#include <algorithm>
#include <random>

namespace sb::broker {
namespace {

TEST(InflightIndex, FindsTheNearestFreeIdBelow) {
  detail::InflightIndex index;
  EXPECT_EQ(index.free_below(1), PacketId{65535});  // there is no id 0
  for (PacketId id = 1; id <= 200; ++id) index.push_back(id, true);
  EXPECT_EQ(index.free_below(200), PacketId{65535});
  index.erase(64);
  EXPECT_EQ(index.free_below(200), PacketId{64});
  EXPECT_EQ(index.free_below(64), PacketId{65535});
  for (std::uint32_t id = 201; id <= 65535; ++id) index.push_back(static_cast<PacketId>(id), true);
  EXPECT_EQ(index.free_below(10), PacketId{64});
  EXPECT_EQ(index.free_below(64), PacketId{64});  // round to itself
  index.push_back(64, true);
  EXPECT_EQ(index.free_below(10), std::nullopt);
}

TEST(InflightIndex, KnowsPositionsWhileTheFrontMoves) {
  detail::InflightIndex index;
  index.push_back(7, true);
  index.push_back(8, false);
  index.push_back(9, true);
  EXPECT_EQ(index.find(9), 2U);
  EXPECT_EQ(index.find(8), std::nullopt);
  index.erase(7);
  index.drop_front();
  EXPECT_EQ(index.find(7), std::nullopt);
  EXPECT_EQ(index.find(9), 1U);
}

class WindowTest : public module_fixture::ModuleTest {
 protected:
  Session& connect_window(std::uint16_t window) {
    SessionSettings settings;
    settings.window = window;
    settings.queue.messages = 0;
    settings.queue.bytes = 0;
    OpenRequest request;
    request.identity = identity("d");
    request.clean_start = false;
    request.expiry_s = 3600;
    request.settings = std::make_shared<const SessionSettings>(settings);
    request.window = window;
    Session& session = *broker.open(std::move(request), inbox).session;
    session.begin();
    return session;
  }
  void publish_some(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) publish("t", std::to_string(published++), Qos::AtLeastOnce);
  }
  /// Looks at what came since the last call: every id is free, every message the next one.
  void take() {
    for (; taken < inbox.got.size(); ++taken) {
      const module_fixture::Received& one = inbox.got[taken];
      ASSERT_TRUE(unacknowledged.insert(one.packet_id).second) << "id " << one.packet_id << " is in use";
      ASSERT_EQ(one.payload, std::to_string(taken));
    }
  }
  void acknowledge(Session& session, PacketId id) {
    unacknowledged.erase(id);
    session.on_puback(id);
  }
  module_fixture::Receiver inbox;
  std::set<PacketId> unacknowledged;
  std::size_t published = 0;
  std::size_t taken = 0;
};

TEST_F(WindowTest, GivesNoIdTwiceInTheLargestWindowWithGaps) {
  constexpr std::size_t kAll = 65535;
  Session& session = connect_window(kAll);
  subscribe(session, "t", Qos::AtLeastOnce);
  publish_some(kAll + 1000);
  take();
  ASSERT_EQ(unacknowledged.size(), kAll);
  std::vector<PacketId> ids(unacknowledged.begin(), unacknowledged.end());
  std::shuffle(ids.begin(), ids.end(), std::mt19937(1));
  const std::size_t queued = session.queue().size();
  for (std::size_t i = 0; i + 200 < ids.size(); ++i) acknowledge(session, ids[i]);
  take();
  EXPECT_EQ(session.inflight_count(), 200 + queued);
  publish_some(kAll);  // the rest of the window, past the ids that are still out
  take();
  EXPECT_EQ(session.inflight_count(), kAll);
  // A full window: each acknowledgement makes one id free, seldom that of the next message.
  ids.assign(unacknowledged.begin(), unacknowledged.end());
  std::shuffle(ids.begin(), ids.end(), std::mt19937(2));
  publish_some(ids.size());
  for (const PacketId id : ids) {
    acknowledge(session, id);
    take();
  }
  EXPECT_EQ(session.inflight_count(), kAll);
}

TEST_F(WindowTest, SmallWindowsGoRoundTheIdsOfOneThatIsNeverAcknowledged) {
  Session& session = connect_window(8);
  subscribe(session, "t", Qos::AtLeastOnce);
  publish_some(1);
  take();  // id 1 stays
  for (int i = 0; i < 140'000; ++i) {
    publish_some(1);
    take();
    acknowledge(session, inbox.got.back().packet_id);
  }
  EXPECT_EQ(unacknowledged, std::set<PacketId>{1});
}

TEST_F(WindowTest, ALargeWindowOfASmallerClientIsSentAsItMakesRoom) {
  Session& session = connect_window(65535);
  subscribe(session, "t", Qos::AtLeastOnce);
  publish_some(60'000);
  broker.close(session, {});
  inbox.got.clear();
  Session& resumed = connect_window(20'000);
  ASSERT_EQ(inbox.got.size(), 20'000U);
  // The newest first: what is acknowledged piles up before those that are parked.
  std::vector<PacketId> sent;
  for (std::size_t seen = 0; seen < inbox.got.size() || !sent.empty();) {
    for (; seen < inbox.got.size(); ++seen) {
      ASSERT_EQ(inbox.got[seen].payload, std::to_string(seen));
      sent.push_back(inbox.got[seen].packet_id);
    }
    resumed.on_puback(sent.back());
    sent.pop_back();
  }
  EXPECT_EQ(inbox.got.size(), 60'000U);
  EXPECT_EQ(resumed.inflight_count(), 0U);
}

class RetryTest : public module_fixture::ModuleTest {};

TEST_F(RetryTest, CountsIdsWhosePubrelDidNotCome) {  // 5.3
  SessionSettings settings;
  settings.await_rel_timeout = Millis{1000};
  session_settings = std::make_shared<const SessionSettings>(settings);
  module_fixture::Receiver inbox;
  Session& session = connect("d", inbox);
  session.add_awaiting_rel(7, nullptr);
  session.add_awaiting_rel(8, nullptr);
  EXPECT_EQ(session.counts().received_timed_out, 0U);
  advance(std::chrono::seconds(3));
  EXPECT_EQ(session.counts().received_timed_out, 2U);
  EXPECT_EQ(core.metric(Metric::MessagesDroppedAwaitPubrelTimeout), 2U);
}

TEST_F(RetryTest, GoesOnWhenTheClockIsSetBack) {
  SessionSettings settings;
  settings.retry_interval = Millis{1000};
  session_settings = std::make_shared<const SessionSettings>(settings);
  module_fixture::Receiver inbox;
  subscribe(connect("d", inbox), "t", Qos::AtLeastOnce);
  publish("t", "x", Qos::AtLeastOnce);
  clock.step_wall(Millis{-3'600'000});
  advance(std::chrono::seconds(4));
  EXPECT_GE(inbox.got.size(), 3U);
  EXPECT_LE(inbox.got.size(), 5U);
  clock.step_wall(Millis{7'200'000});  // nor does a clock that is set forward bring one early
  const std::size_t before = inbox.got.size();
  advance(Millis{100}, Millis{50});
  EXPECT_LE(inbox.got.size(), before + 1);
}

}  // namespace
}  // namespace sb::broker
