// `log`: console, files and audit.
#pragma once

#include "base/log.h"
#include "config/schema.h"

#include <map>
#include <string>

namespace sb::config {

enum class LogLevel : std::uint8_t { Debug, Info, Notice, Warning, Error, Critical, Alert, Emergency, All };
template <>
struct EnumNames<LogLevel> {
  static constexpr std::string_view names[] = {"debug",    "info",  "notice",    "warning", "error",
                                               "critical", "alert", "emergency", "all"};
};
/// The base library's level; `all` is its lowest.
log::Level to_level(LogLevel level);

enum class LogFormat : std::uint8_t { Text, Json };
template <>
struct EnumNames<LogFormat> {
  static constexpr std::string_view names[] = {"text", "json"};
};

struct LogBurst {
  bool enable = true;
  std::uint32_t max_count = 0;
  milliseconds window_time{};
  static const Struct& schema();
};
struct LogOverloadKill {
  bool enable = true;
  static const Struct& schema();
};

struct LogHandler {
  bool enable = false;
  LogLevel level = LogLevel::Warning;
  LogFormat formatter = LogFormat::Text;
  std::string time_offset;            // system, utc or +hh:mm
  std::string path;                   // files
  std::uint16_t rotation_count = 10;  // files
  std::uint64_t rotation_size = 0;    // files; kInfinity = never rotate
  std::uint32_t drop_mode_qlen = 0;
  LogBurst burst_limit;
  std::uint32_t max_filter_size = 0;          // audit
  bool ignore_high_frequency_request = true;  // audit

  enum class Kind : std::uint8_t { Console, File, Audit };
  static const Struct& schema(Kind kind);
};

struct Log {
  LogHandler console;
  std::map<std::string, LogHandler> file;  // a single `log.file { ... }` is named default
  LogHandler audit;
  struct Throttling {
    milliseconds time_window{};
    static const Struct& schema();
  } throttling;
  static const Struct& schema();
};

}  // namespace sb::config
