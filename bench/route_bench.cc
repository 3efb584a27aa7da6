// Routing schemas v1 and v2 side by side: subscribe, unsubscribe and match at 1e4, 1e5 and 1e6 filters, bytes a route.
//   build/release/bin/route_bench --benchmark_filter='match/v2'
// Arguments of every case: schema (1, 2), kind of filter (0 plain, 1 wildcard, 2 shared), number of filters.
#include "broker/router.h"
#include "route_filters.h"

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <memory>

namespace {

using sb::bench::Kind;
using sb::broker::Route;
using sb::broker::RouteList;
using sb::broker::Router;
using sb::broker::Schema;
using sb::runtime::Reclaimer;

std::size_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

struct Fleet {
  explicit Fleet(const benchmark::State& state)
      : kind(static_cast<Kind>(state.range(1))),
        filters(sb::bench::filters(kind, static_cast<std::size_t>(state.range(2)))) {
    clear(state);
  }
  ~Fleet() { router.reset(); }

  void clear(const benchmark::State& state) {
    router.reset();
    reclaimer = std::make_unique<Reclaimer>(1);
    router = sb::broker::make_router({.schema = state.range(0) == 1 ? Schema::V1 : Schema::V2}, *reclaimer);
    routes.clear();
    routes.reserve(filters.size());
  }
  // As a shard does: turns of a few subscriptions.
  void subscribe_all() {
    std::size_t i = 0;
    for (const std::string& filter : filters) {
      routes.push_back(router->acquire(filter));
      if (++i % 64 == 0) reclaimer->quiescent(0);
    }
  }
  void settle() {
    while (reclaimer->pending() > 0) reclaimer->quiescent(0);
  }

  Kind kind;
  std::vector<std::string> filters;
  std::unique_ptr<Reclaimer> reclaimer;
  std::unique_ptr<Router> router;
  std::vector<Route*> routes;
};

void label(benchmark::State& state, std::int64_t per_iteration) {
  state.SetItemsProcessed(state.iterations() * per_iteration);
  state.SetLabel(std::string(state.range(0) == 1 ? "v1 " : "v2 ") +
                 sb::bench::name_of(static_cast<Kind>(state.range(1))));
}

void subscribe(benchmark::State& state) {
  Fleet fleet(state);
  double heap_per_route = 0;
  for (auto _ : state) {
    state.PauseTiming();
    fleet.clear(state);
    const std::size_t before = heap_bytes();
    state.ResumeTiming();
    fleet.subscribe_all();
    state.PauseTiming();
    fleet.settle();
    heap_per_route = static_cast<double>(heap_bytes() - before) / static_cast<double>(fleet.filters.size());
    state.ResumeTiming();
  }
  label(state, state.range(2));
  state.counters["heap_per_route"] = heap_per_route;
  state.counters["own_count_per_route"] =
      static_cast<double>(fleet.router->memory().total()) / static_cast<double>(fleet.filters.size());
}

void unsubscribe(benchmark::State& state) {
  Fleet fleet(state);
  for (auto _ : state) {
    state.PauseTiming();
    fleet.clear(state);
    fleet.subscribe_all();
    fleet.settle();
    state.ResumeTiming();
    const std::size_t count = fleet.routes.size();
    for (std::size_t i = 0; i < count; ++i) {
      fleet.router->release(fleet.routes[sb::bench::scatter(i, count)]);
      if (i % 64 == 0) fleet.reclaimer->quiescent(0);
    }
    fleet.settle();
  }
  label(state, state.range(2));
}

// Unsubscribe and subscribe of one filter among all.
void churn(benchmark::State& state) {
  Fleet fleet(state);
  fleet.subscribe_all();
  fleet.settle();
  const std::size_t count = fleet.routes.size();
  std::size_t turn = 0;
  for (auto _ : state) {
    const std::size_t at = sb::bench::scatter(++turn, count);
    fleet.router->release(fleet.routes[at]);
    fleet.routes[at] = fleet.router->acquire(fleet.filters[at]);
    if (turn % 16 == 0) fleet.reclaimer->quiescent(0);
  }
  label(state, 1);
}

void match(benchmark::State& state) {
  Fleet fleet(state);
  fleet.subscribe_all();
  fleet.settle();
  const std::size_t count = fleet.filters.size();
  std::vector<std::string> topics;
  for (std::size_t i = 0; i < std::min<std::size_t>(count, 200'000); ++i)
    topics.push_back(sb::bench::topic_of(fleet.kind, sb::bench::scatter(i, count)));
  RouteList found;
  std::size_t next = 0;
  std::size_t hits = 0;
  for (auto _ : state) {
    found.clear();
    fleet.router->match(topics[next], found);
    hits += found.size();
    if (++next == topics.size()) next = 0;
  }
  label(state, 1);
  if (hits != static_cast<std::size_t>(state.iterations())) state.SkipWithError("a topic was not matched once");
}

void sizes(benchmark::internal::Benchmark* bench) {
  for (const std::int64_t kind : {0, 1, 2})
    for (const std::int64_t schema : {1, 2})
      for (const std::int64_t count : {10'000, 100'000, 1'000'000}) bench->Args({schema, kind, count});
}

void once(benchmark::internal::Benchmark* bench) {
  bench->Unit(benchmark::kMillisecond)->Iterations(3);
  sizes(bench);
}

BENCHMARK(subscribe)->Apply(once);
BENCHMARK(unsubscribe)->Apply(once);
BENCHMARK(churn)->Apply(sizes);
BENCHMARK(match)->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
