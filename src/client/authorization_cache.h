// Recent verdicts of one connection (broker.md 11.3): key is action with QoS and retain, and topic; the oldest entry
// goes first; entries age. Answers that came late are kept here too, so that a suspended packet finds its verdict when
// it is looked at again.
#pragma once

#include "access/gate.h"

#include <cstdint>
#include <memory>
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
  void clear() { kept_.reset(); }
  std::size_t size() const { return kept_ ? kept_->entries.size() : 0; }
  template <class Fn>
  void for_each(Fn&& fn) const {
    if (kept_)
      for (const Entry& entry : kept_->entries) fn(entry);
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

  /// Made with the first verdict: a connection that only listens or idles pays for a pointer.
  struct Kept {
    std::vector<Entry> entries;         // insertion order, a ring once full
    std::vector<std::uint64_t> hashes;  // of their topics
    std::size_t oldest = 0;
    std::size_t hit = 0;  // the last one that was found
  };
  std::unique_ptr<Kept> kept_;
  std::uint64_t generation_ = 0;
};

}  // namespace sb::client
