// Structured log lines: a fixed sentence (event name) plus fields. SB_LOG(Level::Warning, "listener_failed",
// kv("bind", bind), kv("reason", what)). Asynchronous: formatting happens here, writing on the logger's thread; a full
// queue drops and counts. Payloads, passwords and tokens are never logged. Thread safe.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

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

/// Where lines go. Implementations are called on the logger's thread only.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(Level level, std::int64_t wall_us, std::string_view event, const Field* fields, std::size_t count) = 0;
  virtual void flush() {}
};

namespace detail {
extern std::atomic<Level> threshold;
void submit(Level level, std::string_view event, Field* fields, std::size_t count);
}  // namespace detail

inline bool enabled(Level level) { return level >= detail::threshold.load(std::memory_order_relaxed); }
/// Most verbose level of the installed sinks.
void set_threshold(Level level);

/// One per log statement: at most `kPerSecond` lines a second, the rest counted and told in one line afterwards.
class Site {
 public:
  static constexpr std::uint32_t kPerSecond = 100;
  bool admit(std::string_view event);

 private:
  std::atomic<std::int64_t> second_{0};
  std::atomic<std::uint32_t> count_{0};
};

template <class... Fields>
void write(Level level, std::string_view event, Fields&&... fields) {
  Field list[sizeof...(fields) + 1] = {std::forward<Fields>(fields)..., Field{}};
  detail::submit(level, event, list, sizeof...(fields));
}

/// Installs the sinks (replacing others) and starts the writing thread; before that, lines go to standard error as text.
class Logger;

}  // namespace sb::log

#define SB_LOG(level_, event, ...)                                                        \
  do {                                                                                    \
    if (::sb::log::enabled(level_)) {                                                     \
      static ::sb::log::Site sb_site_;                                                    \
      using ::sb::log::kv;                                                                \
      if (sb_site_.admit(event)) ::sb::log::write(level_, event __VA_OPT__(, ) __VA_ARGS__); \
    }                                                                                     \
  } while (false)
