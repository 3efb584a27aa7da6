#include "access/failure_limit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sb::access {
namespace {

constexpr FailureLimitSettings kThree{true, 3, Millis{1000}, Millis{5000}};

TEST(FailureLimit, BlocksAnAddressThatFailedTooOften) {
  FailureLimiter limiter;
  EXPECT_FALSE(limiter.count("a", 0, kThree));
  EXPECT_FALSE(limiter.count("a", 10, kThree));
  EXPECT_FALSE(limiter.blocked("a", 10));
  EXPECT_TRUE(limiter.count("a", 20, kThree));
  EXPECT_TRUE(limiter.blocked("a", 20));
  EXPECT_FALSE(limiter.blocked("b", 20));
  EXPECT_TRUE(limiter.blocked("a", 5019));
  EXPECT_FALSE(limiter.blocked("a", 5020));
  EXPECT_FALSE(limiter.count("a", 5030, kThree)) << "counting begins anew";
}

TEST(FailureLimit, CountsWithinItsWindow) {
  FailureLimiter limiter;
  EXPECT_FALSE(limiter.count("a", 0, kThree));
  EXPECT_FALSE(limiter.count("a", 900, kThree));
  EXPECT_FALSE(limiter.count("a", 1000, kThree)) << "a new window";
  EXPECT_FALSE(limiter.count("a", 1001, kThree));
  EXPECT_TRUE(limiter.count("a", 1002, kThree));
}

TEST(FailureLimit, RemembersABoundedNumberOfAddresses) {
  FailureLimiter limiter;
  for (int i = 0; i < 3; ++i) limiter.count("bad", 0, kThree);
  for (std::size_t i = 0; i < FailureLimiter::kAddressesMax; ++i) limiter.count(fmt::format("{}", i), 1, kThree);
  EXPECT_TRUE(limiter.blocked("bad", 2)) << "who is blocked is forgotten last";
  limiter.sweep(10'000);
  EXPECT_FALSE(limiter.blocked("bad", 2));
}

}  // namespace
}  // namespace sb::access
