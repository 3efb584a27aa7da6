// Counts the CONNECTs of each client id in a window (broker.md 11.2). One a shard: a client id has one home. Bounded:
// the ids of at most two windows are held, and at most kIdsMax of them.
#pragma once

#include "base/clock.h"
#include "base/hash.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace sb::access {

/// Per zone.
struct FlappingSettings {
  bool enable = false;
  Millis window_time{60'000};
  std::uint32_t max_count = 15;
  Millis ban_time{300'000};
};

class FlappingDetector {
 public:
  static constexpr std::size_t kIdsMax = 1 << 20;

  /// True when this CONNECT is the `max_count`th inside the window; counting then begins anew.
  bool count(std::string_view client_id, std::int64_t now_ms, const FlappingSettings& settings);
  /// Forgets windows that are over.
  void sweep(std::int64_t now_ms);
  std::size_t size() const { return windows_.size(); }

 private:
  struct Window {
    std::int64_t since_ms;
    std::int64_t ends_ms;
    std::uint32_t count;
  };
  boost::unordered_flat_map<std::string, Window, TextHash, TextEqual> windows_;
};

}  // namespace sb::access
