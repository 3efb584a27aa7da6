// Which fields hold what must not be seen.
#pragma once

#include <string_view>

namespace sb {

/// Whether a field of this name holds a secret: "password", "new_pwd", "api_secret", ... By the end of the name, any
/// case.
bool names_secret(std::string_view field);

}  // namespace sb
