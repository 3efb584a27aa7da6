#include "config/detail/schema_info.h"

#include "base/secret_name.h"

#include <fmt/format.h>

#include <numeric>

namespace sb::config::detail {
namespace {

std::string number(const Key& key, double n) {
  if (key.type.starts_with("duration")) {
    const auto ms = static_cast<std::int64_t>(n);
    return ms % 1000 == 0 && ms != 0 ? fmt::format("{}s", ms / 1000) : fmt::format("{}ms", ms);
  }
  if (n == static_cast<double>(static_cast<std::int64_t>(n))) return std::to_string(static_cast<std::int64_t>(n));
  return fmt::format("{}", n);
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string brief_expectation(const Key& key) {
  std::string out = key.type;
  if (!key.symbols.empty())
    out = fmt::format("{} {}", key.shape == Key::Shape::List ? "list of" : "one of", fmt::join(key.symbols, ", "));
  const bool low = key.opts.min > -kUnbounded;
  const bool high = key.opts.max < kUnbounded;
  if (key.type == "string" || key.type == "path" || key.type == "secret") {
    if (low && key.opts.min >= 1) out += ", not empty";
  } else if (low && high) {
    out += fmt::format(" {}..{}", number(key, key.opts.min), number(key, key.opts.max));
  } else if (low) {
    out += fmt::format(" from {}", number(key, key.opts.min));
  } else if (high) {
    out += fmt::format(" up to {}", number(key, key.opts.max));
  }
  if (key.type == "percent") out += " 0%..100% or 0.0..1.0";
  std::string_view words = key.opts.words;
  while (!words.empty()) {
    const auto space = words.find(' ');
    out += fmt::format(" or {}", words.substr(0, space));
    words = space == words.npos ? std::string_view{} : words.substr(space + 1);
  }
  return out;
}

std::string expectation(const Key& key) {
  std::string out = brief_expectation(key);
  if (key.type == "size") out += ", such as 512KB or 1MB";
  if (key.type.starts_with("duration")) out += ", such as 15s or 1h30m";
  if (key.type == "rate") out += ", such as 1000/s, 1MB/10s or infinity";
  if (key.type == "ip:port") out += ", such as 1883, 0.0.0.0:1883 or [::1]:1883";
  return out;
}

std::string_view nearest(const Struct& s, std::string_view wrong) {
  std::string_view best;
  if (wrong.size() > 64) return best;
  std::size_t best_distance = std::max<std::size_t>(2, wrong.size() / 3) + 1;
  for (const Key& key : s.keys) {
    const std::size_t d = distance(wrong, key.name);
    if (d < best_distance) {
      best_distance = d;
      best = key.name;
    }
  }
  return best;
}

bool sounds_secret(std::string_view key) {
  return names_secret(key) || key == "key";
}

}  // namespace sb::config::detail
