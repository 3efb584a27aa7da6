// Points in time as RFC 3339 text with the machine's offset, e.g. 2024-05-01T12:00:00.123+02:00.
#pragma once

#include <cstdint>
#include <string>

namespace sb {

/// `fraction` digits after the second: 0, 3, 6 or 9.
std::string rfc3339(std::int64_t wall_ms, int fraction = 3);
std::string rfc3339_ns(std::int64_t wall_ns, int fraction = 9);

}  // namespace sb
