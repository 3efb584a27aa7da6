#include "broker/retained.h"

#include <algorithm>

namespace sb::broker {

using detail::kNoIndex;

RetainedStore::RetainedStore() : by_topic_(0, Hash{&slots_}, Equal{&slots_}) {}

RetainedStore::~RetainedStore() {
  while (first_reader_) first_reader_->end_walk();
}

RetainedStore::Index RetainedStore::find_slot(std::string_view topic) const {
  const auto found = by_topic_.find(key_of(topic));
  return found == by_topic_.end() ? kNoIndex : *found;
}

MessageRef RetainedStore::find(std::string_view topic) const {
  const Index slot = find_slot(topic);
  return slot == kNoIndex ? MessageRef{} : slots_[slot].message;
}

void RetainedStore::put(MessageRef message) {
  const Key key = key_of(message->topic());
  if (message->expiry_s() != kNeverExpires) ++expiring_;
  const auto found = by_topic_.find(key);
  if (found != by_topic_.end()) {
    const Index index = *found;
    Slot& slot = slots_[index];
    if (slot.message->expiry_s() != kNeverExpires) --expiring_;
    unlink_age(index);
    slot.message = std::move(message);
    append_youngest(index);
    return;
  }
  const Index index = slots_.take();
  Slot& slot = slots_[index];
  slot.hash = key.hash & 0x7FFFFFFFU;
  slot.node = tree_.acquire(key.topic);
  slot.message = std::move(message);
  Index& first = tree_[slot.node].first_member;
  slot.next = first;
  if (first != kNoIndex) slots_[first].previous = index;
  first = index;
  append_youngest(index);
  by_topic_.insert(index);
}

bool RetainedStore::erase(std::string_view topic) {
  const auto found = by_topic_.find(key_of(topic));
  if (found == by_topic_.end()) return false;
  const Index index = *found;
  by_topic_.erase(found);
  if (slots_[index].message->expiry_s() != kNeverExpires) --expiring_;
  unlink_age(index);
  unlink_member(index);
  slots_.give(index);
  if (by_topic_.empty()) by_topic_.rehash(0);
  return true;
}

void RetainedStore::append_youngest(Index index) {
  Slot& slot = slots_[index];
  slot.number = next_number_++;
  slot.younger = kNoIndex;
  slot.older = youngest_;
  (youngest_ == kNoIndex ? oldest_ : slots_[youngest_].younger) = index;
  youngest_ = index;
}

void RetainedStore::unlink_age(Index index) {
  Slot& slot = slots_[index];
  if (slot.marked) {
    slot.marked = 0;
    for (RetainedReader* reader = first_reader_; reader; reader = reader->next_) {
      if (reader->position_ != index) continue;
      reader->position_ = slot.younger;
      if (slot.younger != kNoIndex) slots_[slot.younger].marked = 1;
    }
  }
  (slot.older == kNoIndex ? oldest_ : slots_[slot.older].younger) = slot.younger;
  (slot.younger == kNoIndex ? youngest_ : slots_[slot.younger].older) = slot.older;
}

void RetainedStore::unlink_member(Index index) {
  const Slot& slot = slots_[index];
  if (slot.next != kNoIndex) slots_[slot.next].previous = slot.previous;
  if (slot.previous != kNoIndex) {
    slots_[slot.previous].next = slot.next;
    return;
  }
  tree_[slot.node].first_member = slot.next;
  if (slot.next == kNoIndex) tree_.release(slot.node);
}

void RetainedStore::begin_bulk(std::size_t expected) {
  by_topic_.reserve(expected);
  tree_.reserve(expected);
}

void RetainedStore::end_bulk() {
  if (by_topic_.bucket_count() / 4 > by_topic_.size()) by_topic_.rehash(0);
  tree_.trim();
  struct Aged {
    std::int64_t published_ms;
    std::uint64_t number;
    Index slot;
  };
  std::vector<Aged> all;
  all.reserve(size());
  for (Index slot = oldest_; slot != kNoIndex; slot = slots_[slot].younger)
    all.push_back({slots_[slot].message->published_ms(), slots_[slot].number, slot});
  std::sort(all.begin(), all.end(), [](const Aged& a, const Aged& b) {
    return a.published_ms != b.published_ms ? a.published_ms < b.published_ms : a.number < b.number;
  });
  oldest_ = youngest_ = kNoIndex;
  for (const Aged& one : all) append_youngest(one.slot);
}

std::uint32_t RetainedStore::find_expired(std::uint32_t from, std::size_t limit, std::int64_t now_ms,
                                          std::vector<MessageRef>& out) const {
  const Index end = slots_.end();
  for (; from < end && limit > 0; ++from, --limit)
    if (const MessageRef& message = slots_[from].message; message && message->expired(now_ms)) out.push_back(message);
  return from < end ? from : 0;
}

}  // namespace sb::broker
