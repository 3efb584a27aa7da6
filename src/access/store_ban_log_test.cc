#include "access/store_ban_log.h"

#include <gtest/gtest.h>

namespace sb::access {
namespace {

using namespace std::chrono_literals;

TEST(StoreBanLog, KeepsWhatIsLiveAndForgetsTheRest) {
  ManualClock clock;
  const auto store = store::make_memory();
  StoreBanLog log(*store);
  Ban ban;
  {
    BanTable table(clock);
    table.open({}, &log);
    ban.who = "c";
    ban.reason = "why";
    ASSERT_TRUE(table.create(ban));
    ban.as = BanKind::Username;
    ban.who = "u";
    ban.until_ms = Ban::kForever;
    ASSERT_TRUE(table.create(ban));
    ban.as = BanKind::PeerHost;
    ban.who = "1.2.3.4";
    ban.until_ms = clock.wall_ms() + 1000;
    ASSERT_TRUE(table.create(ban));
    EXPECT_TRUE(table.erase(BanKind::ClientId, "c"));
  }
  ASSERT_TRUE(store->flush());
  clock.advance(2s);
  auto stored = log.load();
  ASSERT_TRUE(stored) << stored.error().what;
  EXPECT_EQ(stored->size(), 2U);
  BanTable table(clock);
  table.open(std::move(*stored), &log);
  ASSERT_EQ(table.size(), 1U);
  EXPECT_EQ(table.list().bans[0].until_ms, Ban::kForever);
  EXPECT_EQ(table.list().bans[0].reason, "why");
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(log.load()->size(), 1U);
}

TEST(StoreBanLog, WhatTheDiskRefusedIsStoredLater) {
  bool full = false;
  const auto store = store::make_memory({.before_commit = [&](const store::Batch&) -> Result<> {
    return full ? Result<>(fail(Errc::Full, "no space")) : Result<>();
  }});
  ManualClock clock;
  StoreBanLog log(*store);
  BanTable table(clock);
  table.open({}, &log);
  Ban ban;
  ban.who = "old";
  ASSERT_TRUE(table.create(ban));
  EXPECT_FALSE(table.trouble());
  full = true;
  ban.who = "new";
  ASSERT_TRUE(table.create(ban));
  ASSERT_TRUE(table.erase(BanKind::ClientId, "old"));
  ban.who = "short";
  ASSERT_TRUE(table.create(ban));
  ASSERT_TRUE(table.erase(BanKind::ClientId, "short"));
  ASSERT_TRUE(table.trouble());
  EXPECT_EQ(table.trouble()->what, "no space");
  table.sweep();  // still full: it is tried again
  full = false;
  table.sweep();
  EXPECT_FALSE(table.trouble());
  const auto stored = log.load();
  ASSERT_TRUE(stored);
  ASSERT_EQ(stored->size(), 1U);
  EXPECT_EQ(stored->front().who, "new");
}

}  // namespace
}  // namespace sb::access
