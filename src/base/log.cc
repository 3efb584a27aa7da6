#include "base/log.h"

#include "base/secret_name.h"

#include <cstdio>
#include <ctime>
#include <thread>

namespace sb::log {

namespace detail {
std::atomic<Level> threshold{Level::Warning};

namespace {
std::atomic<Backend*> backend{nullptr};
std::atomic<std::uint32_t> inside{0};  // threads that may hold the backend
}  // namespace

bool submit(Level level, std::string_view event, Field* fields, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {  // a URL of settings, or in the words of a library, may hold a password
    std::string& value = fields[i].value;
    if (fields[i].quoted && value.find("://") != std::string::npos) value = logged_urls(value);
  }
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  inside.fetch_add(1);
  if (Backend* to = backend.load()) {
    Record record{level, std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000, event, {}, false};
    record.fields.reserve(count);
    for (std::size_t i = 0; i < count; ++i) record.fields.push_back(std::move(fields[i]));
    const bool taken = to->take(std::move(record));
    inside.fetch_sub(1);
    return taken;
  }
  inside.fetch_sub(1);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  std::string line = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}+00:00 [{}] msg: {}", parts.tm_year + 1900,
                                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                                 now.tv_nsec / 1000, to_string(level), event);
  for (std::size_t i = 0; i < count; ++i) line += fmt::format(", {}: {}", fields[i].key, fields[i].value);
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
  return true;
}
}  // namespace detail

void install(Backend* backend) {
  detail::backend.store(backend);
  while (detail::inside.load() != 0) std::this_thread::yield();
}

std::string_view to_string(Level level) {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Notice:
      return "notice";
    case Level::Warning:
      return "warning";
    case Level::Error:
      return "error";
    case Level::Critical:
      return "critical";
    case Level::Alert:
      return "alert";
    case Level::Emergency:
      return "emergency";
    case Level::Off:
      return "off";
  }
  return "off";
}

void set_threshold(Level level) {
  detail::threshold.store(level, std::memory_order_relaxed);
}

bool Site::admit(std::string_view event) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  std::int64_t second = second_.load(std::memory_order_relaxed);
  if (second != now.tv_sec && second_.compare_exchange_strong(second, now.tv_sec, std::memory_order_relaxed)) {
    const std::uint32_t seen = count_.exchange(0, std::memory_order_relaxed);
    const std::uint32_t missing =
        lost_.exchange(0, std::memory_order_relaxed) + (seen > kPerSecond ? seen - kPerSecond : 0);
    if (missing > 0 && !write(Level::Warning, "log_lines_suppressed", kv("event", event), kv("count", missing)))
      lost_.fetch_add(missing, std::memory_order_relaxed);
  }
  return count_.fetch_add(1, std::memory_order_relaxed) < kPerSecond;
}

}  // namespace sb::log
