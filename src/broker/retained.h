// Retained messages whose topics hash to this shard (broker.md 10). Belongs to the shard.
#pragma once

#include "base/hash.h"
#include "broker/message.h"

#include <boost/unordered/unordered_flat_set.hpp>

#include <string_view>
#include <vector>

namespace sb::broker {

class RetainedStore {
 public:
  /// Replaces what was stored for the topic.
  void put(MessageRef message);
  bool erase(std::string_view topic);
  MessageRef find(std::string_view topic) const;
  /// Appends what a subscription to `filter` gets, unsorted; expired messages are left out.
  void match(std::string_view filter, std::int64_t now_ms, std::vector<MessageRef>& out) const;
  std::size_t size() const { return messages_.size(); }
  template <class Fn>
  void for_each(Fn&& fn) const {
    for (const auto& entry : messages_) fn(entry);
  }

 private:
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    std::size_t operator()(std::string_view topic) const noexcept { return hash_text(topic); }
    std::size_t operator()(const MessageRef& m) const noexcept { return hash_text(m->topic()); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const MessageRef& a, const MessageRef& b) const noexcept { return a->topic() == b->topic(); }
    bool operator()(std::string_view a, const MessageRef& b) const noexcept { return a == b->topic(); }
    bool operator()(const MessageRef& a, std::string_view b) const noexcept { return a->topic() == b; }
  };
  boost::unordered_flat_set<MessageRef, Hash, Equal> messages_;
};

}  // namespace sb::broker
