// Readers and writers at once; meant for ThreadSanitizer, and checks what a reader is promised in every build.
#include "broker/router.h"
#include "broker/topic.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>

namespace sb::broker {
namespace {

struct Setting {
  const char* name;
  Schema schema;
  bool compaction;
};

class RouterStress : public testing::TestWithParam<Setting> {};

// Every shard churns filters below the same few prefixes, so that leaves are pushed down and nodes come and go all the
// time, and matches topics for which one filter stays installed.
TEST_P(RouterStress, ReadersFindWhatStaysAndNothingTwice) {
  constexpr unsigned kShards = 4;
  constexpr unsigned kTurns = 4000;
  constexpr unsigned kTopics = 16;
  runtime::Reclaimer reclaimer(kShards);
  const auto router = make_router(
      {.schema = GetParam().schema, .shards = kShards, .trie_compaction = GetParam().compaction}, reclaimer);
  std::vector<Route*> stay;
  const auto topic_of = [](unsigned i) { return "a/" + std::to_string(i % 4) + "/x/" + std::to_string(i); };
  for (unsigned i = 0; i < kTopics; ++i) {
    stay.push_back(router->acquire("a/+/x/" + std::to_string(i)));
    stay.push_back(router->acquire(topic_of(i)));
  }
  std::atomic<unsigned> missed{0};
  std::atomic<unsigned> twice{0};
  std::atomic<unsigned> foreign{0};
  std::vector<std::thread> threads;
  for (unsigned shard = 0; shard < kShards; ++shard)
    threads.emplace_back([&, shard] {
      std::mt19937 random(shard);
      const auto below = [&](unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random); };
      const auto churned = [&] {
        const std::string first = std::to_string(below(4));
        switch (below(7)) {
          case 0:
            return "a/" + first + "/x/#";
          case 1:
            return "a/" + first + "/+/" + std::to_string(below(kTopics));
          case 2:
            return std::string("+/+/x/") + std::to_string(below(kTopics));
          case 3:
            return "a/" + first + "/#";
          case 4:
            return "a/" + first + "/x/+";
          case 5:
            return "a/" + first + "/x/" + std::to_string(below(kTopics));
          default:
            return "+/" + first + "/x/" + std::to_string(below(2000));
        }
      };
      std::vector<Route*> held;
      RouteList found;
      for (unsigned turn = 0; turn < kTurns; ++turn) {
        for (int i = 0; i < 4; ++i) {
          if (held.size() < 40 && below(2) == 0) {
            Route* route = router->acquire(churned());
            route->set_local(shard, route);
            held.push_back(route);
          } else if (!held.empty()) {
            const std::size_t at = below(static_cast<unsigned>(held.size()));
            Route* route = held[at];
            held[at] = held.back();
            held.pop_back();
            bool last_of_shard = true;
            for (const Route* other : held) last_of_shard = last_of_shard && other != route;
            if (last_of_shard) route->set_local(shard, nullptr);
            router->release(route);
          }
          const unsigned index = below(kTopics);
          const std::string topic = topic_of(index);
          found.clear();
          router->match(topic, found);
          unsigned stayed = 0;
          for (std::size_t k = 0; k < found.size(); ++k) {
            stayed += found[k] == stay[2 * index] || found[k] == stay[2 * index + 1] ? 1 : 0;
            if (!matches(found[k]->filter(), topic)) foreign.fetch_add(1);
            for (std::size_t m = 0; m < k; ++m)
              if (found[m] == found[k]) twice.fetch_add(1);
          }
          // What this shard itself holds is installed as well.
          for (const Route* mine : held) {
            if (!matches(mine->filter(), topic)) continue;
            bool seen = false;
            for (const Route* route : found) seen = seen || route == mine;
            if (!seen) missed.fetch_add(1);
          }
          if (stayed != 2) missed.fetch_add(1);
        }
        reclaimer.quiescent(shard);
      }
      for (Route* route : held) route->set_local(shard, nullptr);
      for (Route* route : held) router->release(route);
      reclaimer.offline(shard);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(missed.load(), 0u);
  EXPECT_EQ(twice.load(), 0u);
  EXPECT_EQ(foreign.load(), 0u);
  EXPECT_EQ(router->count(), stay.size());
  for (const Route* route : stay) EXPECT_EQ(route->shard_mask(), 0u);
  for (Route* route : stay) router->release(route);
  EXPECT_EQ(router->count(), 0u);
  EXPECT_EQ(router->memory().routes, 0u);
  reclaimer.online(0);
  for (int i = 0; i < 1000 && reclaimer.pending() > 0; ++i) reclaimer.quiescent(0);
  EXPECT_EQ(reclaimer.pending(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Schemas, RouterStress,
                         testing::Values(Setting{"v2", Schema::V2, true}, Setting{"v1", Schema::V1, true},
                                         Setting{"v1_uncompacted", Schema::V1, false}),
                         [](const auto& setting) { return std::string(setting.param.name); });

}  // namespace
}  // namespace sb::broker
