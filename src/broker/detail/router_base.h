// What both schemas share: the table of all filters by their text, references, paging, counts. A schema adds how its
// wildcard filters are found by topic.
#pragma once

#include "broker/detail/pointer_table.h"
#include "broker/detail/route_access.h"

namespace sb::broker::detail {

class RouterBase : public Router {
 public:
  RouterBase(unsigned shards, runtime::Reclaimer& reclaimer);
  ~RouterBase() override;

  Route* acquire(std::string_view filter) override;
  void release(Route* route) override;
  Route* find(std::string_view filter) const override;
  std::size_t count() const override { return filters_.size(); }
  MemoryUse memory() const override;
  void look_ahead(std::span<Ahead> next) const override;
  std::uint64_t visit(std::uint64_t cursor, std::size_t at_least, const std::function<void(Route&)>& visitor) override;

 protected:
  virtual void link_wildcard(Route& route) = 0;    // under the writer lock
  virtual void unlink_wildcard(Route& route) = 0;  // likewise
  virtual MemoryUse index_memory() const = 0;
  virtual void look_ahead_wildcards(std::span<Ahead>) const {}

  void prefetch_filter(std::uint64_t hash) const { filters_.prefetch(hash); }
  Route* find_hashed(std::string_view filter, std::uint64_t hash) const;

  runtime::Reclaimer& reclaimer_;

 private:
  const unsigned shards_;
  PointerTable filters_;
  std::atomic<std::size_t> route_bytes_{0};
};

std::unique_ptr<Router> make_router_v1(const RouterOptions& options, runtime::Reclaimer& reclaimer);
std::unique_ptr<Router> make_router_v2(const RouterOptions& options, runtime::Reclaimer& reclaimer);

}  // namespace sb::broker::detail
