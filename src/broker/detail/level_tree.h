// The inner levels of a set of topics: a node for each prefix that ends before a '/', down to a fixed depth; members
// hang in lists below the node of all levels but their last (or, of deeper topics, below the deepest node). Nodes are
// found by (parent, level) in one hash set. Knows members only as indices. Belongs to one shard.
#pragma once

#include "base/hash.h"
#include "broker/detail/index_pool.h"

#include <boost/unordered/unordered_flat_set.hpp>

#include <string>
#include <string_view>

namespace sb::broker::detail {

class LevelTree {
 public:
  using Index = std::uint32_t;
  /// Bounds what a topic of thousands of levels costs.
  static constexpr unsigned kDepthMax = 16;

  struct Node {
    std::string level;
    Index parent = kNoIndex;
    Index first_child = kNoIndex;
    Index next = kNoIndex;  // among the children of `parent`
    Index previous = kNoIndex;
    Index first_member = kNoIndex;
    std::uint32_t hash = 0;
  };

  LevelTree();
  LevelTree(const LevelTree&) = delete;
  LevelTree& operator=(const LevelTree&) = delete;

  static constexpr Index kRoot = 0;
  /// The node where `topic` hangs, made with all above it if need be.
  Index acquire(std::string_view topic);
  /// Takes away what neither children nor members hold any more, from `node` upwards.
  void release(Index node);
  Index find(Index parent, std::string_view level) const;
  Node& operator[](Index node) { return nodes_[node]; }
  const Node& operator[](Index node) const { return nodes_[node]; }
  std::size_t size() const { return by_level_.size() + 1; }
  /// Room in the hash set alone, whose growth is what costs; trim() gives it back where most of it is empty.
  void reserve(std::size_t nodes) { by_level_.reserve(nodes); }
  void trim() {
    if (by_level_.bucket_count() / 4 > by_level_.size()) by_level_.rehash(0);
  }

 private:
  struct Key {
    Index parent;
    std::uint32_t hash;
    std::string_view level;
  };
  static Key key_of(Index parent, std::string_view level);
  struct Hash {
    using is_transparent = void;
    const LevelTree* tree;
    std::size_t operator()(Index node) const { return (*tree)[node].hash; }
    std::size_t operator()(const Key& key) const { return key.hash; }
  };
  struct Equal {
    using is_transparent = void;
    const LevelTree* tree;
    bool operator()(Index a, Index b) const { return a == b; }
    bool operator()(const Key& key, Index node) const {
      const Node& n = (*tree)[node];
      return n.parent == key.parent && n.level == key.level;
    }
    bool operator()(Index node, const Key& key) const { return (*this)(key, node); }
  };

  IndexPool<Node> nodes_;
  boost::unordered_flat_set<Index, Hash, Equal> by_level_;
};

}  // namespace sb::broker::detail
