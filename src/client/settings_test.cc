#include "client/settings.h"

#include <gtest/gtest.h>

namespace sb::client {
namespace {

TEST(ZoneInForce, TakesOverOnlyWhatIsEffectiveAtOnce) {
  auto live = std::make_shared<ZoneSettings>();
  live->name = "gone";
  auto fresh = std::make_shared<ZoneSettings>();
  fresh->max_topic_levels = 3;
  fresh->max_qos = Qos::AtLeastOnce;
  fresh->retain_available = false;
  fresh->wildcard_subscription = false;
  fresh->shared_subscription = false;
  fresh->exclusive_subscription = true;
  fresh->congestion_alarm = false;
  fresh->max_packet_size = 99;
  fresh->max_inflight = 9;
  fresh->strict_mode = true;
  const ZoneRef now = in_force(live, fresh);
  EXPECT_EQ(now->name, "default");
  EXPECT_EQ(now->max_topic_levels, 3U);
  EXPECT_EQ(now->max_qos, Qos::AtLeastOnce);
  EXPECT_FALSE(now->retain_available || now->wildcard_subscription || now->shared_subscription);
  EXPECT_TRUE(now->exclusive_subscription);
  EXPECT_FALSE(now->congestion_alarm);
  EXPECT_EQ(now->max_packet_size, live->max_packet_size);
  EXPECT_EQ(now->max_inflight, live->max_inflight);
  EXPECT_FALSE(now->strict_mode);
  EXPECT_EQ(now->session, live->session);
}

TEST(ZoneInForce, IsTheLiveOneWhileNothingChanges) {
  auto live = std::make_shared<ZoneSettings>();
  auto fresh = std::make_shared<ZoneSettings>(*live);
  fresh->max_packet_size = 99;
  EXPECT_EQ(in_force(live, fresh), ZoneRef(live));
}

TEST(LimitRates, ReachTheirBuckets) {
  SharedLimits limits;
  EXPECT_FALSE(limits.limit_traffic());
  limits.set({.connections = {.per_second = 1}, .routing = {.per_second = 2}});
  EXPECT_TRUE(limits.limit_traffic());
  EXPECT_TRUE(limits.connections.limits());
  EXPECT_FALSE(limits.bytes.limits());
  limits.set({});
  EXPECT_FALSE(limits.limit_traffic());
}

}  // namespace
}  // namespace sb::client
