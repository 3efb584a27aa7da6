#include "client/settings.h"

namespace sb::client {

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
