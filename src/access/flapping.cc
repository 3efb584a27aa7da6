#include "access/flapping.h"

namespace sb::access {

bool FlappingDetector::count(std::string_view client_id, std::int64_t now_ms, const FlappingSettings& settings) {
  auto found = windows_.find(client_id);
  if (found == windows_.end()) {
    if (windows_.size() >= kIdsMax) {
      sweep(now_ms);
      if (windows_.size() >= kIdsMax) return false;  // a flood of ids is not flapping of one
    }
    found = windows_.emplace(std::string(client_id), Window{now_ms, now_ms + settings.window_time.count(), 0}).first;
  }
  Window& window = found->second;
  if (now_ms >= window.ends_ms) window = Window{now_ms, now_ms + settings.window_time.count(), 0};
  if (++window.count < settings.max_count) return false;
  windows_.erase(found);
  return true;
}

void FlappingDetector::sweep(std::int64_t now_ms) {
  boost::unordered::erase_if(windows_, [now_ms](const auto& pair) { return now_ms >= pair.second.ends_ms; });
}

}  // namespace sb::access
