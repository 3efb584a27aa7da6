// Text whose value is known only after substitution: `"${a}/b"`-like concatenations, `${a}` alone, and layers of which
// at least one is such. Immutable but for `resolving`, which finds cycles.
#pragma once

#include "config/value.h"

#include <string>
#include <vector>

namespace sb::config::detail {

struct Pending {
  enum class Kind : std::uint8_t { Substitution, Concat, Stack };
  Kind kind = Kind::Substitution;
  bool optional = false;  // ${?path}
  bool resolving = false;
  std::vector<std::string> path;    // Substitution: parts
  std::vector<std::string> prefix;  // Substitution: where the file was included
  std::vector<Value> parts;         // Concat: left to right; Stack: oldest first
};

/// Joins adjacent values of one concatenation: texts join, lists join, objects merge. False when kinds do not go
/// together.
bool concatenate(Value& left, Value right, Problems& problems);

}  // namespace sb::config::detail
