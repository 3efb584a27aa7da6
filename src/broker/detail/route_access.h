// What the router's insides may touch of a Route and of a RouteList.
#pragma once

#include "broker/router.h"

namespace sb::broker {

class RouteAccess {
 public:
  static std::uint32_t& references(Route& route) { return route.references_; }
  static void prefetch(const Route& route) {  // with its text, which seldom ends in the first line
    __builtin_prefetch(&route);
    __builtin_prefetch(reinterpret_cast<const char*>(&route) + 64);
  }
  static const void* parent(const Route& route) { return route.parent_.load(std::memory_order_acquire); }
  static void set_parent(Route& route, const void* node) { route.parent_.store(node, std::memory_order_release); }
};

/// A topic cut into levels as far as matching needs them, and the stack of branches still to walk, in the RouteList's
/// storage.
class MatchScratch {
 public:
  MatchScratch(std::string_view topic, RouteList& list) : topic_(topic), list_(list) {
    list_.words_.clear();
    list_.frames_.clear();
    list_.doubtful_.clear();
  }

  std::string_view topic() const { return topic_; }

  bool has_level(std::size_t level) {
    while (list_.words_.size() <= level) {
      if (next_ > topic_.size()) return false;
      std::size_t end = next_;
      while (end < topic_.size() && topic_[end] != '/') ++end;
      list_.words_.push_back({static_cast<std::uint32_t>(next_), static_cast<std::uint32_t>(end), 0});
      next_ = end + 1;
    }
    return true;
  }
  std::string_view word(std::size_t level) const {
    const RouteList::Word& word = list_.words_[level];
    return topic_.substr(word.begin, word.end - word.begin);
  }
  template <class Hash>
  std::uint64_t hash(std::size_t level, const Hash& hash_word) {
    RouteList::Word& found = list_.words_[level];
    if (found.hash == 0) found.hash = hash_word(word(level));
    return found.hash;
  }
  /// The topic behind `level`'s word: false when that is the last level.
  bool rest_after(std::size_t level, std::string_view& rest) const {
    const std::size_t end = list_.words_[level].end;
    if (end == topic_.size()) return false;
    rest = topic_.substr(end + 1);
    return true;
  }

  void push(const void* node, std::size_t level) { list_.frames_.push_back({node, level}); }
  bool pop(const void*& node, std::size_t& level) {
    if (list_.frames_.empty()) return false;
    node = list_.frames_.back().node;
    level = list_.frames_.back().level;
    list_.frames_.pop_back();
    return true;
  }

  void found(Route* route) { list_.routes_.push_back(route); }
  /// A route that matches but may be found at its proper place as well.
  void found_doubtful(Route* route) { list_.doubtful_.push_back(route); }
  /// `first`: the list's size when this match began.
  void settle_doubtful(std::size_t first) {
    for (Route* route : list_.doubtful_) {
      bool known = false;
      for (std::size_t i = first; i < list_.routes_.size() && !known; ++i) known = list_.routes_[i] == route;
      if (!known) list_.routes_.push_back(route);
    }
  }

 private:
  const std::string_view topic_;
  RouteList& list_;
  std::size_t next_ = 0;  // where the next level begins; beyond the end when there is none
};

}  // namespace sb::broker
