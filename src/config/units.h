// The value types of configuration that are written with units. Parsers accept exactly EMQX 5.4's grammar.
#pragma once

#include "base/result.h"
#include "base/secret.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace sb::config {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// `infinity`, in a count or a size. Durations have kForever.
constexpr std::uint32_t kInfinity32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kInfinity = std::numeric_limits<std::uint64_t>::max();
/// `infinity`, in a duration. `disabled` is zero.
constexpr milliseconds kForever = milliseconds::max();
/// Durations that run as timers; the limit is EMQX's.
constexpr std::int64_t kTimerMaxMs = 4294967295;

/// `70%` or 0.0..1.0
struct Percent {
  double value = 0;  // 0..1
  friend bool operator==(const Percent&, const Percent&) = default;
};

/// Amount per time; no amount = infinity.
struct Rate {
  std::uint64_t amount = 0;
  milliseconds per{1000};
  bool infinite() const { return amount == 0; }
  double per_second() const { return static_cast<double>(amount) * 1000.0 / static_cast<double>(per.count()); }
  friend bool operator==(const Rate&, const Rate&) = default;
};

/// Where a listener binds. An empty host is every IPv4 address.
struct Bind {
  std::string host;
  std::uint16_t port = 0;
  bool v6() const { return host.find(':') != std::string::npos; }
  friend bool operator==(const Bind&, const Bind&) = default;
};
/// "0.0.0.0:1883", "[::1]:1883"
std::string to_string(const Bind& bind);

/// Chain of <number><f|w|d|h|m|s|ms>, and `us` where asked for. A number without a unit counts `plain`.
std::optional<microseconds> parse_duration(std::string_view text, microseconds plain, bool allow_us = false);
/// 1MB, 512kb, 10b, 4096. Factor 1024.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::optional<Percent> parse_percent(std::string_view text);
/// infinity, 10, 1000/s, 100MB/10s. Zero is refused.
std::optional<Rate> parse_rate(std::string_view text);
/// 1883, :1883, 0.0.0.0:1883, ::1:1883, [::1]:1883, :::1883
std::optional<Bind> parse_bind(std::string_view text);

/// Reads `file://` secrets now (trailing white space trimmed); others are returned as they are.
[[nodiscard]] Result<Secret> resolve_secret(const Secret& secret);

}  // namespace sb::config
