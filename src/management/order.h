// The order of the members of a list in the configuration that have names: authenticators, authorization sources.
#pragma once

#include "base/result.h"
#include "config/value.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::management {

using NameOf = std::string (*)(const config::Value& member);

/// Where the member of this name is; the size of the list where there is none.
std::size_t position_of(const config::Value::Array& members, NameOf name_of, std::string_view name);

/// Moves `name` as `position` says: front, rear, before:NAME, after:NAME. nullopt: not a position, or it names nobody.
std::optional<config::Value::Array> moved(config::Value::Array members, NameOf name_of, std::string_view name,
                                          std::string_view position);

/// All members in the order of `names`. Invalid, with what is wrong: one is missing, unknown or named twice.
[[nodiscard]] Result<config::Value::Array> in_order(config::Value::Array members, NameOf name_of,
                                                    const std::vector<std::string>& names);

}  // namespace sb::management
