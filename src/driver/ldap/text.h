// Values of clients inside of LDAP texts, and whether such a text is one.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace sb::driver::ldap {

/// A value within a filter, RFC 4515 3: \ * ( ) NUL and every byte beyond ASCII as \xx.
std::string escape_filter(std::string_view value);
/// A value within a distinguished name, RFC 4514 2.4: , + " \ < > ; = and control characters, a leading # or space, a
/// trailing space.
std::string escape_dn(std::string_view value);

/// RFC 4515: and, or, not, the comparisons, presence, substrings, extensible match. Invalid: tells where.
[[nodiscard]] Result<> check_filter(std::string_view text);

}  // namespace sb::driver::ldap
