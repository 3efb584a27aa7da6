// Recent verdicts of one connection (broker.md 11.3): key is action with QoS and retain, and topic; the oldest entry
// goes first; entries age. Answers that came late are kept here too, so that a suspended packet finds its verdict when
// it is looked at again.
#pragma once

#include "access/gate.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::client {

class AuthorizationCache {
 public:
  std::optional<access::Verdict> find(const access::Action& action, std::int64_t now_ms, std::uint64_t generation,
                                      const access::Gate::CacheSettings& settings);
  void add(const access::Action& action, access::Verdict verdict, std::int64_t now_ms, std::uint64_t generation,
           const access::Gate::CacheSettings& settings);
  void clear() {
    entries_.clear();
    hashes_.clear();
    oldest_ = hit_ = 0;
  }
  std::size_t size() const { return entries_.size(); }
  template <class Fn>
  void for_each(Fn&& fn) const {
    for (const Entry& entry : entries_) fn(entry);
  }

  struct Entry {
    std::string topic;
    std::int64_t since_ms = 0;
    std::uint8_t kind = 0;  // action, QoS and retain packed
    access::Verdict verdict = access::Verdict::Deny;
  };

 private:
  static std::uint8_t pack(const access::Action& action);
  static constexpr std::size_t kNowhere = ~std::size_t{0};
  std::size_t place_of(const access::Action& action) const;
  std::vector<Entry> entries_;         // insertion order, a ring once full
  std::vector<std::uint64_t> hashes_;  // of their topics
  std::size_t oldest_ = 0;
  std::size_t hit_ = 0;  // the last one that was found
  std::uint64_t generation_ = 0;
};

}  // namespace sb::client
