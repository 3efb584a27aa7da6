// Base64 of RFC 4648: with padding (section 4), and for URLs without it (section 5). Decoding is strict.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sb::access::authn {

std::string base64(std::string_view bytes);
std::optional<std::string> decode_base64(std::string_view text);
/// Padding may be there or not.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace sb::access::authn
