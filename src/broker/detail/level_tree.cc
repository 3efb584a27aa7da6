#include "broker/detail/level_tree.h"

namespace sb::broker::detail {

LevelTree::LevelTree() : by_level_(0, Hash{this}, Equal{this}) {
  nodes_.take();  // the root, for ever
}

LevelTree::Key LevelTree::key_of(Index parent, std::string_view level) {
  const std::uint64_t mixed = hash_text(level) + parent * std::uint64_t{0x9E3779B97F4A7C15};
  return {parent, static_cast<std::uint32_t>(mixed ^ mixed >> 32), level};
}

LevelTree::Index LevelTree::find(Index parent, std::string_view level) const {
  const auto found = by_level_.find(key_of(parent, level));
  return found == by_level_.end() ? kNoIndex : *found;
}

LevelTree::Index LevelTree::acquire(std::string_view topic) {
  Index at = kRoot;
  for (unsigned depth = 0; depth < kDepthMax; ++depth) {
    const std::size_t slash = topic.find('/');
    if (slash == std::string_view::npos) break;
    const Key key = key_of(at, topic.substr(0, slash));
    topic.remove_prefix(slash + 1);
    if (const auto found = by_level_.find(key); found != by_level_.end()) {
      at = *found;
      continue;
    }
    const Index added = nodes_.take();
    Node& node = nodes_[added];
    node.level = key.level;
    node.parent = at;
    node.hash = key.hash;
    node.next = nodes_[at].first_child;
    if (node.next != kNoIndex) nodes_[node.next].previous = added;
    nodes_[at].first_child = added;
    by_level_.insert(added);
    at = added;
  }
  return at;
}

void LevelTree::release(Index index) {
  while (index != kRoot) {
    Node& node = nodes_[index];
    if (node.first_child != kNoIndex || node.first_member != kNoIndex) return;
    by_level_.erase(index);
    const Index parent = node.parent;
    if (node.next != kNoIndex) nodes_[node.next].previous = node.previous;
    if (node.previous != kNoIndex)
      nodes_[node.previous].next = node.next;
    else
      nodes_[parent].first_child = node.next;
    nodes_.give(index);
    index = parent;
  }
}

}  // namespace sb::broker::detail
