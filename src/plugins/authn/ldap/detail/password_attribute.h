// The value of userPassword (RFC 2307 5.3, access-control 4.7): {MD5}, {SHA}, {SHA256}, {SHA384}, {SHA512}, {SSHA} with
// base64 behind it; the whole may be base64 once more.
#pragma once

#include "base/result.h"

#include <string_view>

namespace sb::plugins::authn::ldap::detail {

/// Whether the password is that of the attribute. Unsupported, Invalid: the attribute cannot be read.
[[nodiscard]] Result<bool> matches(std::string_view attribute, std::string_view password);

}  // namespace sb::plugins::authn::ldap::detail
