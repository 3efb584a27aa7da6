// Lines of the log as users and their scrapers read them: text and JSON.
//   2026-05-01T12:00:00.123456+02:00 [warning] msg: listener_failed, peername: 1.2.3.4:5, clientid: a, reason: ...
//   {"time":1777629600123456,"level":"warning","msg":"listener_failed","clientid":"a",...}
// Pure functions; any thread.
#pragma once

#include "base/log.h"

#include <optional>
#include <string>
#include <string_view>

namespace sb::telemetry {

/// `log.*.time_offset`: "system" (nullopt), "utc", or "+hh:mm" in seconds east.
std::optional<int> parse_time_offset(std::string_view text);

/// One line with its end. Newlines and other control characters within a value never break a line. Fields whose name
/// says that they are secret are masked, whoever logged them.
std::string to_text(const log::Record& record, std::optional<int> offset_s);
std::string to_json(const log::Record& record);

bool secret_key(std::string_view key);

}  // namespace sb::telemetry
