// The server's side of SCRAM (RFC 5802, 7677), without channel binding. Pure; any thread.
//   client-first   n,,n=user,r=cnonce
//   server-first   r=cnonce snonce,s=base64 salt,i=iterations
//   client-final   c=base64 gs2 header,r=nonce,p=base64 proof
//   server-final   v=base64 server signature
#pragma once

#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace sb::plugins::authn::scram::detail {

enum class Hash : std::uint8_t { Sha256, Sha512 };
std::size_t size_of(Hash hash);

/// What the server keeps of a password.
struct Verifier {
  std::string salt;
  std::uint32_t iterations = 0;
  std::string stored_key;
  std::string server_key;
};
[[nodiscard]] Result<Verifier> make_verifier(Hash hash, std::string_view password, std::string salt,
                                             std::uint32_t iterations);

struct ClientFirst {
  std::string gs2_header;  // "n,,"
  std::string bare;        // what follows it
  std::string user;        // unescaped
  std::string nonce;
};
/// nullopt: malformed, channel binding wanted, an authorization identity or a mandatory extension named.
std::optional<ClientFirst> parse_client_first(std::string_view text);

std::string server_first(const ClientFirst& client, std::string_view server_nonce, const Verifier& verifier);

/// The server-final message, or nullopt: nonce, binding or proof are wrong.
std::optional<std::string> finish(Hash hash, const ClientFirst& client, std::string_view server_first,
                                  std::string_view client_final, const Verifier& verifier);

/// Of SASLprep (RFC 4013) the part that refuses: control characters, private use, non-characters, what is not UTF-8.
/// Text is compared as it was sent.
bool acceptable(std::string_view text);

/// HMAC, for salts of users that do not exist.
std::string hmac(Hash hash, std::string_view key, std::string_view text);

}  // namespace sb::plugins::authn::scram::detail
