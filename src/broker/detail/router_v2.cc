// Schema v2: exact filters by one look-up of the topic's text, wildcard filters in the trie.
#include "base/hash.h"
#include "broker/detail/filter_trie.h"
#include "broker/detail/router_base.h"

namespace sb::broker::detail {

namespace {

class RouterV2 final : public RouterBase {
 public:
  RouterV2(unsigned shards, runtime::Reclaimer& reclaimer) : RouterBase(shards, reclaimer), trie_(reclaimer) {}

  void match(std::string_view topic, RouteList& out) const override {
    const std::size_t first = out.size();
    // The line of the exact look-up is on its way from memory while the trie is walked.
    const std::uint64_t hash = hash_text(topic);
    prefetch_filter(hash);
    MatchScratch scratch(topic, out);
    trie_.match(scratch);
    scratch.settle_doubtful(first);
    if (Route* exact = find_hashed(topic, hash)) scratch.found(exact);
  }

 protected:
  void link_wildcard(Route& route) override { trie_.insert(route); }
  void unlink_wildcard(Route& route) override { trie_.remove(route); }
  void look_ahead_wildcards(std::span<Ahead> next) const override { trie_.look_ahead(next); }
  MemoryUse index_memory() const override {
    return {.routes = 0, .nodes = trie_.node_bytes(), .tables = trie_.table_bytes()};
  }

 private:
  FilterTrie trie_;
};

}  // namespace

std::unique_ptr<Router> make_router_v2(const RouterOptions& options, runtime::Reclaimer& reclaimer) {
  return std::make_unique<RouterV2>(options.shards, reclaimer);
}

}  // namespace sb::broker::detail
