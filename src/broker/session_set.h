// The sessions of one shard: found by client id, and by place, so that a page of a long list needs no walk to its first
// row. Does not own them.
#pragma once

#include "base/hash.h"
#include "broker/session.h"

#include <boost/unordered/unordered_flat_set.hpp>

#include <string_view>
#include <vector>

namespace sb::broker {

class SessionSet {
 public:
  /// Null: there is none.
  Session* find(std::string_view client_id) const {
    const auto found = by_id_.find(client_id);
    return found == by_id_.end() ? nullptr : *found;
  }
  void insert(Session& session) {
    by_id_.insert(&session);
    session.place_ = static_cast<std::uint32_t>(places_.size());
    places_.push_back(&session);
  }
  /// The last one takes its place.
  void erase(Session& session) {
    by_id_.erase(&session);
    places_.back()->place_ = session.place_;
    places_[session.place_] = places_.back();
    places_.pop_back();
  }
  void clear() {
    by_id_.clear();
    places_.clear();
  }
  /// In the order of their places, which is without meaning, and stable while none comes or goes.
  const std::vector<Session*>& all() const { return places_; }
  std::size_t size() const { return places_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    std::size_t operator()(std::string_view id) const noexcept { return hash_text(id); }
    std::size_t operator()(const Session* s) const noexcept { return hash_text(s->client_id()); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Session* a, const Session* b) const noexcept { return a == b; }
    bool operator()(std::string_view a, const Session* b) const noexcept { return a == b->client_id(); }
    bool operator()(const Session* a, std::string_view b) const noexcept { return a->client_id() == b; }
  };
  boost::unordered_flat_set<Session*, Hash, Equal> by_id_;
  std::vector<Session*> places_;
};

}  // namespace sb::broker
