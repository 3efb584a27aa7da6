// A shared subscription group: the members of ($share/<group>/<filter>) over all shards (broker.md 8). Readers (the
// publishers' shards) see an immutable member list; writers hold the router's lock. Members and lists are reclaimed
// only when no shard can hold a pointer to them any more.
#pragma once

#include "base/mqtt_types.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sb::broker {

class Session;
class Route;

/// broker.md 8.2
enum class SharedStrategy : std::uint8_t {
  Random,
  RoundRobin,
  RoundRobinPerGroup,
  Sticky,
  Local,
  HashClientId,
  HashTopic,
};

/// One session's place in a group. `session` is read and cleared by its own shard only.
struct SharedMember {
  unsigned shard = 0;
  std::uint64_t session_number = 0;
  Session* session = nullptr;
  struct Subscription* subscription = nullptr;
  class SharedGroup* group = nullptr;  // lives at least as long
  std::atomic<bool> online{false};
};

class SharedGroup {
 public:
  using Members = std::vector<SharedMember*>;

  SharedGroup(std::string name, std::string full_filter, Route* route, std::uint64_t number)
      : name_(std::move(name)), full_(std::move(full_filter)), route_(route), number_(number) {}

  const std::string& name() const { return name_; }
  const std::string& full_filter() const { return full_; }  // "$share/g/f" or "$queue/f"
  Route* route() const { return route_; }
  std::uint64_t number() const { return number_; }

  /// Immutable; valid until the reader's shard is quiescent. Insertion order. Null: nobody is left, for good.
  const Members* members() const { return members_.load(std::memory_order_acquire); }
  void set_members(const Members* members) { members_.store(members, std::memory_order_release); }

  std::uint32_t next_turn() const { return turn_.fetch_add(1, std::memory_order_relaxed); }

  void retain_reference() const { references_.fetch_add(1, std::memory_order_relaxed); }
  /// True when the last one is gone; the holder then retires it.
  bool release() const { return references_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

 private:
  std::string name_;
  std::string full_;
  Route* route_;
  std::uint64_t number_;
  std::atomic<const Members*> members_{nullptr};
  mutable std::atomic<std::uint32_t> turn_{0};
  mutable std::atomic<std::uint32_t> references_{1};
};

/// Counted pointer. Groups die after their last member and last owed message; whoever drops the last reference deletes.
class SharedGroupRef {
 public:
  SharedGroupRef() = default;
  explicit SharedGroupRef(const SharedGroup* group) : group_(group) {
    if (group_) group_->retain_reference();
  }
  SharedGroupRef(const SharedGroupRef& other) : SharedGroupRef(other.group_) {}
  SharedGroupRef(SharedGroupRef&& other) noexcept : group_(std::exchange(other.group_, nullptr)) {}
  SharedGroupRef& operator=(SharedGroupRef other) noexcept {
    std::swap(group_, other.group_);
    return *this;
  }
  ~SharedGroupRef() {
    if (group_ && group_->release()) delete group_;
  }
  explicit operator bool() const { return group_ != nullptr; }
  const SharedGroup* operator->() const { return group_; }
  const SharedGroup* get() const { return group_; }

 private:
  const SharedGroup* group_ = nullptr;
};

/// Immutable list of the groups of one route, published through Route::set_groups.
using SharedGroupList = std::vector<SharedGroup*>;

/// Choices that a publisher keeps between its messages: round_robin counters and sticky members, by group.
class PublisherState {
 public:
  struct Choice {
    std::uint64_t group = 0;
    std::uint64_t member_session = 0;  // sticky
    std::uint32_t turn = 0;            // round_robin
  };
  static constexpr std::size_t kMax = 64;  // groups remembered; beyond that the oldest starts anew
  Choice& choice(std::uint64_t group, std::uint32_t first_turn);

 private:
  std::vector<Choice> choices_;
  std::size_t next_ = 0;
};

struct PickContext {
  SharedStrategy strategy = SharedStrategy::RoundRobin;
  unsigned shard = 0;          // the publisher's
  std::string_view client_id;  // the publisher's
  std::string_view topic;
  PublisherState* state = nullptr;
  std::uint64_t random = 0;            // fresh random bits
  std::uint64_t excluded_session = 0;  // never picked (8.4); 0 = none
};

/// Chooses the member for one message: online members first, offline ones if there is no other. Null: nobody.
SharedMember* pick(const SharedGroup& group, const PickContext& context);

}  // namespace sb::broker
