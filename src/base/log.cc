#include "base/log.h"

#include <cstdio>
#include <ctime>

namespace sb::log {

namespace detail {
std::atomic<Level> threshold{Level::Warning};

void submit(Level level, std::string_view event, Field* fields, std::size_t count) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  std::string line = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}+00:00 [{}] msg: {}", parts.tm_year + 1900,
                                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                                 now.tv_nsec / 1000, to_string(level), event);
  for (std::size_t i = 0; i < count; ++i) line += fmt::format(", {}: {}", fields[i].key, fields[i].value);
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}
}  // namespace detail

std::string_view to_string(Level level) {
  switch (level) {
    case Level::Debug: return "debug";
    case Level::Info: return "info";
    case Level::Notice: return "notice";
    case Level::Warning: return "warning";
    case Level::Error: return "error";
    case Level::Critical: return "critical";
    case Level::Alert: return "alert";
    case Level::Emergency: return "emergency";
    case Level::Off: return "off";
  }
  return "off";
}

void set_threshold(Level level) { detail::threshold.store(level, std::memory_order_relaxed); }

bool Site::admit(std::string_view event) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  std::int64_t second = second_.load(std::memory_order_relaxed);
  if (second != now.tv_sec && second_.compare_exchange_strong(second, now.tv_sec, std::memory_order_relaxed)) {
    const std::uint32_t seen = count_.exchange(0, std::memory_order_relaxed);
    if (seen > kPerSecond)
      write(Level::Warning, "log_lines_suppressed", kv("event", event), kv("count", seen - kPerSecond));
  }
  return count_.fetch_add(1, std::memory_order_relaxed) < kPerSecond;
}

}  // namespace sb::log
