#include "config/units.h"

#include "base/regular_file.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace sb::config {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// Takes a non-negative decimal number off the front.
std::optional<double> take_number(std::string_view& text) {
  const auto end = text.find_first_not_of("0123456789.");
  const std::string_view digits = text.substr(0, end);
  if (digits.empty() || digits.front() == '.' || digits.back() == '.') return std::nullopt;
  double value = 0;
  const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (r.ec != std::errc{} || r.ptr != digits.data() + digits.size()) return std::nullopt;
  text.remove_prefix(digits.size());
  return value;
}

std::string_view take_letters(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && text[n] >= 'a' && text[n] <= 'z') ++n;
  const std::string_view out = text.substr(0, n);
  text.remove_prefix(n);
  return out;
}

constexpr double kUs = 1, kMs = 1e3, kS = 1e6, kM = 60 * kS, kH = 60 * kM, kD = 24 * kH;

std::optional<double> unit_us(std::string_view unit) {
  if (unit == "ms") return kMs;
  if (unit == "s") return kS;
  if (unit == "m") return kM;
  if (unit == "h") return kH;
  if (unit == "d") return kD;
  if (unit == "w") return 7 * kD;
  if (unit == "f") return 14 * kD;
  if (unit == "us") return kUs;
  return std::nullopt;
}

std::optional<std::uint64_t> size_factor(std::string_view unit) {
  if (unit.empty() || unit == "b") return 1;
  if (unit == "kb") return 1ull << 10;
  if (unit == "mb") return 1ull << 20;
  if (unit == "gb") return 1ull << 30;
  return std::nullopt;
}

/// Digits of an unsigned number taken off the front.
std::optional<std::uint64_t> take_integer(std::string_view& text) {
  std::uint64_t value = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), value);
  if (r.ec != std::errc{} || r.ptr == text.data()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(r.ptr - text.data()));
  return value;
}

std::optional<std::uint64_t> scaled(std::uint64_t amount, std::uint64_t factor) {
  std::uint64_t out = 0;
  if (__builtin_mul_overflow(amount, factor, &out) || out > (1ull << 62)) return std::nullopt;
  return out;
}

bool is_address(const std::string& host) {
  unsigned char buffer[16];
  return inet_pton(host.find(':') == host.npos ? AF_INET : AF_INET6, host.c_str(), buffer) == 1;
}

}  // namespace

std::optional<microseconds> parse_duration(std::string_view raw, microseconds plain, bool allow_us) {
  const std::string text = lower(trim(raw));
  std::string_view rest = text;
  if (rest.empty()) return std::nullopt;
  double total = 0;
  bool first = true;
  while (!rest.empty()) {
    const auto number = take_number(rest);
    if (!number) return std::nullopt;
    const std::string_view unit = take_letters(rest);
    if (unit.empty()) {
      if (!first || !rest.empty()) return std::nullopt;  // "1h5"
      total = *number * static_cast<double>(plain.count());
      break;
    }
    if (unit == "us" && !allow_us) return std::nullopt;
    const auto factor = unit_us(unit);
    if (!factor) return std::nullopt;
    total += *number * *factor;
    first = false;
  }
  if (!(total < 9e18)) return std::nullopt;
  return microseconds(static_cast<std::int64_t>(std::llround(total)));
}

std::optional<std::uint64_t> parse_size(std::string_view raw) {
  const std::string text = lower(trim(raw));
  std::string_view rest = text;
  const auto amount = take_integer(rest);
  if (!amount) return std::nullopt;
  const auto factor = size_factor(take_letters(rest));
  if (!factor || !rest.empty()) return std::nullopt;
  return scaled(*amount, *factor);
}

std::optional<Percent> parse_percent(std::string_view raw) {
  std::string_view text = trim(raw);
  const bool hundredths = text.ends_with('%');
  if (hundredths) text.remove_suffix(1);
  const auto number = take_number(text);
  if (!number || !text.empty()) return std::nullopt;
  const double value = hundredths ? *number / 100 : *number;
  if (value < 0 || value > 1) return std::nullopt;
  return Percent{value};
}

std::optional<Rate> parse_rate(std::string_view raw) {
  std::string text;
  for (const char c : lower(raw)) {
    if (c != ' ' && c != '\t') text += c;
  }
  if (text == "infinity") return Rate{};
  std::string_view rest = text;
  const auto amount = take_integer(rest);
  if (!amount || *amount == 0) return std::nullopt;
  const auto factor = size_factor(take_letters(rest));
  if (!factor) return std::nullopt;
  const auto total = scaled(*amount, *factor);
  if (!total) return std::nullopt;
  Rate rate{.amount = *total};
  if (rest.empty()) return rate;
  if (rest.front() != '/') return std::nullopt;
  rest.remove_prefix(1);
  std::uint64_t times = 1;
  if (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
    const auto n = take_integer(rest);
    if (!n || *n == 0 || *n > 1'000'000) return std::nullopt;
    times = *n;
  }
  const std::string_view unit = take_letters(rest);
  const auto us = unit_us(unit);
  if (!us || !rest.empty() || unit == "us" || unit == "w" || unit == "f") return std::nullopt;
  rate.per = milliseconds(static_cast<std::int64_t>(*us / kMs) * static_cast<std::int64_t>(times));
  return rate;
}

std::optional<Bind> parse_bind(std::string_view raw) {
  const std::string_view text = trim(raw);
  const auto colon = text.rfind(':');
  std::string_view host = colon == text.npos ? std::string_view{} : text.substr(0, colon);
  std::string_view port = colon == text.npos ? text : text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == host.npos) return std::nullopt;
  }
  const auto number = take_integer(port);
  if (!number || *number > 65535 || !port.empty()) return std::nullopt;
  Bind out{.host = std::string(host), .port = static_cast<std::uint16_t>(*number)};
  if (!host.empty() && !is_address(out.host)) return std::nullopt;
  return out;
}

std::string to_string(const Bind& bind) {
  const std::string host = bind.host.empty() ? "0.0.0.0" : bind.host;
  return bind.v6() ? fmt::format("[{}]:{}", host, bind.port) : fmt::format("{}:{}", host, bind.port);
}

Result<Secret> resolve_secret(const Secret& secret) {
  constexpr std::string_view kScheme = "file://";
  if (!secret.reveal().starts_with(kScheme)) return secret;
  const std::string path = secret.reveal().substr(kScheme.size());
  constexpr std::size_t kBytesMax = 1 << 20;
  auto read = read_regular_file(path, kBytesMax);
  if (!read) return fail(read.error().code, fmt::format("failed_to_read_secret_file {}: {}", path, read.error().what));
  std::string content = *std::move(read);
  const auto last = content.find_last_not_of(" \t\r\n");
  content.resize(last == content.npos ? 0 : last + 1);
  return Secret(std::move(content));
}

}  // namespace sb::config
