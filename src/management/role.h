// What users and API keys may do (management-api 3.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sb::management {

enum class Role : std::uint8_t { Administrator, Viewer, Publisher };

std::string_view to_string(Role role);
std::optional<Role> role_of(std::string_view text);

}  // namespace sb::management
