#include "net/certificate_status.h"

namespace sb::net {

CrlStore::List CrlStore::find(const std::string& url) {
  {
    const std::lock_guard guard(mutex_);
    if (const auto it = lists_.find(url); it != lists_.end()) return it->second;
  }
  if (wanted_) wanted_(url);
  return nullptr;
}

void CrlStore::put(const std::string& url, List list) {
  const std::lock_guard guard(mutex_);
  lists_[url] = std::move(list);
}

void CrlStore::erase(const std::string& url) {
  const std::lock_guard guard(mutex_);
  lists_.erase(url);
}

std::size_t CrlStore::size() const {
  const std::lock_guard guard(mutex_);
  return lists_.size();
}

}  // namespace sb::net
