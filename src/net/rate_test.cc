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

TEST(Bucket, TellsWhatIsThere) {
  const Nanos now = 100s;
  Bucket own(Rate{.per_second = 10, .burst = 5});
  SharedBucket shared(Rate{.per_second = 10, .burst = 5});
  const auto both = [&](Nanos at, double tokens) {
    EXPECT_DOUBLE_EQ(own.available(at), tokens);
    EXPECT_DOUBLE_EQ(shared.available(at), tokens);
  };
  both(now, 15);
  own.take(now, 4);
  shared.take(now, 4);
  both(now, 11);
  own.take(now, 21);
  shared.take(now, 21);
  both(now, 0);
  both(now + 1500ms, 5);
  both(now + 10s, 15);
  EXPECT_EQ(Bucket(Rate{}).available(now), kUnlimited);
  EXPECT_EQ(SharedBucket().available(now), kUnlimited);
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
