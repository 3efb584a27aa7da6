#include "plugins/authn/scram/detail/exchange.h"

#include "access/authn/base64.h"
#include "access/authn/password.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>

namespace sb::plugins::authn::scram::detail {

using access::authn::base64;
using access::authn::decode_base64;

namespace {

const char* name_of(Hash hash) {
  return hash == Hash::Sha256 ? "SHA256" : "SHA512";
}

std::string digest(Hash hash, std::string_view text) {
  std::string out(size_of(hash), '\0');
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, name_of(hash), nullptr, text.data(), text.size(),
                   reinterpret_cast<unsigned char*>(out.data()), &size) != 1)
    out.clear();
  return out;
}

std::string combined(std::string_view a, std::string_view b) {
  std::string out(a);
  for (std::size_t i = 0; i < out.size() && i < b.size(); ++i) out[i] = static_cast<char>(out[i] ^ b[i]);
  return out;
}

/// "x=value" at the front up to the next comma; taken off.
std::optional<std::string_view> attribute(std::string_view& text, char name) {
  if (text.size() < 2 || text[0] != name || text[1] != '=') return std::nullopt;
  const auto end = text.find(',');
  const std::string_view value = text.substr(2, end == std::string_view::npos ? end : end - 2);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return value;
}

/// =2C and =3D, and no other use of '='.
std::optional<std::string> unescape(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '=') {
      out += name[i];
      continue;
    }
    const std::string_view code = name.substr(i + 1, 2);
    if (code == "2C")
      out += ',';
    else if (code == "3D")
      out += '=';
    else
      return std::nullopt;
    i += 2;
  }
  return out;
}

bool printable(std::string_view nonce) {
  if (nonce.empty()) return false;
  for (const char c : nonce)
    if (c < 0x21 || c > 0x7E || c == ',') return false;
  return true;
}

}  // namespace

std::size_t size_of(Hash hash) {
  return hash == Hash::Sha256 ? 32 : 64;
}

std::string hmac(Hash hash, std::string_view key, std::string_view text) {
  std::string out(size_of(hash), '\0');
  std::size_t size = 0;
  if (!EVP_Q_mac(nullptr, "HMAC", nullptr, name_of(hash), nullptr, key.data(), key.size(),
                 reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                 reinterpret_cast<unsigned char*>(out.data()), out.size(), &size)) {
    ERR_clear_error();
    out.clear();
  }
  return out;
}

Result<Verifier> make_verifier(Hash hash, std::string_view password, std::string salt, std::uint32_t iterations) {
  if (!acceptable(password)) return fail(Errc::Invalid, "password: prohibited characters");
  std::string salted(size_of(hash), '\0');
  const EVP_MD* md = hash == Hash::Sha256 ? EVP_sha256() : EVP_sha512();
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                        reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                        static_cast<int>(iterations), md, static_cast<int>(salted.size()),
                        reinterpret_cast<unsigned char*>(salted.data())) != 1) {
    ERR_clear_error();
    return fail(Errc::Unsupported, "this password cannot be hashed");
  }
  Verifier out;
  out.stored_key = digest(hash, hmac(hash, salted, "Client Key"));
  out.server_key = hmac(hash, salted, "Server Key");
  out.salt = std::move(salt);
  out.iterations = iterations;
  OPENSSL_cleanse(salted.data(), salted.size());
  return out;
}

std::optional<ClientFirst> parse_client_first(std::string_view text) {
  ClientFirst out;
  // gs2: "n" or "y" (the client could bind channels but thinks we cannot), no authorization identity.
  if (!text.starts_with("n,,") && !text.starts_with("y,,")) return std::nullopt;
  out.gs2_header = text.substr(0, 3);
  text.remove_prefix(3);
  out.bare = text;
  const auto user = attribute(text, 'n');  // "m=" in front is a mandatory extension: refused
  const auto nonce = user ? attribute(text, 'r') : std::nullopt;
  if (!user || !nonce || user->empty() || !printable(*nonce)) return std::nullopt;
  const auto name = unescape(*user);
  if (!name || !acceptable(*name)) return std::nullopt;
  out.user = *name;
  out.nonce = *nonce;
  return out;
}

std::string server_first(const ClientFirst& client, std::string_view server_nonce, const Verifier& verifier) {
  return fmt::format("r={}{},s={},i={}", client.nonce, server_nonce, base64(verifier.salt), verifier.iterations);
}

std::optional<std::string> finish(Hash hash, const ClientFirst& client, std::string_view server_first,
                                  std::string_view client_final, const Verifier& verifier) {
  const auto proof_at = client_final.rfind(",p=");
  if (proof_at == std::string_view::npos) return std::nullopt;
  const std::string_view without_proof = client_final.substr(0, proof_at);
  const auto proof = decode_base64(client_final.substr(proof_at + 3));
  std::string_view rest = without_proof;
  const auto binding = attribute(rest, 'c');
  const auto nonce = binding ? attribute(rest, 'r') : std::nullopt;
  std::string_view expected = server_first;
  const auto whole_nonce = attribute(expected, 'r');
  if (!binding || !nonce || !proof || !whole_nonce || proof->size() != size_of(hash)) return std::nullopt;
  if (decode_base64(*binding) != client.gs2_header || *nonce != *whole_nonce) return std::nullopt;
  const std::string message = fmt::format("{},{},{}", client.bare, server_first, without_proof);
  const std::string client_key = combined(*proof, hmac(hash, verifier.stored_key, message));
  if (!access::authn::equal_in_constant_time(digest(hash, client_key), verifier.stored_key)) return std::nullopt;
  return "v=" + base64(hmac(hash, verifier.server_key, message));
}

bool acceptable(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : (lead & 0xF0) == 0xE0       ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
    if (size == 0 || i + size > text.size()) return false;
    constexpr std::array<unsigned, 5> kMasks = {0, 0x7F, 0x1F, 0x0F, 0x07};
    std::uint32_t point = lead & kMasks[size];
    for (std::size_t k = 1; k < size; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      point = point << 6 | (next & 0x3FU);
    }
    constexpr std::array<std::uint32_t, 5> kLowest = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kLowest[size] || point > 0x10FFFF) return false;
    const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
    const bool surrogate = point >= 0xD800 && point < 0xE000;
    const bool private_use = (point >= 0xE000 && point < 0xF900) || point >= 0xF0000;
    const bool none = (point & 0xFFFE) == 0xFFFE || (point >= 0xFDD0 && point <= 0xFDEF);
    if (control || surrogate || private_use || none) return false;
    i += size;
  }
  return true;
}

}  // namespace sb::plugins::authn::scram::detail
