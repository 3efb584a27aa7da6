// What is wrong with a configuration, precise enough to mend it without a manual. Collected, never thrown: all problems
// of a load are told at once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sb::config {

struct Problem {
  std::string file;  // or "environment variable X"; "" for what has no place, such as a missing key
  std::uint32_t line = 0;
  std::string path;      // dotted key path
  std::string reason;    // EMQX's symbol: unknown_fields, not_a_enum_symbol, required_field, scan_error, ...
  std::string value;     // as written; secrets as ******
  std::string expected;  // what would be right, for people
};

/// At most kMax are kept; `dropped` counts the rest, so that a broken file cannot flood a terminal.
class Problems {
 public:
  static constexpr std::size_t kMax = 200;
  void add(Problem problem) {
    if (list_.size() < kMax) {
      list_.push_back(std::move(problem));
    } else {
      ++dropped_;
    }
  }
  bool empty() const { return list_.empty(); }
  std::size_t size() const { return list_.size(); }
  std::size_t dropped() const { return dropped_; }
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  const Problem& operator[](std::size_t i) const { return list_[i]; }
  /// By file and line, as a reader meets them; what two rules found alike once.
  void sort();
  void append(const Problems& other);

 private:
  std::vector<Problem> list_;
  std::size_t dropped_ = 0;
};

/// "emqx.conf:12: mqtt.max_inflight = 0: expected integer 1..65535 (out_of_range)"
std::string to_string(const Problem& problem);

}  // namespace sb::config
