// Instructions of one match, counted by callgrind over nothing else:
//   valgrind --tool=callgrind --collect-atstart=no build/release/bin/route_callgrind v2 wildcard 1000000 20000
// Arguments: schema, kind (plain, wildcard, shared), number of filters, number of matches.
#include "broker/router.h"
#include "route_filters.h"

#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

int main(int argc, char** argv) {
  using sb::bench::Kind;
  if (argc != 5) {
    std::fprintf(stderr, "usage: route_callgrind v1|v2 plain|wildcard|shared FILTERS MATCHES\n");
    return 2;
  }
  const auto schema = std::string_view(argv[1]) == "v1" ? sb::broker::Schema::V1 : sb::broker::Schema::V2;
  const std::string_view name = argv[2];
  const Kind kind = name == "plain" ? Kind::Plain : name == "wildcard" ? Kind::Wildcard : Kind::Shared;
  const auto count = static_cast<std::size_t>(std::strtoull(argv[3], nullptr, 10));
  const auto matches = static_cast<std::size_t>(std::strtoull(argv[4], nullptr, 10));
  if (count == 0 || matches == 0) return 2;

  sb::runtime::Reclaimer reclaimer(1);
  const auto router = sb::broker::make_router({.schema = schema}, reclaimer);
  for (std::size_t i = 0; i < count; ++i) {
    router->acquire(sb::bench::filter_of(kind, i));
    reclaimer.quiescent(0);
  }
  std::vector<std::string> topics;
  for (std::size_t i = 0; i < matches; ++i) topics.push_back(sb::bench::topic_of(kind, sb::bench::scatter(i, count)));

  sb::broker::RouteList found;
  std::size_t hits = 0;
  router->match(topics.front(), found);  // its storage has grown
  CALLGRIND_TOGGLE_COLLECT;
  for (const std::string& topic : topics) {
    found.clear();
    router->match(topic, found);
    hits += found.size();
  }
  CALLGRIND_TOGGLE_COLLECT;
  std::printf("%zu matches of %zu topics among %zu filters\n", hits, topics.size(), router->count());
  return hits == topics.size() ? 0 : 1;
}
