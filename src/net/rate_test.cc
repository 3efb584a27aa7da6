#include "net/rate.h"

#include <gtest/gtest.h>

namespace sb::net {
namespace {

using namespace std::chrono_literals;

TEST(Bucket, TellsWhenOneTokenIsThereWithoutTakingIt) {
  Bucket bucket(Rate{.per_second = 10, .burst = 5});
  const Nanos now = 100s;
  EXPECT_EQ(bucket.wait(now), 0ns);
  bucket.take(now, 14);
  EXPECT_EQ(bucket.wait(now), 0ns);  // one of fifteen is left
  bucket.take(now, 1);
  EXPECT_EQ(bucket.wait(now), 100ms);
  EXPECT_EQ(bucket.wait(now), 100ms);
  EXPECT_EQ(bucket.wait(now + 100ms), 0ns);
  EXPECT_EQ(Bucket(Rate{}).wait(now), 0ns);
}

TEST(SharedBucket, WaitsAsOneOfASingleOwnerDoes) {
  SharedBucket bucket(Rate{.per_second = 10, .burst = 5});
  const Nanos now = 100s;
  bucket.take(now, 15);
  EXPECT_EQ(bucket.wait(now), 100ms);
  EXPECT_EQ(bucket.wait(now + 100ms), 0ns);
  bucket.set(Rate{});
  EXPECT_EQ(bucket.wait(now), 0ns);
  EXPECT_FALSE(bucket.limits());
}

}  // namespace
}  // namespace sb::net
