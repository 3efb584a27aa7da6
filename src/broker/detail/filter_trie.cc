#include "broker/detail/filter_trie.h"

#include "base/check.h"
#include "broker/topic.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

namespace sb::broker::detail {

struct FilterTrie::Node {
  Node* parent;
  std::atomic<Child> plus{0};
  std::atomic<Route*> rest{nullptr};       // the filter that goes on with "#" here
  std::atomic<Route*> here{nullptr};       // the filter that ends here
  std::atomic<std::uint32_t> literals{0};  // children by a literal word
  std::uint32_t offset;                    // in a filter below: where the levels below this node begin
  std::uint32_t word_size;

  char* text() { return reinterpret_cast<char*>(this + 1); }
  std::string_view word() const { return {reinterpret_cast<const char*>(this + 1), word_size}; }
  bool is_empty() const {
    return plus.load(std::memory_order_relaxed) == 0 && rest.load(std::memory_order_relaxed) == nullptr &&
           here.load(std::memory_order_relaxed) == nullptr && literals.load(std::memory_order_relaxed) == 0;
  }
};

namespace {

void add(std::atomic<std::size_t>& counter, std::size_t change) {
  counter.store(counter.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
}

// The word of `filter` that begins at `offset`, which is not beyond the end.
std::string_view word_at(std::string_view filter, std::size_t offset) {
  std::size_t end = offset;
  while (end < filter.size() && filter[end] != '/') ++end;
  return filter.substr(offset, end - offset);
}

// Whether the word of `filter` at `offset` is `word`.
bool has_word_at(std::string_view filter, std::size_t offset, std::string_view word) {
  const std::size_t end = offset + word.size();
  return end <= filter.size() && (end == filter.size() || filter[end] == '/') &&
         std::memcmp(filter.data() + offset, word.data(), word.size()) == 0;
}

constexpr std::string_view kPlus = "+";
constexpr std::string_view kRest = "#";

}  // namespace

FilterTrie::FilterTrie(runtime::Reclaimer& reclaimer)
    : reclaimer_(reclaimer), edges_(reclaimer), root_(make_node(nullptr, {})) {
  root_->offset = 0;
}

FilterTrie::~FilterTrie() {
  // Nodes below `+` hang from their parents, all others are in the table.
  const auto destroy_chain = [](Node* node) {
    while (node != nullptr) {
      const Child next = node->plus.load(std::memory_order_relaxed);
      destroy_node(node);
      node = next != 0 && !is_leaf(next) ? node_of(next) : nullptr;
    }
  };
  for (unsigned i = 0; i < PointerTable::kSegments; ++i)
    edges_.visit_segment(i, [&](Child child) {
      if (!is_leaf(child)) destroy_chain(node_of(child));
    });
  destroy_chain(root_);
}

FilterTrie::Node* FilterTrie::make_node(Node* parent, std::string_view word) {
  const std::size_t bytes = sizeof(Node) + word.size();
  void* memory = std::malloc(bytes);
  SB_CHECK(memory != nullptr, "out of memory");
  Node* node = new (memory) Node{};
  node->parent = parent;
  node->offset = static_cast<std::uint32_t>((parent != nullptr ? parent->offset : 0) + word.size() + 1);
  node->word_size = static_cast<std::uint32_t>(word.size());
  if (!word.empty()) std::memcpy(node->text(), word.data(), word.size());
  add(node_count_, 1);
  add(node_bytes_, bytes);
  return node;
}

void FilterTrie::drop_node(Node* node) {
  add(node_count_, std::size_t{0} - 1);
  add(node_bytes_, std::size_t{0} - (sizeof(Node) + node->word_size));
  reclaimer_.retire(node, destroy_node);
}

void FilterTrie::destroy_node(void* node) {
  std::free(node);
}

std::uint64_t FilterTrie::edge_hash(const Node* node, std::uint64_t word_hash) {
  std::uint64_t hash = word_hash ^ (reinterpret_cast<std::uint64_t>(node) * 0x9E3779B97F4A7C15u);
  hash ^= hash >> 29;
  return hash * 0xD6E8FEB86659FD93u;
}

// The writer's look-up: nothing moves, so the parent decides.
FilterTrie::Child FilterTrie::find_edge(const Node* node, std::string_view word, std::uint64_t word_hash) const {
  return edges_.find(edge_hash(node, word_hash), [&](Child child) {
    if (is_leaf(child)) {
      const Route& route = *route_of(child);
      return RouteAccess::parent(route) == node && has_word_at(route.filter(), node->offset, word);
    }
    return node_of(child)->parent == node && node_of(child)->word() == word;
  });
}

// Hangs `route` below `node`, where its next level is free.
void FilterTrie::hang(Node* node, Route& route) {
  const std::string_view filter = route.filter();
  if (node->offset > filter.size()) {
    node->here.store(&route, std::memory_order_release);
    return;
  }
  const std::string_view word = word_at(filter, node->offset);
  if (word == kRest) {
    node->rest.store(&route, std::memory_order_release);
  } else if (word == kPlus) {
    node->plus.store(leaf(route), std::memory_order_release);
  } else {
    RouteAccess::set_parent(route, node);
    edges_.insert(edge_hash(node, word_hash_(word)), leaf(route));
    node->literals.store(node->literals.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
}

// A node for `word` below `node`, with the leaf that is there now below it. The caller puts it in the leaf's place.
FilterTrie::Node* FilterTrie::push_down(Node* node, Route& leaf_route, std::string_view word) {
  Node* below = make_node(node, word);
  hang(below, leaf_route);
  return below;
}

void FilterTrie::insert(Route& route) {
  const std::string_view filter = route.filter();
  for (Node* node = root_;;) {
    if (node->offset > filter.size()) return hang(node, route);
    const std::string_view word = word_at(filter, node->offset);
    if (word == kRest) return hang(node, route);
    if (word == kPlus) {
      const Child child = node->plus.load(std::memory_order_relaxed);
      if (child == 0) return hang(node, route);
      if (!is_leaf(child)) {
        node = node_of(child);
        continue;
      }
      Node* below = push_down(node, *route_of(child), word);
      node->plus.store(reinterpret_cast<Child>(below), std::memory_order_release);
      node = below;
      continue;
    }
    const std::uint64_t word_hash = word_hash_(word);
    const Child child = node->literals.load(std::memory_order_relaxed) != 0 ? find_edge(node, word, word_hash) : 0;
    if (child == 0) return hang(node, route);
    if (!is_leaf(child)) {
      node = node_of(child);
      continue;
    }
    Node* below = push_down(node, *route_of(child), word);
    edges_.replace(edge_hash(node, word_hash), child, reinterpret_cast<Child>(below));
    node = below;
  }
}

void FilterTrie::remove(Route& route) {
  const std::string_view filter = route.filter();
  for (Node* node = root_;;) {
    if (node->offset > filter.size()) {
      node->here.store(nullptr, std::memory_order_release);
      return prune(node);
    }
    const std::string_view word = word_at(filter, node->offset);
    if (word == kRest) {
      node->rest.store(nullptr, std::memory_order_release);
      return prune(node);
    }
    if (word == kPlus) {
      const Child child = node->plus.load(std::memory_order_relaxed);
      SB_CHECK(child != 0, "filter is not in the trie");
      if (is_leaf(child)) {
        node->plus.store(0, std::memory_order_release);
        return prune(node);
      }
      node = node_of(child);
      continue;
    }
    const std::uint64_t word_hash = word_hash_(word);
    const Child child = find_edge(node, word, word_hash);
    SB_CHECK(child != 0, "filter is not in the trie");
    if (is_leaf(child)) {
      edges_.erase(edge_hash(node, word_hash), child);
      node->literals.store(node->literals.load(std::memory_order_relaxed) - 1, std::memory_order_release);
      return prune(node);
    }
    node = node_of(child);
  }
}

// Takes `node` away if nothing is below it, then its parents likewise.
void FilterTrie::prune(Node* node) {
  while (node != root_ && node->is_empty()) {
    Node* parent = node->parent;
    if (node->word() == kPlus) {
      parent->plus.store(0, std::memory_order_release);
    } else {
      edges_.erase(edge_hash(parent, word_hash_(node->word())), reinterpret_cast<Child>(node));
      parent->literals.store(parent->literals.load(std::memory_order_relaxed) - 1, std::memory_order_release);
    }
    drop_node(node);
    node = parent;
  }
}

// `offset`: where the level of `route` that stands against the topic's `level` ends; the words up to it are equal.
bool FilterTrie::leaf_matches(const Route& route, std::size_t offset, const MatchScratch& scratch, std::size_t level) {
  const std::string_view filter = route.filter();
  std::string_view rest;
  const bool topic_goes_on = scratch.rest_after(level, rest);
  if (offset == filter.size()) return !topic_goes_on;
  const std::string_view tail = filter.substr(offset + 1);
  return topic_goes_on ? levels_match(tail, rest) : tail == kRest;
}

// The reader's look-up of the literal edge for the topic's `level`. A leaf is judged here, so what returns is a node or
// 0.
FilterTrie::Child FilterTrie::probe(const Node* node, MatchScratch& scratch, std::size_t level) const {
  const std::string_view word = scratch.word(level);
  const Child child = edges_.find(edge_hash(node, scratch.hash(level, word_hash_)), [&](Child candidate) {
    if (!is_leaf(candidate)) {
      const Node* below = node_of(candidate);
      return below->parent == node && below->word() == word;
    }
    Route* route = route_of(candidate);
    __builtin_prefetch(reinterpret_cast<const char*>(route) + 64);  // the text's second line
    if (RouteAccess::parent(*route) == node) return has_word_at(route->filter(), node->offset, word);
    if (matches(route->filter(), scratch.topic())) scratch.found_doubtful(route);
    return false;
  });
  if (child == 0 || !is_leaf(child)) return child;
  Route* route = route_of(child);
  if (leaf_matches(*route, node->offset + word.size(), scratch, level)) scratch.found(route);
  return 0;
}

void FilterTrie::look_ahead(std::span<Ahead> next) const {
  struct Walk {
    const Node* node;
    Ahead* one;
    std::size_t from;  // where its next word begins
    std::uint64_t edge;
  };
  constexpr std::size_t kLevels = 8;  // fleets are told apart by one of the first
  std::array<Walk, Router::kAheadMost> walks;
  std::size_t count = 0;
  for (Ahead& one : next)
    if (!one.topic.starts_with('$')) walks[count++] = {root_, &one, 0, 0};
  for (std::size_t level = 0; level < kLevels && count != 0; ++level) {
    for (std::size_t i = 0; i < count; ++i) {
      Walk& walk = walks[i];
      const std::string_view word = word_at(walk.one->topic, walk.from);
      walk.from += word.size() + 1;
      walk.edge = edge_hash(walk.node, word_hash_(word));
      edges_.prefetch(walk.edge);
    }
    std::size_t left = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Walk walk = walks[i];
      Child child = edges_.find(walk.edge, [](Child) { return true; });
      if (child == 0) child = walk.node->plus.load(std::memory_order_acquire);
      if (child != 0 && !is_leaf(child)) {
        __builtin_prefetch(node_of(child));
        if (walk.from <= walk.one->topic.size()) walks[left++] = {node_of(child), walk.one, walk.from, 0};
        continue;
      }
      Route* route = child != 0 ? route_of(child) : walk.node->rest.load(std::memory_order_acquire);
      if (!route) continue;
      RouteAccess::prefetch(*route);
      walk.one->probable = route;
    }
    count = left;
  }
}

void FilterTrie::match(MatchScratch& scratch) const {
  const bool hidden = scratch.topic().starts_with('$');  // from wildcards at the root. [MQTT-4.7.2-1]
  const void* at = root_;
  std::size_t level = 0;
  do {
    const Node* node = static_cast<const Node*>(at);
    for (;;) {
      const bool skip_wildcards = hidden && node == root_;
      if (!skip_wildcards)
        if (Route* route = node->rest.load(std::memory_order_acquire)) scratch.found(route);
      if (!scratch.has_level(level)) {
        if (Route* route = node->here.load(std::memory_order_acquire)) scratch.found(route);
        break;
      }
      if (const Child plus = skip_wildcards ? 0 : node->plus.load(std::memory_order_acquire); plus != 0) {
        if (!is_leaf(plus)) {
          scratch.push(node_of(plus), level + 1);
        } else if (leaf_matches(*route_of(plus), node->offset + 1, scratch, level)) {
          scratch.found(route_of(plus));
        }
      }
      if (node->literals.load(std::memory_order_acquire) == 0) break;
      const Child next = probe(node, scratch, level);
      if (next == 0) break;
      node = node_of(next);
      ++level;
    }
  } while (scratch.pop(at, level));
}

}  // namespace sb::broker::detail
