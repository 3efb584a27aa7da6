// The route structure of a node: which topic filters somebody wants, found by topic. One for the process.
//
// Threads: readers (`match`, `find`) on any shard, without lock and without an atomic read-modify-write. What they
// return stays valid until the reader's shard calls Reclaimer::quiescent. Writers serialise on a plain mutex, held
// shortly. A reader beside a writer may see the state before or after it; a filter whose acquire happened before the
// match is found, each route at most once.
#pragma once

#include "runtime/reclaimer.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

namespace sb::broker {

inline constexpr unsigned kShardsMax = 64;

/// One installed topic filter, without $share prefix. Its address is stable until the last reference is released and
/// the reclaimer has seen two grace periods. Bytes in one allocation: this object, a slot a shard, the filter's text.
class Route {
 public:
  Route(const Route&) = delete;
  Route& operator=(const Route&) = delete;

  std::string_view filter() const { return {reinterpret_cast<const char*>(slots() + shards_), length_}; }

  /// An opaque slot a shard, written by that shard only. Others may read it to learn whether the shard has subscribers.
  /// It must be null again before the shard releases its reference.
  void* local(unsigned shard) const { return slots()[shard].load(std::memory_order_acquire); }
  void set_local(unsigned shard, void* local);

  /// Opaque: the shared groups ($share) of this filter. Written under Router::with_writer_lock, read by anybody.
  void* groups() const { return groups_.load(std::memory_order_acquire); }
  void set_groups(void* groups) { groups_.store(groups, std::memory_order_release); }

  /// Bit n: shard n has a local subscriber. Kept by set_local.
  std::uint64_t shard_mask() const { return shard_mask_.load(std::memory_order_acquire); }

  /// For the router's insides.
  static Route* make(std::string_view filter, unsigned shards);
  static void destroy(void* route);
  static std::size_t bytes_of(std::size_t filter_size, unsigned shards);

 private:
  friend class RouteAccess;
  Route(std::string_view filter, unsigned shards);
  ~Route() = default;

  std::atomic<void*>* slots() { return reinterpret_cast<std::atomic<void*>*>(this + 1); }
  const std::atomic<void*>* slots() const { return reinterpret_cast<const std::atomic<void*>*>(this + 1); }

  std::atomic<void*> groups_{nullptr};
  std::atomic<std::uint64_t> shard_mask_{0};
  std::atomic<const void*> parent_{nullptr};  // the trie's node above, where it hangs by a literal word
  std::uint32_t references_ = 0;              // guarded by the writer lock
  std::uint32_t length_ : 24;
  std::uint32_t shards_ : 8;
};
static_assert(sizeof(Route) == 32);

/// Routes found by `Router::match`, and the scratch space of matching. Kept by the caller so that it allocates once.
class RouteList {
 public:
  void clear() { routes_.clear(); }
  bool empty() const { return routes_.empty(); }
  std::size_t size() const { return routes_.size(); }
  Route* operator[](std::size_t i) const { return routes_[i]; }
  auto begin() const { return routes_.begin(); }
  auto end() const { return routes_.end(); }
  void add(Route* route) { routes_.push_back(route); }

 private:
  friend class MatchScratch;
  struct Word {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint64_t hash;  // 0: not computed yet
  };
  struct Frame {
    const void* node;
    std::size_t level;
  };
  std::vector<Route*> routes_;
  std::vector<Word> words_;
  std::vector<Frame> frames_;
  std::vector<Route*> doubtful_;
};

/// A topic that will be matched soon.
struct Ahead {
  std::string_view topic;
  std::uint64_t hash = 0;  // hash_text(topic)
  /// Set by Router::look_ahead: what the match will probably find, whose memory is on its way as well. A hint.
  Route* probable = nullptr;
};

struct MemoryUse {
  std::size_t routes = 0;  // Route objects with their text
  std::size_t nodes = 0;   // inner nodes (v2) or index rows (v1)
  std::size_t tables = 0;  // hash tables
  std::size_t total() const { return routes + nodes + tables; }
};

/// broker.routing.storage_schema
enum class Schema : std::uint8_t { V1, V2 };

struct RouterOptions {
  Schema schema = Schema::V2;
  unsigned shards = 1;
  bool trie_compaction = true;  // v1 only: broker.perf.trie_compaction
};

class Router {
 public:
  virtual ~Router() = default;
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// Finds or makes the route and takes one reference. `filter` is valid (check_topic_filter) and without prefix.
  virtual Route* acquire(std::string_view filter) = 0;
  /// Gives one reference back; the last one unlinks the route and retires it.
  virtual void release(Route* route) = 0;
  /// The route of exactly this filter, or null.
  virtual Route* find(std::string_view filter) const = 0;
  /// Appends every route whose filter matches. Topics beginning with '$' are hidden from leading wildcards.
  /// [MQTT-4.7.2-1]
  virtual void match(std::string_view topic, RouteList& out) const = 0;

  /// Asks for the memory that matches of these topics, at most kAheadMost, are about to read: of all of them at once
  /// instead of one after the other.
  virtual void look_ahead(std::span<Ahead> next) const = 0;
  static constexpr std::size_t kAheadMost = 32;

  /// Changes whenever a route was linked or unlinked: a result of `match` is current while this is what it was before.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  virtual std::size_t count() const = 0;
  virtual MemoryUse memory() const = 0;

  /// Visits at least `at_least` routes (fewer at the end) from `cursor` (0 at first), in an order without meaning,
  /// under the writer lock. Returns the next cursor, 0 when all were seen. A filter installed all the while is visited
  /// once.
  virtual std::uint64_t visit(std::uint64_t cursor, std::size_t at_least,
                              const std::function<void(Route&)>& visitor) = 0;

  /// For edits of shared groups. `edit` must not call acquire, release, visit or this.
  template <class Edit>
  auto with_writer_lock(Edit&& edit) {
    const std::lock_guard lock(mutex_);
    return edit();
  }

 protected:
  Router() = default;
  // Under the lock, before an unlinked route may be seen as gone and after a new one can be found.
  void bump_generation() {
    generation_.store(generation_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  mutable std::mutex mutex_;

 private:
  std::atomic<std::uint64_t> generation_{1};
};

/// The reclaimer outlives the router; the router outlives every reader.
std::unique_ptr<Router> make_router(const RouterOptions& options, runtime::Reclaimer& reclaimer);

}  // namespace sb::broker
