#include "management/session_walk.h"

#include "management/text.h"

#include <gtest/gtest.h>

namespace sb::management {
namespace {

class NoSink final : public broker::SessionSink {
 public:
  Sent send_publish(broker::Delivery&, const broker::Outgoing&) override { return Sent::Yes; }
  void send_pubrel(PacketId, ReasonCode, broker::Ticket) override {}
  void on_session_lost(broker::EndReason) override {}
};

class SessionWalkTest : public testing::Test {
 protected:
  SessionWalkTest() { core.join(broker); }
  void open(std::size_t count, std::size_t step = 1) {
    for (std::size_t i = 0; i < count; i += step) {
      broker::OpenRequest request;
      request.identity = std::make_shared<const broker::Identity>(broker::Identity{fmt::format("c{}", i), {}, {}});
      request.settings = settings;
      broker.open(std::move(request), sink);
    }
  }
  ManualClock clock;
  runtime::Reclaimer reclaimer{1};
  broker::Core core{broker::make_router({}, reclaimer), reclaimer, 1};
  runtime::Loop loop{clock, {}};
  broker::SessionSettingsRef settings = std::make_shared<const broker::SessionSettings>();
  broker::Broker broker{core, 0, loop, std::make_shared<const broker::CoreSettings>()};
  SessionWalks walks{broker};
  NoSink sink;
};

TEST_F(SessionWalkTest, TwoHundredThousandSessionsAreSeenOnceInSlices) {
  constexpr std::size_t kSessions = 200'000;
  open(kSessions);
  std::size_t seen = 0;
  std::size_t most_of_a_turn = 0;
  bool done = false;
  walks.walk(
      {}, [&](broker::Session&) { return ++seen, true; }, [&] { done = true; });
  while (!done) {
    const std::size_t before = seen;
    loop.turn(Nanos{0});
    most_of_a_turn = std::max(most_of_a_turn, seen - before);
  }
  EXPECT_EQ(seen, kSessions);
  EXPECT_LE(most_of_a_turn, SessionWalks::kSlice);
}

TEST_F(SessionWalkTest, SessionsThatEndMeanwhileAreNotTouched) {
  open(1000);
  std::vector<std::string> seen;
  bool done = false;
  walks.walk(
      {}, [&](broker::Session& session) { return seen.emplace_back(session.client_id()), true; }, [&] { done = true; });
  ASSERT_EQ(seen.size(), SessionWalks::kSlice);
  std::size_t ended = 0;
  for (std::size_t i = 0; i < 1000; i += 2) {
    const std::string id = fmt::format("c{}", i);
    if (std::find(seen.begin(), seen.end(), id) == seen.end()) ++ended;
    EXPECT_TRUE(broker.kick(id, broker::EndReason::Kicked));
  }
  open(1000, 2);  // new ones of the same names, perhaps at the old addresses
  while (!done) loop.turn(Nanos{0});
  EXPECT_EQ(seen.size(), 1000 - ended);
}

TEST_F(SessionWalkTest, BeginsWhereItIsToldAndEndsWhenTheVisitorHasEnough) {
  open(1000);
  std::vector<std::string> all;
  walks.walk(
      {}, [&](broker::Session& session) { return all.emplace_back(session.client_id()), true; }, [] {});
  while (all.size() < 1000) loop.turn(Nanos{0});
  std::vector<std::string> some;
  bool done = false;
  walks.walk(
      {.from = 900}, [&](broker::Session& session) { return some.emplace_back(session.client_id()), some.size() < 5; },
      [&] { done = true; });
  EXPECT_TRUE(done);
  EXPECT_EQ(some, std::vector<std::string>(all.begin() + 900, all.begin() + 905));
  some.clear();
  walks.walk(
      {.from = 990, .most = 4}, [&](broker::Session& session) { return some.emplace_back(session.client_id()), true; },
      [&] { some.emplace_back("end"); });
  EXPECT_EQ(some, (std::vector<std::string>{all[990], all[991], all[992], all[993], "end"}));
}

TEST(ManagementText, ReadsTimes) {
  EXPECT_EQ(parse_time("1700000000", 1000), 1'700'000'000'000);
  EXPECT_EQ(parse_time("2023-11-14T22:13:20Z", 1000), 1'700'000'000'000);
  EXPECT_EQ(parse_time("2023-11-15T00:13:20.5+02:00", 1), 1'700'000'000'500);
  for (const char* bad : {"", "-1", "x", "2023-11-14", "2023-13-14T22:13:20Z", "2023-11-14T22:13:20",
                          "99999999999999999999", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20+2:00"})
    EXPECT_FALSE(parse_time(bad, 1000)) << bad;
  EXPECT_EQ(parse_time(rfc3339_ms(1'700'000'000'123), 1), 1'700'000'000'123);
}

TEST(ManagementText, PrintsSizesAndBase64) {
  EXPECT_EQ(memory_text(1536), "1.50K");
  EXPECT_EQ(memory_text(16'632'000'000), "15.49G");
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace sb::management
