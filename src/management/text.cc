#include "management/text.h"

#include <fmt/format.h>

#include <charconv>
#include <ctime>

namespace sb::management {

namespace {

std::string rfc3339(std::int64_t wall_ms, bool with_ms) {
  std::time_t seconds = static_cast<std::time_t>(wall_ms >= 0 ? wall_ms / 1000 : (wall_ms - 999) / 1000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (with_ms) out += fmt::format(".{:03}", wall_ms - static_cast<std::int64_t>(seconds) * 1000);
  const long offset = parts.tm_gmtoff / 60;
  out += fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', std::labs(offset) / 60, std::labs(offset) % 60);
  return out;
}

bool number_at(std::string_view text, std::size_t at, std::size_t digits, int& out) {
  if (at + digits > text.size()) return false;
  const char* begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + digits, out);
  return error == std::errc() && end == begin + digits && *begin != '-';
}

}  // namespace

std::string rfc3339_ms(std::int64_t wall_ms) {
  return rfc3339(wall_ms, true);
}
std::string rfc3339_s(std::int64_t wall_ms) {
  return rfc3339(wall_ms, false);
}

std::optional<std::int64_t> parse_time(std::string_view text, std::int64_t unit_ms) {
  std::int64_t epoch = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epoch);
  if (!text.empty() && error == std::errc() && end == text.data() + text.size()) {
    constexpr std::int64_t kLatest = 253'402'300'799'000;  // the end of year 9999, in ms
    if (epoch < 0 || epoch > kLatest / unit_ms) return std::nullopt;
    return epoch * unit_ms;
  }
  // YYYY-MM-DDThh:mm:ss[.fff](Z|+hh:mm|-hh:mm)
  std::tm parts{};
  if (!number_at(text, 0, 4, parts.tm_year) || !number_at(text, 5, 2, parts.tm_mon) ||
      !number_at(text, 8, 2, parts.tm_mday) || !number_at(text, 11, 2, parts.tm_hour) ||
      !number_at(text, 14, 2, parts.tm_min) || !number_at(text, 17, 2, parts.tm_sec))
    return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' ||
      text[16] != ':')
    return std::nullopt;
  if (parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 || parts.tm_mday > 31 || parts.tm_hour > 23 ||
      parts.tm_min > 59 || parts.tm_sec > 60)
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  std::int64_t ms = 0;
  std::string_view rest = text.substr(19);
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    std::int64_t scale = 100;
    std::size_t digits = 0;
    for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits, scale /= 10)
      ms += (rest[digits] - '0') * scale;
    if (digits == 0) return std::nullopt;
    rest.remove_prefix(digits);
  }
  std::int64_t offset_s = 0;
  if (rest != "Z" && rest != "z") {
    int hours = 0;
    int minutes = 0;
    if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' || !number_at(rest, 1, 2, hours) ||
        !number_at(rest, 4, 2, minutes) || hours > 23 || minutes > 59)
      return std::nullopt;
    offset_s = (hours * 60 + minutes) * 60;
    if (rest[0] == '-') offset_s = -offset_s;
  }
  return (static_cast<std::int64_t>(timegm(&parts)) - offset_s) * 1000 + ms;
}

std::string memory_text(std::uint64_t bytes) {
  double value = static_cast<double>(bytes) / 1024;
  const char* unit = "K";
  for (const char* next : {"M", "G"}) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return fmt::format("{:.2f}{}", value, unit);
}

std::string base64(std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](std::size_t n) { return i + n < bytes.size() ? static_cast<unsigned char>(bytes[i + n]) : 0U; };
    const unsigned word = at(0) << 16 | at(1) << 8 | at(2);
    out += kAlphabet[word >> 18];
    out += kAlphabet[word >> 12 & 63U];
    out += i + 1 < bytes.size() ? kAlphabet[word >> 6 & 63U] : '=';
    out += i + 2 < bytes.size() ? kAlphabet[word & 63U] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    unsigned word = 0;
    std::size_t padding = 0;
    for (std::size_t n = 0; n < 4; ++n) {
      const char c = text[i + n];
      unsigned bits = 0;
      if (c >= 'A' && c <= 'Z') {
        bits = static_cast<unsigned>(c - 'A');
      } else if (c >= 'a' && c <= 'z') {
        bits = static_cast<unsigned>(c - 'a') + 26;
      } else if (c >= '0' && c <= '9') {
        bits = static_cast<unsigned>(c - '0') + 52;
      } else if (c == '+') {
        bits = 62;
      } else if (c == '/') {
        bits = 63;
      } else if (c == '=' && i + 4 == text.size() && n >= 2) {
        ++padding;
        word <<= 6;
        continue;
      } else {
        return std::nullopt;
      }
      if (padding != 0) return std::nullopt;
      word = word << 6 | bits;
    }
    out += static_cast<char>(word >> 16 & 0xFF);
    if (padding < 2) out += static_cast<char>(word >> 8 & 0xFF);
    if (padding < 1) out += static_cast<char>(word & 0xFF);
  }
  return out;
}

}  // namespace sb::management
