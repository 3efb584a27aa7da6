#include "management/password.h"

#include "access/authn/password.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace sb::management {

namespace {

/// OWASP's figure for PBKDF2 with SHA-512 (2023): about a tenth of a second of one core.
constexpr int kIterations = 210'000;
constexpr int kIterationsMax = 2'000'000;
constexpr std::size_t kHashBytes = 32;
constexpr std::string_view kScheme = "pbkdf2-sha512:";
constexpr std::size_t kLegacySalt = 4;
constexpr std::size_t kLegacySize = kLegacySalt + 32;
constexpr std::size_t kSecretSalt = 16;

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}

std::string derive(std::string_view password, std::string_view salt, int iterations) {
  std::string out(kHashBytes, '\0');
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                    reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), iterations,
                    EVP_sha512(), static_cast<int>(out.size()), reinterpret_cast<unsigned char*>(out.data()));
  return access::authn::to_hex(out);
}

std::string digest(const EVP_MD* how, std::string_view data) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), &size, how, nullptr);
  out.resize(size);
  return out;
}

struct Derived {
  int iterations = 0;
  std::string_view salt;
  std::string_view hash;
};
/// nullopt: not of our form. What comes from a backup must not cost more than it should.
std::optional<Derived> parse(std::string_view stored) {
  if (!stored.starts_with(kScheme)) return std::nullopt;
  stored.remove_prefix(kScheme.size());
  Derived out;
  const auto [end, failed] = std::from_chars(stored.data(), stored.data() + stored.size(), out.iterations);
  if (failed != std::errc() || out.iterations <= 0 || out.iterations > kIterationsMax) return std::nullopt;
  stored.remove_prefix(static_cast<std::size_t>(end - stored.data()));
  const auto colon = stored.find(':', 1);
  if (!stored.starts_with(':') || colon == std::string_view::npos) return std::nullopt;
  out.salt = stored.substr(1, colon - 1);
  out.hash = stored.substr(colon + 1);
  return out.hash.size() == kHashBytes * 2 ? std::optional(out) : std::nullopt;
}

bool legacy_matches(std::string_view stored, std::string_view password) {
  if (stored.size() <= kLegacySalt) return false;
  const std::string_view salt = stored.substr(0, kLegacySalt);
  return access::authn::equal_in_constant_time(stored.substr(kLegacySalt),
                                               sha256(std::string(salt) + std::string(password)));
}

}  // namespace

Result<> check_password(std::string_view password) {
  if (password.size() < 8 || password.size() > 64) return fail(Errc::Invalid, "The range of password length is 8~64");
  bool letters = false;
  bool digits = false;
  bool others = false;
  for (const char c : password) {
    if (c < 0x20 || c > 0x7E) return fail(Errc::Invalid, "only ascii characters are allowed in the password");
    letters = letters || letter(c);
    digits = digits || digit(c);
    others = others || (!letter(c) && !digit(c));
  }
  if (letters + digits + others < 2)
    return fail(Errc::Invalid,
                "The password must have at least two different types of characters: letters, numbers, special ones");
  return {};
}

Result<> check_user_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= 256 &&
                    std::all_of(name.begin(), name.end(), [](char c) { return letter(c) || digit(c) || c == '_'; });
  if (good) return {};
  return fail(Errc::Invalid, "Bad Username. Only upper and lower case letters, numbers and underscores are supported");
}

Result<> check_key_name(std::string_view name) {
  const bool good =
      !name.empty() && name.size() <= 256 && letter(name.front()) &&
      std::all_of(name.begin(), name.end(), [](char c) { return letter(c) || digit(c) || c == '_' || c == '-'; });
  if (good) return {};
  return fail(Errc::Invalid, "name: expected a letter, then letters, digits, '_' or '-', at most 256 characters");
}

Result<std::string> hash_password(std::string_view password) {
  SB_TRY(const std::string salt, access::authn::random_hex(16));
  return fmt::format("{}{}:{}:{}", kScheme, kIterations, salt, derive(password, salt, kIterations));
}

Result<std::string> hash_of_nobody() {
  SB_TRY(const std::string salt, access::authn::random_hex(16));
  SB_TRY(const std::string hash, access::authn::random_hex(kHashBytes));
  return fmt::format("{}{}:{}:{}", kScheme, kIterations, salt, hash);
}

bool password_matches(std::string_view stored, std::string_view password) {
  const auto ours = parse(stored);
  if (!ours) return legacy_matches(stored, password);
  return access::authn::equal_in_constant_time(ours->hash, derive(password, ours->salt, ours->iterations));
}

PasswordForm password_form(std::string_view stored) {
  if (parse(stored)) return PasswordForm::Ours;
  return stored.size() == kLegacySize && !stored.starts_with(kScheme) ? PasswordForm::Emqx : PasswordForm::Unknown;
}

bool secret_form_known(std::string_view stored) {
  return stored.size() == kLegacySize || (stored.find(':') == kSecretSalt && stored.size() == kSecretSalt + 1 + 64);
}

Result<std::string> hash_secret(std::string_view secret) {
  SB_TRY(const std::string salt, access::authn::random_hex(8));
  return salt + ":" + access::authn::to_hex(sha256(salt + std::string(secret)));
}

bool secret_matches(std::string_view stored, std::string_view secret) {
  const auto colon = stored.find(':');
  if (colon != kSecretSalt) return legacy_matches(stored, secret);
  return access::authn::equal_in_constant_time(
      stored.substr(colon + 1),
      access::authn::to_hex(sha256(std::string(stored.substr(0, colon)) + std::string(secret))));
}

Result<std::string> random_base62(std::size_t bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string number(bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(number.data()), static_cast<int>(bytes)) != 1)
    return fail(Errc::Unavailable, "no random numbers");
  // Long division of the number by 62 until nothing is left.
  std::string out;
  while (std::any_of(number.begin(), number.end(), [](char c) { return c != 0; })) {
    unsigned rest = 0;
    for (char& c : number) {
      const unsigned value = rest * 256 + static_cast<unsigned char>(c);
      c = static_cast<char>(value / 62);
      rest = value % 62;
    }
    out += kDigits[rest];
  }
  return out;
}

std::string sha256(std::string_view data) {
  return digest(EVP_sha256(), data);
}

std::string sha512_hex(std::string_view data, std::size_t digits) {
  return access::authn::to_hex(digest(EVP_sha512(), data)).substr(0, digits);
}

}  // namespace sb::management
