#include "management/order.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sb::management {

using config::Value;

std::size_t position_of(const Value::Array& members, NameOf name_of, std::string_view name) {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const Value& one) { return name_of(one) == name; });
  return static_cast<std::size_t>(found - members.begin());
}

std::optional<Value::Array> moved(Value::Array members, NameOf name_of, std::string_view name,
                                  std::string_view position) {
  const std::size_t from = position_of(members, name_of, name);
  if (from == members.size()) return std::nullopt;
  Value one = std::move(members[from]);
  members.erase(members.begin() + static_cast<std::ptrdiff_t>(from));
  std::size_t to = 0;
  if (position == "rear") {
    to = members.size();
  } else if (position.starts_with("before:") || position.starts_with("after:")) {
    const bool after = position.starts_with("after:");
    const std::size_t other = position_of(members, name_of, position.substr(after ? 6 : 7));
    if (other == members.size()) return std::nullopt;
    to = other + (after ? 1 : 0);
  } else if (position != "front") {
    return std::nullopt;
  }
  members.insert(members.begin() + static_cast<std::ptrdiff_t>(to), std::move(one));
  return members;
}

Result<Value::Array> in_order(Value::Array members, NameOf name_of, const std::vector<std::string>& names) {
  Value::Array out;
  for (const std::string& name : names) {
    const std::size_t at = position_of(members, name_of, name);
    if (at == members.size()) {
      const bool twice = position_of(out, name_of, name) != out.size();
      return fail(Errc::Invalid, fmt::format("'{}' {}", name, twice ? "is named twice" : "does not exist"));
    }
    out.push_back(std::move(members[at]));
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(at));
  }
  if (!members.empty()) return fail(Errc::Invalid, fmt::format("'{}' is missing", name_of(members.front())));
  return out;
}

}  // namespace sb::management
