// Times and sizes as management prints them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sb::management {

/// RFC 3339 in the machine's local offset: with three digits of a second, or none.
std::string rfc3339_ms(std::int64_t wall_ms);
std::string rfc3339_s(std::int64_t wall_ms);

/// Epoch digits in the unit of the caller (`unit_ms`: how many milliseconds one is), or RFC 3339. In milliseconds.
std::optional<std::int64_t> parse_time(std::string_view text, std::int64_t unit_ms);

/// "15.49G"
std::string memory_text(std::uint64_t bytes);

std::string base64(std::string_view bytes);
/// nullopt: other characters, or a length that cannot be. White space is not allowed.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace sb::management
