#include "access/ban_table.h"

#include "access/flapping.h"

#include <gtest/gtest.h>

namespace sb::access {
namespace {

using namespace std::chrono_literals;

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
  ASSERT_TRUE(table.create(ban_of(BanKind::ClientIdRe, "^worm.*$")));
  EXPECT_TRUE(table.banned("worm\nx", "", "1.1.1.1")) << "an end of line is a letter like others";
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

}  // namespace
}  // namespace sb::access
