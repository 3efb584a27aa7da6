#include "broker/router.h"

#include "base/check.h"
#include "broker/detail/router_base.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace sb::broker {

Route::Route(std::string_view filter, unsigned shards)
    : length_(static_cast<std::uint32_t>(filter.size()) & 0xFFFFFF), shards_(static_cast<std::uint8_t>(shards)) {
  for (unsigned i = 0; i < shards; ++i) new (slots() + i) std::atomic<void*>(nullptr);
  std::memcpy(reinterpret_cast<char*>(slots() + shards), filter.data(), filter.size());
}

std::size_t Route::bytes_of(std::size_t filter_size, unsigned shards) {
  return sizeof(Route) + shards * sizeof(std::atomic<void*>) + filter_size;
}

Route* Route::make(std::string_view filter, unsigned shards) {
  SB_CHECK(filter.size() < (1u << 24) && shards <= kShardsMax, "a route's bounds");
  void* memory = std::malloc(bytes_of(filter.size(), shards));
  SB_CHECK(memory != nullptr, "out of memory");
  return new (memory) Route(filter, shards);
}

void Route::destroy(void* route) {
  std::free(route);
}

void Route::set_local(unsigned shard, void* local) {
  const std::uint64_t bit = std::uint64_t{1} << shard;
  slots()[shard].store(local, std::memory_order_release);
  // Other shards change other bits at the same time; this happens for a shard's first and last subscriber only.
  if (local != nullptr) {
    shard_mask_.fetch_or(bit, std::memory_order_acq_rel);
  } else {
    shard_mask_.fetch_and(~bit, std::memory_order_acq_rel);
  }
}

std::unique_ptr<Router> make_router(const RouterOptions& options, runtime::Reclaimer& reclaimer) {
  SB_CHECK(options.shards >= 1 && options.shards <= kShardsMax, "node.shards is 1..64");
  return options.schema == Schema::V1 ? detail::make_router_v1(options, reclaimer)
                                      : detail::make_router_v2(options, reclaimer);
}

}  // namespace sb::broker
