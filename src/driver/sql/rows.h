// The answer to a query, whichever server gave it. A value type.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::driver::sql {

using Cell = std::optional<std::string>;  // nullopt: NULL

struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;  // each as long as columns
  std::size_t bytes = 0;                // of all values

  /// Position of a column, case-sensitive.
  std::optional<std::size_t> find(std::string_view column) const {
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (columns[i] == column) return i;
    return std::nullopt;
  }
};

/// What is read of one answer; more is an error, so that a query without a condition cannot fill the memory.
constexpr std::size_t kRowsMax = 10'000;
constexpr std::size_t kBytesMax = 8 << 20;

}  // namespace sb::driver::sql
