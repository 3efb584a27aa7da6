// FilterTrie: the wildcard filters by topic level, for schema v2.
//
// A node stands for a prefix of levels. Its children: by `+` and by `#` direct pointers, by a literal word an entry in
// one hash table of all edges, keyed by (node, word). A child that has only one filter below it is the Route itself (a
// leaf): the rest of the levels stays in the filter's text and is compared there. So a filter with a level of its own
// costs one table entry, and a match costs about one probe a level and branch whatever the number of filters.
//
// A second filter below a leaf pushes it down: a new node is made, the leaf is hung below it, then the new node takes
// the leaf's place. Nodes without children are removed; a node left with one leaf is kept until that goes too.
//
// Readers walk beside one writer. A literal leaf knows the node it hangs from; that is how a probe tells the leaf it
// looks for from one whose hash tag is equal by chance. While a leaf is pushed down a reader may meet it with the new
// node as its parent: such a leaf is compared as a whole, and dropped at the end if it was found at its proper place as
// well.
#pragma once

#include "broker/detail/pointer_table.h"
#include "broker/detail/route_access.h"
#include "broker/detail/word_hash.h"

namespace sb::broker::detail {

class FilterTrie {
 public:
  explicit FilterTrie(runtime::Reclaimer& reclaimer);
  ~FilterTrie();  // frees the nodes, not the routes
  FilterTrie(const FilterTrie&) = delete;
  FilterTrie& operator=(const FilterTrie&) = delete;

  // Under the writer lock. `route` holds a wildcard filter; insert of one that is not in, remove of one that is.
  void insert(Route& route);
  void remove(Route& route);

  void match(MatchScratch& scratch) const;
  /// As Router::look_ahead: along the literal words, and `+` where there is none. What is not found stays as it is.
  void look_ahead(std::span<Ahead> next) const;

  std::size_t node_count() const { return node_count_.load(std::memory_order_relaxed); }
  std::size_t node_bytes() const { return node_bytes_.load(std::memory_order_relaxed); }
  std::size_t table_bytes() const { return edges_.bytes(); }

 private:
  struct Node;
  struct Step;
  // A child: a Node, or a Route with kLeaf set; 0 is none.
  using Child = std::uint64_t;
  static constexpr Child kLeaf = 1;

  static Child leaf(Route& route) { return reinterpret_cast<Child>(&route) | kLeaf; }
  static bool is_leaf(Child child) { return (child & kLeaf) != 0; }
  static Route* route_of(Child child) { return reinterpret_cast<Route*>(child & ~kLeaf); }
  static Node* node_of(Child child) { return reinterpret_cast<Node*>(child); }
  static std::uint64_t edge_hash(const Node* node, std::uint64_t word_hash);

  Child find_edge(const Node* node, std::string_view word, std::uint64_t word_hash) const;
  void hang(Node* node, Route& route);
  Node* push_down(Node* node, Route& leaf_route, std::string_view word);
  void prune(Node* node);

  Child probe(const Node* node, MatchScratch& scratch, std::size_t level) const;
  static bool leaf_matches(const Route& route, std::size_t offset, const MatchScratch& scratch, std::size_t level);

  Node* make_node(Node* parent, std::string_view word);
  void drop_node(Node* node);
  static void destroy_node(void* node);

  runtime::Reclaimer& reclaimer_;
  const WordHash word_hash_;
  PointerTable edges_;
  std::atomic<std::size_t> node_count_{0};
  std::atomic<std::size_t> node_bytes_{0};
  Node* root_;
};

}  // namespace sb::broker::detail
