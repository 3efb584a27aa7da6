// Password hashes (access-control 3): `password_hash_algorithm`, making and comparing them. Pure functions, any thread;
// bcrypt and pbkdf2 are slow on purpose and belong on runtime::Workers.
#pragma once

#include "base/result.h"
#include "config/schema.h"

#include <optional>
#include <string>
#include <string_view>

namespace sb::access::authn {

enum class HashName : std::uint8_t { Plain, Md5, Sha, Sha256, Sha512, Bcrypt, Pbkdf2 };
enum class SaltPosition : std::uint8_t { Prefix, Suffix, Disable };
enum class MacFunction : std::uint8_t { Md4, Md5, Ripemd160, Sha, Sha224, Sha256, Sha384, Sha512 };

struct PasswordHash {
  HashName name = HashName::Sha256;
  SaltPosition salt_position = SaltPosition::Prefix;
  std::uint32_t salt_rounds = 10;             // bcrypt
  MacFunction mac_fun = MacFunction::Sha256;  // pbkdf2
  std::uint32_t iterations = 4096;            // pbkdf2
  std::optional<std::uint32_t> dk_length;     // pbkdf2; unset = size of the hash
  bool slow() const { return name == HashName::Bcrypt || name == HashName::Pbkdf2; }
  static const config::Struct& schema();
};

struct Hashed {
  std::string hash;  // lower-case hexadecimal, modular crypt text, or the plain text
  std::string salt;
};

/// Whether a log-in may compare with such a hash: one that would take minutes matches no password.
[[nodiscard]] Result<> check_hash(const PasswordHash& how, std::string_view hash);

/// With a fresh salt. Invalid: longer than bcrypt can tell apart.
[[nodiscard]] Result<Hashed> hash_password(const PasswordHash& how, std::string_view password);
/// Constant time in the content of the hash. Whatever cannot be computed (an unknown salt, a hash of another kind) is
/// no match.
bool password_matches(const PasswordHash& how, std::string_view password, const Hashed& stored);

/// Equal in content; takes as long whatever differs.
bool equal_in_constant_time(std::string_view a, std::string_view b);
std::string to_hex(std::string_view bytes);
/// `size` random bytes as lower-case hexadecimal.
[[nodiscard]] Result<std::string> random_hex(std::size_t size);

}  // namespace sb::access::authn

template <>
struct sb::config::EnumNames<sb::access::authn::HashName> {
  static constexpr std::string_view names[] = {"plain", "md5", "sha", "sha256", "sha512", "bcrypt", "pbkdf2"};
};
template <>
struct sb::config::EnumNames<sb::access::authn::SaltPosition> {
  static constexpr std::string_view names[] = {"prefix", "suffix", "disable"};
};
template <>
struct sb::config::EnumNames<sb::access::authn::MacFunction> {
  static constexpr std::string_view names[] = {"md4",    "md5",    "ripemd160", "sha",
                                               "sha224", "sha256", "sha384",    "sha512"};
};
