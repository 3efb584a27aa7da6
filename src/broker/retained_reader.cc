// How a filter finds its messages: through the tree of levels, or along the list where that would find too many.
#include "broker/retained.h"
#include "broker/topic.h"

#include <algorithm>

namespace sb::broker {

using detail::kNoIndex;
using detail::LevelTree;

/// One walk down the tree. Stops when it has found, or looked at, too much.
class RetainedReader::Search {
 public:
  Search(const RetainedStore& store, std::size_t found_max)
      : store_(store), found_max_(found_max), steps_(4 * found_max) {}

  bool run(std::string_view filter) { return below(LevelTree::kRoot, filter, 0); }
  std::vector<Index>& slots() { return slots_; }

 private:
  bool step() { return steps_-- > 0; }
  bool add(Index slot) {
    slots_.push_back(slot);
    return slots_.size() <= found_max_;
  }
  /// [MQTT-4.7.2-1]: a wildcard in front matches no topic that begins with '$'.
  static bool hidden(unsigned depth, std::string_view level) { return depth == 0 && level.starts_with('$'); }

  bool exact(std::string_view level) {
    const std::size_t size = prefix_.size();
    prefix_ += level;
    const Index slot = store_.find_slot(prefix_);
    prefix_.resize(size);
    return step() && (slot == kNoIndex || add(slot));
  }

  /// Members of `node` whose levels from `depth` on match `rest`.
  bool members(Index node, std::string_view rest, unsigned depth) {
    for (Index slot = store_.tree_[node].first_member; slot != kNoIndex; slot = store_.slots_[slot].next) {
      if (!step()) return false;
      const std::string_view topic = store_.slots_[slot].message->topic();
      if (hidden(depth, topic) || !levels_match(rest, topic.substr(prefix_.size()))) continue;
      if (!add(slot)) return false;
    }
    return true;
  }

  bool everything(Index node, unsigned depth) {
    for (Index slot = store_.tree_[node].first_member; slot != kNoIndex; slot = store_.slots_[slot].next) {
      if (!step()) return false;
      if (depth == 0 && store_.slots_[slot].message->topic().starts_with('$')) continue;
      if (!add(slot)) return false;
    }
    for (Index child = store_.tree_[node].first_child; child != kNoIndex; child = store_.tree_[child].next) {
      if (!step()) return false;
      if (!hidden(depth, store_.tree_[child].level) && !everything(child, depth + 1)) return false;
    }
    return true;
  }

  bool child(Index node, std::string_view rest, unsigned depth) {
    const std::size_t size = prefix_.size();
    prefix_ += store_.tree_[node].level;
    prefix_ += '/';
    const bool whole = below(node, rest, depth);
    prefix_.resize(size);
    return whole;
  }

  /// What matches `rest` below `node`; prefix_ holds the levels down to it.
  bool below(Index node, std::string_view rest, unsigned depth) {
    if (rest == "#") return everything(node, depth);
    if (depth == LevelTree::kDepthMax) return members(node, rest, depth);
    const std::size_t slash = rest.find('/');
    const std::string_view level = rest.substr(0, slash);
    const bool last = slash == std::string_view::npos;
    const std::string_view more = last ? std::string_view{} : rest.substr(slash + 1);
    if (last || more == "#") {  // "a/#" stands for "a" too. 4.7.1.2
      if (level == "+" ? !members(node, level, depth) : !exact(level)) return false;
      if (last) return true;
    }
    if (level != "+") {
      const Index next = store_.tree_.find(node, level);
      return step() && (next == kNoIndex || child(next, more, depth + 1));
    }
    for (Index next = store_.tree_[node].first_child; next != kNoIndex; next = store_.tree_[next].next) {
      if (!step()) return false;
      if (!hidden(depth, store_.tree_[next].level) && !child(next, more, depth + 1)) return false;
    }
    return true;
  }

