// Recent verdicts of one connection (broker.md 11.3): key is action with QoS and retain, and topic; the oldest entry
// goes first; entries age. Answers that came late are kept here too, so that a suspended packet finds its verdict when
// it is looked at again.
#pragma once

#include "access/gate.h"
#include "base/clock.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sb::client {

class AuthorizationCache {
 public:
  /// What was found holds while `generation` does, and as long as the settings with which it was added say. The publish
  /// path goes through here with every packet: the entry that was found last costs a comparison of the topic. Pending:
  /// nothing is kept (an optional would be written as two bytes and read as one word, which stalls for 8 ns).
  access::Verdict find(const access::Action& action, Nanos now, std::uint64_t generation) {
    if (!kept_) return access::Verdict::Pending;
    Kept& kept = *kept_;
    if (kept.generation != generation) [[unlikely]] {
      kept_.reset();
      return access::Verdict::Pending;
    }
    const Entry* entry = &kept.entries[kept.hit];
    if (!fits(*entry, action)) {
      // Who publishes to several topics goes through them in the same order again and again.
      std::size_t at = kept.hit + 1 < kept.entries.size() ? kept.hit + 1 : 0;
      if (!fits(kept.entries[at], action)) at = place_of(action);
      if (at == kNowhere) return access::Verdict::Pending;
      kept.hit = at;
      entry = &kept.entries[at];
    }
    return now - entry->since < kept.ttl ? entry->verdict : access::Verdict::Pending;
  }
  void add(const access::Action& action, access::Verdict verdict, Nanos now, std::uint64_t generation,
           const access::Gate::CacheSettings& settings);
  void clear() {
    kept_.reset();
    ++epoch_;
  }
  /// Changes with clear(): an answer that was asked for before must not be kept after it.
  std::uint32_t epoch() const { return epoch_; }
  std::size_t size() const { return kept_ ? kept_->entries.size() : 0; }
  template <class Fn>
  void for_each(Fn&& fn) const {
    if (kept_)
      for (const Entry& entry : kept_->entries) fn(entry);
  }

  struct Entry {
    std::string topic;
    Nanos since{};          // of the loop
    std::uint8_t kind = 0;  // action, QoS and retain packed
    access::Verdict verdict = access::Verdict::Deny;
  };

 private:
  static std::uint8_t pack(const access::Action& action) {
    return static_cast<std::uint8_t>((action.kind == access::ActionKind::Publish ? 0 : 8) |
                                     (static_cast<unsigned>(action.qos) << 1) | (action.retain ? 1 : 0));
  }
  static std::uint64_t word(const char* at) {
    std::uint64_t out = 0;
    std::memcpy(&out, at, sizeof out);
    return out;
  }
  /// The end first, where the topics of one client differ; without a call for what is short anyway.
  static bool same(std::string_view a, std::string_view b) {
    constexpr std::size_t kWord = sizeof(std::uint64_t);
    const std::size_t size = a.size();
    if (size != b.size()) return false;
    if (size < kWord || size > kWord * 8) return a == b;
    if (word(a.data() + size - kWord) != word(b.data() + size - kWord)) return false;
    for (std::size_t at = 0; at + kWord < size; at += kWord)
      if (word(a.data() + at) != word(b.data() + at)) return false;
    return true;
  }
  static bool fits(const Entry& entry, const access::Action& action) {
    return entry.kind == pack(action) && same(entry.topic, action.topic);
  }
  /// A byte that tells most topics of one client apart: of its ends, where they differ. Who makes many of the same
  /// spoils nothing but an own cache.
  static std::uint8_t tag_of(const access::Action& action) {
    const std::string_view topic = action.topic;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    if (topic.size() >= sizeof last) {
      first = word(topic.data());
      last = word(topic.data() + topic.size() - sizeof last);
    } else {
      for (const char c : topic) last = last << 8 | static_cast<unsigned char>(c);
    }
    constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15;  // 2^64 by the golden ratio: spreads into the high bits
    return static_cast<std::uint8_t>((((first ^ (last * kOdd)) + topic.size() * 16 + pack(action)) * kOdd) >> 56);
  }
  static constexpr std::size_t kNowhere = ~std::size_t{0};
  /// Only while something is kept.
  std::size_t place_of(const access::Action& action) const;

  /// Made with the first verdict: a connection that only listens or idles pays for a pointer. Never empty.
  struct Kept {
    std::uint64_t generation = 0;
    Nanos ttl{};
    std::size_t hit = 0;  // the last one that was found
    std::size_t oldest = 0;
    std::vector<Entry> entries;      // insertion order, a ring once full
    std::vector<std::uint8_t> tags;  // of each
  };
  std::unique_ptr<Kept> kept_;
  std::uint32_t epoch_ = 0;
};

}  // namespace sb::client
