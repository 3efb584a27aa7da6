#include "broker/match_cache.h"

#include <gtest/gtest.h>

namespace sb::broker {
namespace {

/// Finds the same routes for every topic and counts how often it is asked.
class CountingRouter final : public Router {
 public:
  CountingRouter() { set(1); }
  ~CountingRouter() override { clear(); }
  void set(std::size_t routes) {
    clear();
    while (routes_.size() < routes) routes_.push_back(Route::make("#", 1));
    bump_generation();
  }
  void match(std::string_view, RouteList& out) const override {
    ++asked;
    for (Route* route : routes_) out.add(route);
  }
  Route* acquire(std::string_view) override { return nullptr; }
  void release(Route*) override {}
  Route* find(std::string_view) const override { return nullptr; }
  void look_ahead(std::span<Ahead>) const override {}
  std::size_t count() const override { return routes_.size(); }
  MemoryUse memory() const override { return {}; }
  std::uint64_t visit(std::uint64_t, std::size_t, const std::function<void(Route&)>&) override { return 0; }
  mutable int asked = 0;

 private:
  void clear() {
    for (Route* route : routes_) Route::destroy(route);
    routes_.clear();
  }
  std::vector<Route*> routes_;
};

class MatchCacheTest : public testing::Test {
 protected:
  /// How often the router is asked for the same topic, `times` times.
  int asked_for(std::string_view topic, int times) {
    const int before = router.asked;
    for (int i = 0; i < times; ++i) {
      EXPECT_EQ(cache.match(router, topic, scratch).size(), router.count());
    }
    return router.asked - before;
  }
  CountingRouter router;
  MatchCache cache;
  RouteList scratch;
};

TEST_F(MatchCacheTest, ATopicEntersAtItsSecondMiss) {
  EXPECT_EQ(asked_for("t", 10), 2);
  router.set(2);
  EXPECT_EQ(asked_for("t", 10), 1);
  EXPECT_EQ(asked_for(std::string(MatchCache::kTopicMax, 'x'), 10), 2);
}

TEST_F(MatchCacheTest, ALongTopicDoesNotEnter) {
  EXPECT_EQ(asked_for(std::string(MatchCache::kTopicMax + 1, 'x'), 10), 10);
}

TEST_F(MatchCacheTest, ALongListOfRoutesDoesNotEnter) {
  router.set(MatchCache::kRoutesMax + 1);
  EXPECT_EQ(asked_for("t", 10), 10);
  router.set(MatchCache::kRoutesMax);
  EXPECT_EQ(asked_for("t", 10), 1);
  router.set(MatchCache::kRoutesMax + 1);  // became long while it was there
  EXPECT_EQ(asked_for("t", 10), 10);
}

}  // namespace
}  // namespace sb::broker
