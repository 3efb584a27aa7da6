// Keys that tokens are verified with: a shared secret, public keys in PEM, and JSON Web Keys (RFC 7517, 7518, 8037). An
// algorithm is bound to the type of a key: HS to a secret, RS and PS to RSA, ES to its curve, EdDSA to OKP; `none` is
// nobody's. Immutable, any thread.
#pragma once

#include "base/result.h"
#include "base/secret.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;

namespace sb::plugins::authn::jwt::detail {

struct Algorithm;
/// By the name in a token's header; null: not supported.
const Algorithm* find_algorithm(std::string_view name);

class Key {
 public:
  static Key of_secret(Secret secret);
  /// A public key or a certificate.
  [[nodiscard]] static Result<Key> of_pem(std::string_view pem);

  /// Takes the key over; null is an error.
  [[nodiscard]] static Result<Key> of_key(std::string id, std::string algorithm, evp_pkey_st* key);

  /// Whether `signature` is one of this key over `text`. False too where the algorithm is not for keys of this type.
  bool verifies(const Algorithm& algorithm, std::string_view text, std::string_view signature) const;

  std::string id;    // "kid"
  std::string only;  // "alg" of a JSON Web Key: the one algorithm that it is for

 private:
  Secret secret_;
  std::shared_ptr<evp_pkey_st> key_;  // null: a secret
};

using KeySet = std::vector<Key>;

/// A JSON Web Key Set. Keys that are of no use here (unknown types, for encryption) are left out.
[[nodiscard]] Result<KeySet> read_key_set(std::string_view text);

}  // namespace sb::plugins::authn::jwt::detail
