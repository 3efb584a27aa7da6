#include "base/clock.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/secret.h"

#include <gtest/gtest.h>

namespace sb {
namespace {

Result<int> half(int n) {
  if (n % 2) return fail(Errc::Invalid, fmt::format("{} is odd", n));
  return n / 2;
}
Result<int> quarter(int n) {
  SB_TRY(const int h, half(n));
  SB_TRY(const int q, half(h));
  return q;
}

TEST(Result, TryReturnsTheFirstError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().what, "3 is odd");
}

TEST(Secret, PrintsAsStars) {
  const Secret s("hunter2");
  EXPECT_EQ(fmt::format("{}", s), "******");
  EXPECT_EQ(s.reveal(), "hunter2");
}

TEST(Hash, IsStableForASeed) {
  EXPECT_EQ(hash_stable("a", 1), hash_stable("a", 1));
  EXPECT_NE(hash_stable("a", 1), hash_stable("a", 2));
}

TEST(Crc32c, MatchesRfc3720AndGoesOnInPieces) {  // B.4
  EXPECT_EQ(crc32c(0, as_bytes(std::string(32, '\0'))), 0x8A9136AAu);
  EXPECT_EQ(crc32c(0, as_bytes(std::string(32, '\xFF'))), 0x62A8AB43u);
  EXPECT_EQ(crc32c(0, as_bytes("123456789")), 0xE3069283u);
  EXPECT_EQ(crc32c(crc32c(0, as_bytes("1")), as_bytes("23456789")), 0xE3069283u);
}

TEST(ManualClock, WallStepsDoNotMoveMonotonicTime) {
  ManualClock clock;
  const auto before = clock.monotonic();
  clock.step_wall(Millis{-5000});
  EXPECT_EQ(clock.monotonic(), before);
}

}  // namespace
}  // namespace sb
