// What must not be seen although it is not held as a Secret.
#pragma once

#include <string_view>

namespace sb {

/// Whether a field of this name holds a secret: "password", "new_pwd", "api_secret", ... By the end of the name, any
/// case.
bool names_secret(std::string_view field);

/// A username as logs, traces and alarms may show it: one that is a JSON Web Token (jwt with `from = username`) is not.
std::string_view shown_username(std::string_view username);

}  // namespace sb
