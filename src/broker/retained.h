// Retained messages whose topics hash to this shard (broker.md 10). Belongs to the shard.
//
// A message has a slot. Slots are found by topic in a hash set, by wildcard filters through a tree of levels, and in
// the order in which they were put through a list: a replaced message moves to its end. Readers go over what matches a
// filter in that order, in bounded steps, while the store changes.
#pragma once

#include "base/hash.h"
#include "broker/detail/level_tree.h"
#include "broker/message.h"

#include <boost/unordered/unordered_flat_set.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sb::broker {

class RetainedReader;

class RetainedStore {
 public:
  RetainedStore();
  ~RetainedStore();
  RetainedStore(const RetainedStore&) = delete;
  RetainedStore& operator=(const RetainedStore&) = delete;

  /// Replaces what was stored for the topic.
  void put(MessageRef message);
  bool erase(std::string_view topic);
  MessageRef find(std::string_view topic) const;
  std::size_t size() const { return by_topic_.size(); }
  /// Around a bulk of puts in any order (start-up): room for `expected` topics, more or less; then the order is that of
  /// publishing, and room that was not needed is given back.
  void begin_bulk(std::size_t expected);
  void end_bulk();

  /// Looks at up to `limit` slots from `from` on and appends those that have expired. Returns where to go on, 0 at
  /// the end.
  std::uint32_t find_expired(std::uint32_t from, std::size_t limit, std::int64_t now_ms,
                             std::vector<MessageRef>& out) const;
  /// False: no message has an expiry, so that nothing can have expired.
  bool any_expiring() const { return expiring_ > 0; }

 private:
  friend class RetainedReader;
  using Index = std::uint32_t;
  struct Slot {
    MessageRef message;
    std::uint64_t number = 0;  // of the put
    Index node = detail::kNoIndex;
    Index next = detail::kNoIndex;  // among the members of `node`
    Index previous = detail::kNoIndex;
    Index younger = detail::kNoIndex;
    Index older = detail::kNoIndex;
    std::uint32_t hash : 31 = 0;
    std::uint32_t marked : 1 = 0;  // a reader may stand here
  };
  struct Key {
    std::string_view topic;
    std::uint32_t hash;
  };
  static Key key_of(std::string_view topic) { return {topic, static_cast<std::uint32_t>(hash_text(topic) >> 33)}; }
  struct Hash {
    using is_transparent = void;
    const detail::IndexPool<Slot>* slots;
    std::size_t operator()(Index slot) const { return (*slots)[slot].hash; }
    std::size_t operator()(const Key& key) const { return key.hash; }
  };
  struct Equal {
    using is_transparent = void;
    const detail::IndexPool<Slot>* slots;
    bool operator()(Index a, Index b) const { return a == b; }
    bool operator()(const Key& key, Index slot) const {
      const Slot& s = (*slots)[slot];
      return s.hash == key.hash && s.message->topic() == key.topic;
    }
    bool operator()(Index slot, const Key& key) const { return (*this)(key, slot); }
  };

  Index find_slot(std::string_view topic) const;
  void append_youngest(Index slot);
  void unlink_age(Index slot);
  void unlink_member(Index slot);

  detail::IndexPool<Slot> slots_;
  boost::unordered_flat_set<Index, Hash, Equal> by_topic_;
  detail::LevelTree tree_;
  Index oldest_ = detail::kNoIndex;
  Index youngest_ = detail::kNoIndex;
  std::uint64_t next_number_ = 1;
  std::size_t expiring_ = 0;
  RetainedReader* first_reader_ = nullptr;  // those that walk the list
};

/// Reads what a filter matches, oldest first, a page at a time; what is put or erased after it began is left out. Few
/// matches are found through the tree and remembered as small handles; many are found by walking the list, so that
/// it never holds more than kFoundMax of them. Belongs to the store's shard.
class RetainedReader {
 public:
  static constexpr std::size_t kFoundMax = 16384;
  /// Slots looked at for one page.
  static constexpr std::size_t kStepMax = 2048;

  /// An empty filter matches everything, also topics that begin with '$'.
  RetainedReader(RetainedStore& store, std::string_view filter);
  ~RetainedReader();
  RetainedReader(const RetainedReader&) = delete;
  RetainedReader& operator=(const RetainedReader&) = delete;

  /// Appends up to `limit` messages that have not expired. False: there are no more. It may append none and yet be
  /// true: one call looks at kStepMax messages at most.
  bool read(std::size_t limit, std::int64_t now_ms, std::vector<MessageRef>& out);
  bool walks() const { return walks_; }

 private:
  friend class RetainedStore;
  using Index = std::uint32_t;
  struct Found {
    Index slot;
    std::uint32_t number;  // low half: whether the slot still holds what was found
  };
  class Search;
  bool read_found(std::size_t limit, std::int64_t now_ms, std::vector<MessageRef>& out);
  bool read_list(std::size_t limit, std::int64_t now_ms, std::vector<MessageRef>& out);
  void begin_walk();
  void end_walk();

  RetainedStore* store_;
  std::string filter_;
  std::vector<Found> found_;
  std::size_t at_ = 0;
  bool walks_ = false;
  Index position_ = detail::kNoIndex;
  std::uint64_t end_number_ = 0;
  RetainedReader* next_ = nullptr;
  RetainedReader* previous_ = nullptr;
};

}  // namespace sb::broker
