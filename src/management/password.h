// Passwords of users and secrets of API keys: rules, hashes, random text. Pure functions, any thread. Making and
// checking the hash of a password takes long on purpose: not on a loop.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sb::management {

/// 8 to 64 printable ASCII characters, two of: letters, digits, special ones. Invalid: says which rule is broken.
[[nodiscard]] Result<> check_password(std::string_view password);
/// ^[_a-zA-Z0-9]+$
[[nodiscard]] Result<> check_user_name(std::string_view name);
/// ^[A-Za-z][A-Za-z0-9_-]*$, at most 256 bytes
[[nodiscard]] Result<> check_key_name(std::string_view name);

/// "pbkdf2-sha512:<iterations>:<salt>:<hash>"
[[nodiscard]] Result<std::string> hash_password(std::string_view password);
/// Looks like one, costs as much to compare, and no password is known to match. Made without the work.
[[nodiscard]] Result<std::string> hash_of_nobody();
/// Of the form above, or EMQX's: four characters of salt and the SHA-256 of salt and password behind them.
bool password_matches(std::string_view stored, std::string_view password);
enum class PasswordForm : std::uint8_t { Unknown, Ours, Emqx };
PasswordForm password_form(std::string_view stored);

/// For secrets that nobody can guess: salt and one SHA-256, so that each request may check it.
[[nodiscard]] Result<std::string> hash_secret(std::string_view secret);
bool secret_matches(std::string_view stored, std::string_view secret);
bool secret_form_known(std::string_view stored);

/// `bytes` random bytes in base 62.
[[nodiscard]] Result<std::string> random_base62(std::size_t bytes);
/// SHA-256, raw.
std::string sha256(std::string_view data);
/// SHA-512 in lower-case hexadecimal, cut to `digits`.
std::string sha512_hex(std::string_view data, std::size_t digits);

}  // namespace sb::management
