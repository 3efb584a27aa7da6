// Structured log lines: a fixed sentence (event name) plus fields. SB_LOG(Level::Warning, "listener_failed",
// kv("bind", bind), kv("reason", what)). Values become text here; lines are laid out and written by the installed
// backend (telemetry::Logger, on its own thread), and by nobody's but the caller's while there is none. Payloads,
// passwords and tokens are never logged: those of URLs are masked here, others by whoever logs. Thread safe.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sb::log {

/// Syslog order, as the configuration names them.
enum class Level : std::uint8_t { Debug, Info, Notice, Warning, Error, Critical, Alert, Emergency, Off };

std::string_view to_string(Level level);

struct Field {
  std::string_view key;
  std::string value;
  bool quoted = true;  // JSON: string or bare number/bool
};

template <class T>
Field kv(std::string_view key, const T& value) {
  constexpr bool bare = std::is_arithmetic_v<T>;
  return Field{key, fmt::format("{}", value), !bare};
}

class Site;

/// One line on its way to where it is written.
struct Record {
  Level level = Level::Info;
  std::int64_t wall_us = 0;
  std::string_view event;  // lives for ever: a literal
  std::vector<Field> fields;
  bool audit = false;  // a management call, for the audit handler only
};

/// Takes lines from any thread; must not block. False: full, the line is lost (and counted by its site).
class Backend {
 public:
  virtual ~Backend() = default;
  virtual bool take(Record&& record) = 0;
};

/// Null: standard error, as text. Returns when no thread is inside the former one any more.
void install(Backend* backend);

namespace detail {
extern std::atomic<Level> threshold;
bool submit(Level level, std::string_view event, Field* fields, std::size_t count);
}  // namespace detail

inline bool enabled(Level level) {
  return level >= detail::threshold.load(std::memory_order_relaxed);
}
/// Most verbose level that anybody writes.
void set_threshold(Level level);

/// One per log statement: at most `kPerSecond` lines a second, the rest counted and told in one line afterwards.
class Site {
 public:
  static constexpr std::uint32_t kPerSecond = 100;
  bool admit(std::string_view event);
  /// The line was admitted but the queue was full.
  void lost() { lost_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint32_t> lost_{0};
  std::atomic<std::int64_t> second_{0};
  std::atomic<std::uint32_t> count_{0};
};

template <class... Fields>
bool write(Level level, std::string_view event, Fields&&... fields) {
  Field list[sizeof...(fields) + 1] = {std::forward<Fields>(fields)..., Field{}};
  return detail::submit(level, event, list, sizeof...(fields));
}

}  // namespace sb::log

#define SB_LOG(level_, event, ...)                                                                               \
  do {                                                                                                           \
    if (::sb::log::enabled(level_)) {                                                                            \
      static ::sb::log::Site sb_site_;                                                                           \
      using ::sb::log::kv;                                                                                       \
      if (sb_site_.admit(event) && !::sb::log::write(level_, event __VA_OPT__(, ) __VA_ARGS__)) sb_site_.lost(); \
    }                                                                                                            \
  } while (false)
