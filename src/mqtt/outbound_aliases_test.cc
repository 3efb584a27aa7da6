// Aliases of the server (broker.md 6.6).
#include "mqtt/outbound_aliases.h"

#include <gtest/gtest.h>

namespace sb::mqtt {
namespace {

constexpr std::uint16_t kMany = 65535;

std::string long_topic(int number) {
  return std::to_string(number) + std::string(60'000, 'x');
}

TEST(OutboundAliases, AreGivenUntilTheClientsMaximum) {
  OutboundAliases aliases;
  EXPECT_EQ(aliases.use("a", 2).alias, 1);
  EXPECT_EQ(aliases.use("b", 2).alias, 2);
  EXPECT_EQ(aliases.use("c", 2).alias, 0);
  const auto again = aliases.use("a", 2);
  EXPECT_EQ(again.alias, 1);
  EXPECT_TRUE(again.known);
}

TEST(OutboundAliases, AreBoundedByTheBytesOfTheirTopics) {
  OutboundAliases aliases;
  int given = 0;
  while (given < kMany && aliases.use(long_topic(given), kMany).alias != 0) ++given;
  EXPECT_EQ(given, static_cast<int>(OutboundAliases::kBytesMax / 60'000));
  EXPECT_EQ(aliases.use(long_topic(given), kMany).alias, 0) << "in full, each time";
  EXPECT_TRUE(aliases.use(long_topic(0), kMany).known) << "none is taken back";
  EXPECT_EQ(aliases.use("short", kMany).alias, given + 1);
}

TEST(OutboundAliases, WhatIsTakenBackTakesNoRoom) {
  OutboundAliases aliases;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(aliases.use(long_topic(i), kMany).alias, 1);
    aliases.take_back(long_topic(i));
  }
}

}  // namespace
}  // namespace sb::mqtt
