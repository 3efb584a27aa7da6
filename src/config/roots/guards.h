// Roots that protect the node from single connections; each may be repeated in a zone.
#pragma once

#include "config/schema.h"

namespace sb::config {

struct FlappingDetect {
  bool enable = false;
  milliseconds window_time{};  // zero: the old value `disable`
  std::uint32_t max_count = 0;
  milliseconds ban_time{};
  static const Struct& schema();
};

/// Turns an address away that failed to authenticate too often.
struct AuthenticationFailureLimit {
  bool enable = false;
  std::uint32_t max_failures = 100;
  milliseconds window{}, block_time{};
  static const Struct& schema();
};

struct ForceShutdown {
  bool enable = false;
  std::uint32_t max_mailbox_size = 0;  // 0 = off
  std::uint64_t max_heap_size = 0;     // bytes; 0 = off
  static const Struct& schema();
};

struct ForceGc {
  bool enable = false;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  static const Struct& schema();
};

struct ConnCongestion {
  bool enable_alarm = false;
  milliseconds min_alarm_sustain_duration{};
  static const Struct& schema();
};

struct OverloadProtection {
  bool enable = false;
  std::uint32_t backoff_delay = 0;
  bool backoff_gc = false;
  bool backoff_hibernation = false;
  bool backoff_new_conn = false;
  static const Struct& schema();
};

struct Stats {
  bool enable = false;
  static const Struct& schema();
};

}  // namespace sb::config
