#include "client/authorization_cache.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sb::client {
namespace {

using access::Action;
using access::ActionKind;
using access::Verdict;

constexpr Verdict kNothing = Verdict::Pending;
constexpr access::Gate::CacheSettings kThree{.enable = true, .max_size = 3, .ttl_ms = 1000};

Action publish(std::string_view topic, Qos qos = Qos::AtMostOnce, bool retain = false) {
  return {ActionKind::Publish, topic, qos, retain};
}

TEST(AuthorizationCache, TheKeyIsActionQosRetainAndTopic) {
  AuthorizationCache cache;
  EXPECT_EQ(cache.find(publish("device/0042/state"), Nanos{0}, 1), kNothing);
  cache.add(publish("device/0042/state"), Verdict::Allow, Nanos{0}, 1, kThree);
  EXPECT_EQ(cache.find(publish("device/0042/state"), Nanos{0}, 1), Verdict::Allow);
  EXPECT_EQ(cache.find(publish("device/0042/state", Qos::ExactlyOnce), Nanos{0}, 1), kNothing);
  EXPECT_EQ(cache.find(publish("device/0042/state", Qos::AtMostOnce, true), Nanos{0}, 1), kNothing);
  EXPECT_EQ(cache.find({ActionKind::Subscribe, "device/0042/state", Qos::AtMostOnce, false}, Nanos{0}, 1), kNothing);
}

/// Differences at every place of topics of every length, in whatever pieces they are compared.
TEST(AuthorizationCache, EveryCharacterOfATopicCounts) {
  for (std::size_t size = 1; size <= 100; ++size) {
    AuthorizationCache cache;
    const std::string topic(size, 'a');
    cache.add(publish(topic), Verdict::Allow, Nanos{0}, 1, kThree);
    EXPECT_EQ(cache.find(publish(std::string(size, 'a')), Nanos{0}, 1), Verdict::Allow) << size;
    EXPECT_EQ(cache.find(publish(topic + "a"), Nanos{0}, 1), kNothing) << size;
    EXPECT_EQ(cache.find(publish(std::string_view(topic).substr(1)), Nanos{0}, 1), kNothing) << size;
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = topic;
      other[at] = 'b';
      EXPECT_EQ(cache.find(publish(other), Nanos{0}, 1), kNothing) << size << " " << at;
    }
  }
}

TEST(AuthorizationCache, FindsInWhateverOrder) {
  constexpr access::Gate::CacheSettings kTen{.enable = true, .max_size = 10, .ttl_ms = 1000};
  AuthorizationCache cache;
  const auto of = [](int i) { return i % 3 == 0 ? Verdict::Deny : Verdict::Allow; };
  const auto topic = [](int i) { return fmt::format("device/0042/state/{}", i); };
  for (int i = 0; i < 10; ++i) cache.add(publish(topic(i)), of(i), Nanos{0}, 1, kTen);
  for (const int step : {0, 1, 3, 7, 9})
    for (int turn = 0, i = 4; turn < 25; ++turn, i = (i + step) % 10) {
      EXPECT_EQ(cache.find(publish(topic(i)), Nanos{0}, 1), of(i)) << i << " by " << step;
      EXPECT_EQ(cache.find(publish(topic(i + 10)), Nanos{0}, 1), kNothing);
    }
}

TEST(AuthorizationCache, TellsWhetherItWasClearedMeanwhile) {
  AuthorizationCache cache;
  const auto before = cache.epoch();
  cache.add(publish("t"), Verdict::Allow, Nanos{0}, 1, kThree);
  EXPECT_EQ(cache.find(publish("t"), Nanos{0}, 2), kNothing);
  cache.add(publish("t"), Verdict::Allow, Nanos{0}, 3, kThree);
  EXPECT_EQ(cache.epoch(), before) << "of a new generation the generation tells";
  cache.clear();
  EXPECT_NE(cache.epoch(), before);
  EXPECT_EQ(cache.find(publish("t"), Nanos{0}, 3), kNothing);
}

TEST(AuthorizationCache, TheOldestGoesFirst) {
  AuthorizationCache cache;
  for (int i = 0; i < 5; ++i) cache.add(publish(fmt::format("t/{}", i)), Verdict::Deny, Nanos{0}, 1, kThree);
  EXPECT_EQ(cache.size(), 3U);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(cache.find(publish(fmt::format("t/{}", i)), Nanos{0}, 1), i < 2 ? kNothing : Verdict::Deny) << i;
}

TEST(AuthorizationCache, EntriesAgeAndGenerationsEnd) {
  AuthorizationCache cache;
  cache.add(publish("t"), Verdict::Allow, Millis{5000}, 1, kThree);
  EXPECT_EQ(cache.find(publish("t"), Millis{5999}, 1), Verdict::Allow);
  EXPECT_EQ(cache.find(publish("t"), Millis{6000}, 1), kNothing);
  cache.add(publish("t"), Verdict::Deny, Millis{6000}, 1, kThree);
  EXPECT_EQ(cache.find(publish("t"), Millis{6500}, 1), Verdict::Deny);
  EXPECT_EQ(cache.find(publish("t"), Millis{6500}, 2), kNothing);
  EXPECT_EQ(cache.size(), 0U);
  cache.add(publish("t"), Verdict::Allow, Millis{6500}, 2, {.enable = true, .max_size = 0, .ttl_ms = 1000});
  EXPECT_EQ(cache.find(publish("t"), Millis{6500}, 2), kNothing);
}

}  // namespace
}  // namespace sb::client
