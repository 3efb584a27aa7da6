#include "broker/detail/router_base.h"

#include "base/check.h"
#include "base/hash.h"
#include "broker/topic.h"

namespace sb::broker::detail {

RouterBase::RouterBase(unsigned shards, runtime::Reclaimer& reclaimer)
    : reclaimer_(reclaimer), shards_(shards), filters_(reclaimer) {}

RouterBase::~RouterBase() {
  for (unsigned i = 0; i < PointerTable::kSegments; ++i)
    filters_.visit_segment(i, [](std::uint64_t entry) { Route::destroy(reinterpret_cast<Route*>(entry)); });
}

Route* RouterBase::find_hashed(std::string_view filter, std::uint64_t hash) const {
  return reinterpret_cast<Route*>(filters_.find(
      hash, [&](std::uint64_t entry) { return reinterpret_cast<const Route*>(entry)->filter() == filter; }));
}

void RouterBase::look_ahead(std::span<Ahead> next) const {
  for (const Ahead& one : next) filters_.prefetch(one.hash);
  look_ahead_wildcards(next);  // meanwhile
  for (Ahead& one : next)
    if (const std::uint64_t entry = filters_.find(one.hash, [](std::uint64_t) { return true; })) {
      one.probable = reinterpret_cast<Route*>(entry);
      RouteAccess::prefetch(*one.probable);
    }
}

Route* RouterBase::find(std::string_view filter) const {
  return find_hashed(filter, hash_text(filter));
}

Route* RouterBase::acquire(std::string_view filter) {
  const std::uint64_t hash = hash_text(filter);
  const std::lock_guard lock(mutex_);
  Route* route = find_hashed(filter, hash);
  if (route == nullptr) {
    route = Route::make(filter, shards_);
    filters_.insert(hash, reinterpret_cast<std::uint64_t>(route));
    if (has_wildcard(filter)) link_wildcard(*route);
    route_bytes_.store(route_bytes_.load(std::memory_order_relaxed) + Route::bytes_of(filter.size(), shards_),
                       std::memory_order_relaxed);
    bump_generation();
  }
  ++RouteAccess::references(*route);
  return route;
}

void RouterBase::release(Route* route) {
  const std::lock_guard lock(mutex_);
  SB_CHECK(RouteAccess::references(*route) > 0, "released more often than acquired");
  if (--RouteAccess::references(*route) > 0) return;
  const std::string_view filter = route->filter();
  filters_.erase(hash_text(filter), reinterpret_cast<std::uint64_t>(route));
  if (has_wildcard(filter)) unlink_wildcard(*route);
  route_bytes_.store(route_bytes_.load(std::memory_order_relaxed) - Route::bytes_of(filter.size(), shards_),
                     std::memory_order_relaxed);
  bump_generation();
  reclaimer_.retire(route, Route::destroy);
}

MemoryUse RouterBase::memory() const {
  MemoryUse use = index_memory();
  use.routes += route_bytes_.load(std::memory_order_relaxed);
  use.tables += filters_.bytes();
  return use;
}

std::uint64_t RouterBase::visit(std::uint64_t cursor, std::size_t at_least,
                                const std::function<void(Route&)>& visitor) {
  const std::lock_guard lock(mutex_);
  std::size_t seen = 0;
  // The cursor is a segment of the table: growth moves entries within one only.
  for (auto segment = static_cast<unsigned>(cursor); segment < PointerTable::kSegments; ++segment) {
    if (seen >= at_least && segment != cursor) return segment;
    filters_.visit_segment(segment, [&](std::uint64_t entry) {
      ++seen;
      visitor(*reinterpret_cast<Route*>(entry));
    });
  }
  return 0;
}

}  // namespace sb::broker::detail
