#include "base/check.h"
#include "broker/broker.h"

namespace sb::broker {

namespace {
/// Entries of one ordered pair of shards; beyond it publishers pause.
constexpr std::size_t kRingCapacity = 16384;
}  // namespace

Core::Core(std::unique_ptr<Router> router, runtime::Reclaimer& reclaimer, unsigned shards)
    : shards_(shards), router_(std::move(router)), reclaimer_(reclaimer), brokers_(shards) {
  rings_.resize(static_cast<std::size_t>(shards) * shards);
  for (unsigned from = 0; from < shards; ++from)
    for (unsigned to = 0; to < shards; ++to)
      if (from != to) rings_[from * shards + to] = std::make_unique<Ring>(kRingCapacity);
}

Core::~Core() = default;

void Core::join(Broker& broker) {
  brokers_[broker.shard()] = &broker;
}

bool Core::claim_exclusive(std::string_view topic, std::string_view client_id) {
  const std::lock_guard guard(exclusive_mutex_);
  const auto [entry, fresh] = exclusive_.try_emplace(std::string(topic), client_id);
  return fresh || entry->second == client_id;  // [S] 9.1: the owner may claim again
}

void Core::release_exclusive(std::string_view topic, std::string_view client_id) {
  const std::lock_guard guard(exclusive_mutex_);
  const auto entry = exclusive_.find(topic);
  if (entry != exclusive_.end() && entry->second == client_id) exclusive_.erase(entry);
}

std::uint64_t Core::metric(Metric metric) const {
  std::uint64_t sum = 0;
  for (const Broker* broker : brokers_) sum += broker->metrics().get(metric);
  return sum;
}

}  // namespace sb::broker
