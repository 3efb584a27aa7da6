#include "broker/router.h"

#include "base/hash.h"
#include "broker/topic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

namespace sb::broker {
namespace {

struct Setting {
  const char* name;
  Schema schema;
  bool compaction;
};

class RouterTest : public testing::TestWithParam<Setting> {
 protected:
  std::vector<std::string> match(std::string_view topic) {
    found_.clear();
    router_->match(topic, found_);
    std::vector<std::string> filters;
    for (const Route* route : found_) filters.emplace_back(route->filter());
    std::sort(filters.begin(), filters.end());
    return filters;
  }
  void reclaim() {
    for (int i = 0; i < 1000 && reclaimer_.pending() > 0; ++i) reclaimer_.quiescent(0);
  }
  void release(std::string_view filter) { router_->release(router_->find(filter)); }

  runtime::Reclaimer reclaimer_{1};
  std::unique_ptr<Router> router_ =
      make_router({.schema = GetParam().schema, .shards = 1, .trie_compaction = GetParam().compaction}, reclaimer_);
  RouteList found_;
};

using Filters = std::vector<std::string>;

TEST_P(RouterTest, FindsNothingWhenEmpty) {
  EXPECT_TRUE(match("a/b").empty());
  EXPECT_EQ(router_->find("a"), nullptr);
  EXPECT_EQ(router_->count(), 0u);
}

// A hint only: what it must not do is to name what cannot be, or to walk off.
TEST_P(RouterTest, LooksAheadAtWhatMatchesWillFind) {
  Route* exact = router_->acquire("fleet/7/telemetry");
  Route* wildcard = router_->acquire("device/7/+/cmd/#");
  router_->acquire("device/8/#");
  Route* deep = router_->acquire("device/8/a/b/c/d/e/f/g/h/+");
  router_->acquire("#");
  std::vector<Ahead> next;
  for (const std::string_view topic : {"fleet/7/telemetry", "device/7/x/cmd/reboot", "nobody", "", "/", "$SYS/brokers",
                                       "device/8/a/b/c/d/e/f/g/h/i", "device/8", "device"})
    next.push_back({topic, hash_text(topic)});
  router_->look_ahead(next);
  EXPECT_EQ(next[0].probable, exact);
  if (GetParam().schema == Schema::V2) {
    EXPECT_EQ(next[1].probable, wildcard);
  }
  EXPECT_EQ(next[5].probable, nullptr);
  for (const Ahead& one : next) {
    if (one.probable) {
      EXPECT_EQ(router_->find(one.probable->filter()), one.probable) << one.topic;
    }
  }
  router_->release(deep);
  router_->look_ahead(next);
  EXPECT_EQ(next[0].probable, exact);
  router_->look_ahead({});
}

TEST_P(RouterTest, CountsReferencesToOneRoute) {
  Route* route = router_->acquire("a/+");
  EXPECT_EQ(router_->acquire("a/+"), route);
  EXPECT_EQ(router_->find("a/+"), route);
  EXPECT_EQ(route->filter(), "a/+");
  router_->release(route);
  EXPECT_EQ(match("a/b"), Filters{"a/+"});
  router_->release(route);
  EXPECT_TRUE(match("a/b").empty());
  EXPECT_EQ(router_->find("a/+"), nullptr);
  EXPECT_EQ(reclaimer_.pending() > 0, true);
}

TEST_P(RouterTest, ChangesItsGenerationWithEveryRoute) {
  const auto start = router_->generation();
  Route* route = router_->acquire("a");
  const auto linked = router_->generation();
  EXPECT_NE(linked, start);
  router_->acquire("a");
  EXPECT_EQ(router_->generation(), linked);
  router_->release(route);
  EXPECT_EQ(router_->generation(), linked);
  router_->release(route);
  EXPECT_NE(router_->generation(), linked);
}

TEST_P(RouterTest, FindsAFilterAndTheSameWithMultiLevelWildcard) {
  for (const char* filter : {"a", "a/#", "#", "+", "+/#"}) router_->acquire(filter);
  EXPECT_EQ(match("a"), (Filters{"#", "+", "+/#", "a", "a/#"}));
  EXPECT_EQ(match("a/b"), (Filters{"#", "+/#", "a/#"}));
  EXPECT_EQ(match("b"), (Filters{"#", "+", "+/#"}));
}

TEST_P(RouterTest, HidesDollarTopicsFromLeadingWildcards) {  // [MQTT-4.7.2-1]
  for (const char* filter : {"#", "+/x", "+/#", "$SYS/#", "$SYS/+", "$SYS/x", "a/+"}) router_->acquire(filter);
  EXPECT_EQ(match("$SYS/x"), (Filters{"$SYS/#", "$SYS/+", "$SYS/x"}));
  EXPECT_EQ(match("$SYS"), (Filters{"$SYS/#"}));
  EXPECT_EQ(match("a/$x"), (Filters{"#", "+/#", "a/+"}));
}

TEST_P(RouterTest, TakesEmptyLevelsAsLevels) {
  for (const char* filter : {"/", "/+", "+/+", "//", "/#", "a//+", "+//b", "a/", "+/"}) router_->acquire(filter);
  EXPECT_EQ(match("/"), (Filters{"+/", "+/+", "/", "/#", "/+"}));
  EXPECT_EQ(match("//"), (Filters{"/#", "//"}));
  EXPECT_EQ(match("a//b"), (Filters{"+//b", "a//+"}));
  EXPECT_EQ(match("a/"), (Filters{"+/", "+/+", "a/"}));
}

TEST_P(RouterTest, PushesLeavesDownStepByStep) {
  const Filters all = {"a/b/c/d/+", "a/b/c/d/#", "a/b/c/+/e", "a/+/c/d/e", "a/b/c/d/+/f", "a/b/#", "a/b/c/d/e/#"};
  for (const std::string& filter : all) {
    router_->acquire(filter);
    EXPECT_EQ(match("z/b/c/d/e"), Filters{});
  }
  EXPECT_EQ(match("a/b/c/d/e"), (Filters{"a/+/c/d/e", "a/b/#", "a/b/c/+/e", "a/b/c/d/#", "a/b/c/d/+", "a/b/c/d/e/#"}));
  EXPECT_EQ(match("a/b/c/d/x/f"), (Filters{"a/b/#", "a/b/c/d/#", "a/b/c/d/+/f"}));
  for (const std::string& filter : all) release(filter);
  EXPECT_EQ(router_->count(), 0u);
}

TEST_P(RouterTest, AppendsToTheList) {
  router_->acquire("a/+");
  router_->acquire("b");
  found_.clear();
  router_->match("a/x", found_);
  router_->match("b", found_);
  ASSERT_EQ(found_.size(), 2u);
  EXPECT_EQ(found_[0]->filter(), "a/+");
  EXPECT_EQ(found_[1]->filter(), "b");
}

TEST_P(RouterTest, KeepsSlotsAndGroups) {
  Route* route = router_->acquire("a");
  int here = 0;
  EXPECT_EQ(route->local(0), nullptr);
  EXPECT_EQ(route->shard_mask(), 0u);
  route->set_local(0, &here);
  EXPECT_EQ(route->local(0), &here);
  EXPECT_EQ(route->shard_mask(), 1u);
  route->set_local(0, nullptr);
  EXPECT_EQ(route->shard_mask(), 0u);
  router_->with_writer_lock([&] { route->set_groups(&here); });
  EXPECT_EQ(route->groups(), &here);
}

TEST_P(RouterTest, LeavesNoResidue) {
  const MemoryUse empty = router_->memory();
  std::vector<Route*> routes;
  for (int i = 0; i < 30'000; ++i) {
    const std::string id = std::to_string(i);
    routes.push_back(router_->acquire("device/" + id + "/+/cmd/#"));
    routes.push_back(router_->acquire("device/" + id + "/state"));
    routes.push_back(router_->acquire("site/" + std::to_string(i % 100) + "/+/" + id + "/+"));
  }
  EXPECT_EQ(router_->count(), routes.size());
  EXPECT_GT(router_->memory().total(), empty.total());
  std::shuffle(routes.begin(), routes.end(), std::mt19937(7));
  for (Route* route : routes) {
    router_->release(route);
    reclaimer_.quiescent(0);
  }
  EXPECT_EQ(router_->count(), 0u);
  EXPECT_EQ(router_->memory().routes, 0u);
  EXPECT_EQ(router_->memory().nodes, empty.nodes);
  EXPECT_EQ(router_->memory().tables, empty.tables);
  reclaim();
  EXPECT_EQ(reclaimer_.pending(), 0u);
}

TEST_P(RouterTest, VisitsEveryRouteOnceInPages) {
  std::set<std::string> expected;
  for (int i = 0; i < 5000; ++i) {
    const std::string filter = (i % 2 ? "a/+/" : "a/b/") + std::to_string(i);
    router_->acquire(filter);
    expected.insert(filter);
  }
  std::map<std::string, int> seen;
  std::uint64_t cursor = 0;
  int pages = 0;
  do {
    cursor = router_->visit(cursor, 100, [&](Route& route) { ++seen[std::string(route.filter())]; });
    ++pages;
    router_->acquire("other/" + std::to_string(pages));
  } while (cursor != 0);
  EXPECT_GT(pages, 40);
  for (const std::string& filter : expected) EXPECT_EQ(seen[filter], 1) << filter;
}

// Random filters and topics over few words, so that everything overlaps, against the plain definition of matching.
TEST_P(RouterTest, AgreesWithTheDefinitionOverRandomHistories) {
  std::mt19937 random(20240501);
  const auto below = [&](unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random); };
  const std::vector<std::string> words = {"", "a", "b", "c", "$x", "dd"};
  const auto text = [&](bool is_filter) {
    std::string made;
    const unsigned levels = 1 + below(6);
    for (unsigned i = 0; i < levels; ++i) {
      if (i > 0) made += '/';
      const unsigned kind = is_filter ? below(10) : 9;
      if (kind < 3) {
        made += '+';
      } else if (kind == 3) {
        return made + '#';
      } else {
        made += words[below(static_cast<unsigned>(words.size()))];
      }
    }
    return made.empty() ? std::string("a") : made;
  };
  for (int round = 0; round < 6; ++round) {
    std::map<std::string, int> model;
    const unsigned add_percent = round % 2 ? 52 : 70;
    for (int step = 0; step < 6000; ++step) {
      if (below(100) < add_percent || model.empty()) {
        const std::string filter = text(true);
        router_->acquire(filter);
        ++model[filter];
      } else {
        auto it = std::next(model.begin(), below(static_cast<unsigned>(model.size())));
        release(it->first);
        if (--it->second == 0) model.erase(it);
      }
      if (step % 5 == 0) {
        const std::string topic = text(false);
        Filters expected;
        for (const auto& [filter, count] : model)
          if (matches(filter, topic)) expected.push_back(filter);
        ASSERT_EQ(match(topic), expected) << topic;
      }
      reclaimer_.quiescent(0);
    }
    ASSERT_EQ(router_->count(), model.size());
    for (const auto& [filter, count] : model)
      for (int i = 0; i < count; ++i) release(filter);
    ASSERT_EQ(router_->count(), 0u);
    ASSERT_EQ(router_->memory().routes, 0u);
  }
}

TEST_P(RouterTest, WalksLongChainsOfLevelsWithoutRecursion) {
  std::string filter = "+";
  std::string topic = "a";
  // v1 keeps a row a prefix and hashes each, so its cost grows with the square of the length.
  const std::size_t bytes = GetParam().schema == Schema::V2 ? kTopicBytesMax : 600;
  while (filter.size() + 2 < bytes) {
    filter += "/+";
    topic += "/a";
  }
  router_->acquire(filter);
  router_->acquire(filter.substr(0, filter.size() - 2) + "/#");
  EXPECT_EQ(match(topic).size(), 2u);
  EXPECT_EQ(match("a").size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Schemas, RouterTest,
                         testing::Values(Setting{"v2", Schema::V2, true}, Setting{"v1", Schema::V1, true},
                                         Setting{"v1_uncompacted", Schema::V1, false}),
                         [](const auto& setting) { return std::string(setting.param.name); });

}  // namespace
}  // namespace sb::broker
