#include "client/settings.h"

namespace sb::client {

ZoneRef in_force(const ZoneRef& live, const ZoneRef& fresh) {
  auto out = std::make_shared<ZoneSettings>(*live);
  out->name = fresh->name;
  out->max_topic_levels = fresh->max_topic_levels;
  out->max_qos = fresh->max_qos;
  out->retain_available = fresh->retain_available;
  out->wildcard_subscription = fresh->wildcard_subscription;
  out->shared_subscription = fresh->shared_subscription;
  out->exclusive_subscription = fresh->exclusive_subscription;
  out->congestion_alarm = fresh->congestion_alarm;
  out->congestion_sustain = fresh->congestion_sustain;
  out->overload_closes_new = fresh->overload_closes_new;
  out->overload_delay = fresh->overload_delay;
  if (*out == *live) return live;
  return out;
}

void SharedLimits::set(const LimitRates& rates) {
  connections.set(rates.connections);
  bytes.set(rates.bytes);
  messages.set(rates.messages);
  routing.set(rates.routing);
}

bool ListenerState::enter(std::uint64_t limit) {
  const std::uint64_t now = connections_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (limit != 0 && now > limit) {
    leave();
    return false;
  }
  std::uint64_t most = connections_max_.load(std::memory_order_relaxed);
  while (now > most && !connections_max_.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
  }
  return true;
}

void ListenerState::count_end(std::string_view reason) {
  const std::lock_guard guard(mutex_);
  if (const auto it = ends_.find(reason); it != ends_.end())
    ++it->second;
  else
    ends_.emplace(reason, 1);
}

std::map<std::string, std::uint64_t> ListenerState::ends() const {
  const std::lock_guard guard(mutex_);
  return {ends_.begin(), ends_.end()};
}

}  // namespace sb::client
