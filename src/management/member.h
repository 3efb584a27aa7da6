// The filter `node` of lists: a node that stands alone has one member, itself.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

namespace sb::management {

/// Why this node is no filter for a list; nullopt: it is `own`, or none is asked for.
inline std::optional<std::string> not_a_member(const std::optional<std::string>& asked, std::string_view own) {
  if (!asked || *asked == own) return std::nullopt;
  return fmt::format("node '{}': not a member of the cluster", *asked);
}

}  // namespace sb::management