  const RetainedStore& store_;
  std::size_t found_max_;
  std::size_t steps_;
  std::string prefix_;
  std::vector<Index> slots_;
};

RetainedReader::RetainedReader(RetainedStore& store, std::string_view filter)
    : store_(&store), filter_(filter), end_number_(store.next_number_) {
  if (filter.empty()) {
    begin_walk();
    return;
  }
  std::vector<Index> slots;
  if (!has_wildcard(filter)) {
    if (const Index slot = store.find_slot(filter); slot != kNoIndex) slots.push_back(slot);
  } else {
    // The list costs a look at every message: taken where the matches are a good part of them, or too many to hold.
    Search search(store, std::clamp(store.size() / 16, std::size_t{1024}, kFoundMax));
    if (!search.run(filter)) {
      begin_walk();
      return;
    }
    slots = std::move(search.slots());
  }
  struct Aged {
    std::int64_t published_ms;
    std::uint64_t number;
    Index slot;
  };
  std::vector<Aged> all;
  all.reserve(slots.size());
  for (const Index slot : slots)
    all.push_back({store.slots_[slot].message->published_ms(), store.slots_[slot].number, slot});
  std::sort(all.begin(), all.end(), [](const Aged& a, const Aged& b) {
    return a.published_ms != b.published_ms ? a.published_ms < b.published_ms : a.number < b.number;
  });
  found_.reserve(all.size());
  for (const Aged& one : all) found_.push_back({one.slot, static_cast<std::uint32_t>(one.number)});
}

RetainedReader::~RetainedReader() {
  end_walk();
}

void RetainedReader::begin_walk() {
  walks_ = true;
  position_ = store_->oldest_;
  if (position_ != kNoIndex) store_->slots_[position_].marked = 1;
  next_ = store_->first_reader_;
  if (next_) next_->previous_ = this;
  store_->first_reader_ = this;
}

void RetainedReader::end_walk() {
  if (!std::exchange(walks_, false)) return;
  (previous_ ? previous_->next_ : store_->first_reader_) = next_;
  if (next_) next_->previous_ = previous_;
  next_ = previous_ = nullptr;
  position_ = kNoIndex;
}

bool RetainedReader::read(std::size_t limit, std::int64_t now_ms, std::vector<MessageRef>& out) {
  return walks_ ? read_list(limit, now_ms, out) : read_found(limit, now_ms, out);
}

bool RetainedReader::read_found(std::size_t limit, std::int64_t now_ms, std::vector<MessageRef>& out) {
  std::size_t steps = kStepMax;
  for (; at_ < found_.size() && limit > 0 && steps > 0; ++at_, --steps) {
    const Found& one = found_[at_];
    if (one.slot >= store_->slots_.end()) continue;
    const RetainedStore::Slot& slot = store_->slots_[one.slot];
    if (!slot.message || static_cast<std::uint32_t>(slot.number) != one.number || slot.message->expired(now_ms))
      continue;
    out.push_back(slot.message);
    --limit;
  }
  if (at_ < found_.size()) return true;
  found_ = std::vector<Found>();
  at_ = 0;
  return false;
}

bool RetainedReader::read_list(std::size_t limit, std::int64_t now_ms, std::vector<MessageRef>& out) {
  std::size_t steps = kStepMax;
  while (position_ != kNoIndex && limit > 0 && steps-- > 0) {
    const RetainedStore::Slot& slot = store_->slots_[position_];
    if (slot.number >= end_number_) {
      position_ = kNoIndex;
      break;
    }
    const Message& message = *slot.message;
    if (!message.expired(now_ms) && (filter_.empty() || matches(filter_, message.topic()))) {
      out.push_back(slot.message);
      --limit;
    }
    position_ = slot.younger;
  }
  if (position_ != kNoIndex) {
    store_->slots_[position_].marked = 1;
    return true;
  }
  end_walk();
  return false;
}

}  // namespace sb::broker
