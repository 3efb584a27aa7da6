#include "base/time_text.h"

#include <fmt/format.h>

#include <cstdlib>
#include <ctime>

namespace sb {

std::string rfc3339_ns(std::int64_t wall_ns, int fraction) {
  std::int64_t seconds = wall_ns / 1'000'000'000;
  std::int64_t rest = wall_ns % 1'000'000'000;
  if (rest < 0) {
    rest += 1'000'000'000;
    --seconds;
  }
  const std::time_t when = seconds;
  tm parts{};
  localtime_r(&when, &parts);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (fraction > 0) out += '.' + fmt::format("{:09}", rest).substr(0, static_cast<std::size_t>(fraction));
  const long offset_min = parts.tm_gmtoff / 60;
  return out + fmt::format("{}{:02}:{:02}", offset_min < 0 ? '-' : '+', std::labs(offset_min) / 60,
                           std::labs(offset_min) % 60);
}

std::string rfc3339(std::int64_t wall_ms, int fraction) {
  return rfc3339_ns(wall_ms * 1'000'000, fraction);
}

}  // namespace sb
