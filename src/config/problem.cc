#include "config/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace sb::config {

void Problems::sort() {
  std::stable_sort(list_.begin(), list_.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.file, a.line) < std::tie(b.file, b.line);
  });
  std::set<std::string> told;
  std::erase_if(list_, [&](const Problem& one) { return !told.insert(to_string(one)).second; });
}

void Problems::append(const Problems& other) {
  for (const Problem& p : other) add(p);
  dropped_ += other.dropped_;
}

std::string to_string(const Problem& p) {
  std::string out;
  if (!p.file.empty()) {
    out += p.file;
    if (p.line != 0) out += fmt::format(":{}", p.line);
    out += ": ";
  }
  if (!p.path.empty()) out += p.path;
  if (!p.value.empty()) out += fmt::format("{}{}", p.path.empty() ? "" : " = ", p.value);
  if (!p.path.empty() || !p.value.empty()) out += ": ";
  if (!p.expected.empty()) {
    const bool wanted = p.reason != "not_built" && p.reason != "config_not_used";  // those say it in whole sentences
    out += fmt::format("{}{} ({})", wanted ? "expected " : "", p.expected, p.reason);
  } else {
    out += p.reason;
  }
  return out;
}

}  // namespace sb::config
