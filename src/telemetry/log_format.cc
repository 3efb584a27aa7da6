#include "telemetry/log_format.h"

#include "base/json_text.h"
#include "base/secret.h"

#include <algorithm>
#include <ctime>

namespace sb::telemetry {

namespace {

/// What a reader looks for first stands first.
constexpr std::string_view kFirst[] = {"mfa", "peername", "clientid", "topic"};

void append_plain(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\n')
      out += ", ";
    else if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F)
      out += c;
    else if (c != '\r')
      out += ' ';
  }
}

std::string_view shown(const log::Field& field) {
  return secret_key(field.key) ? kMasked : std::string_view(field.value);
}

template <class Fn>
void in_order(const log::Record& record, Fn&& fn) {
  for (const std::string_view first : kFirst)
    for (const log::Field& field : record.fields)
      if (field.key == first) fn(field);
  for (const log::Field& field : record.fields)
    if (std::find(std::begin(kFirst), std::end(kFirst), field.key) == std::end(kFirst)) fn(field);
}

/// "nan" and "inf" are no JSON.
bool bare_json(const log::Field& field) {
  if (field.quoted || field.value.empty() || secret_key(field.key)) return false;
  const char first = field.value.front();
  const char last = field.value.back();
  if (first == '{' || first == '[') return true;  // of the audit log: JSON already
  return field.value == "true" || field.value == "false" || (last >= '0' && last <= '9');
}

}  // namespace

bool secret_key(std::string_view key) {
  for (const std::string_view word :
       {"password", "passwd", "secret", "token", "cookie", "private_key", "authorization_header"})
    if (key.find(word) != key.npos) return true;
  return false;
}

std::optional<int> parse_time_offset(std::string_view text) {
  if (text == "utc") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto digit = [text](std::size_t i) { return text[i] - '0'; };
  const int seconds = ((digit(1) * 10 + digit(2)) * 60 + digit(4) * 10 + digit(5)) * 60;
  return text[0] == '-' ? -seconds : seconds;
}

std::string to_text(const log::Record& record, std::optional<int> offset_s) {
  const std::time_t seconds = record.wall_us / 1'000'000;
  tm parts{};
  if (offset_s) {
    const std::time_t shifted = seconds + *offset_s;
    gmtime_r(&shifted, &parts);
  } else {
    localtime_r(&seconds, &parts);
  }
  const long east = offset_s ? *offset_s : parts.tm_gmtoff;
  const long minutes = (east < 0 ? -east : east) / 60;
  std::string out = fmt::format(
      "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}{}{:02}:{:02} [{}] msg: ", parts.tm_year + 1900, parts.tm_mon + 1,
      parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, record.wall_us % 1'000'000, east < 0 ? '-' : '+',
      minutes / 60, minutes % 60, log::to_string(record.level));
  append_plain(out, record.event);
  in_order(record, [&out](const log::Field& field) {
    out += ", ";
    out += field.key;
    out += ": ";
    append_plain(out, shown(field));
  });
  out += '\n';
  return out;
}

std::string to_json(const log::Record& record) {
  JsonObject out;
  out.number("time", record.wall_us).text("level", log::to_string(record.level)).text("msg", record.event);
  in_order(record, [&out](const log::Field& field) {
    if (bare_json(field))
      out.raw(field.key, field.value);
    else
      out.text(field.key, shown(field));
  });
  return out.done() + '\n';
}

}  // namespace sb::telemetry
