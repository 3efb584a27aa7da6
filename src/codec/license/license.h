// Licence keys: base64(payload) "." base64(DER signature), ECDSA P-256 with SHA-256 over the payload. The payload is
// nine lines: format 220111, type, customer type, customer, e-mail, deployment, first day YYYYMMDD, days, connections.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sb::codec::license {

enum class Type : std::uint8_t { Trial = 0, Official = 1 };
std::string_view to_string(Type type);

enum class Customer : std::uint8_t { Small = 0, Medium = 1, Large = 2, Evaluation = 10 };

struct Terms {
  Type type = Type::Trial;
  Customer customer_type = Customer::Evaluation;
  std::string customer;
  std::string email;
  std::string deployment;
  std::int64_t start_day = 0;  // days since 1970-01-01
  std::int64_t days = 0;
  std::uint64_t max_connections = 0;
  std::int64_t expiry_day() const { return start_day + days; }
};

/// "2024-01-09"
std::string day_text(std::int64_t day);
/// Of "20240109". Invalid: no such day.
[[nodiscard]] Result<std::int64_t> parse_day(std::string_view yyyymmdd);

/// Invalid, without saying what: a key is good or it is not.
[[nodiscard]] Result<Terms> parse_payload(std::string_view payload);
/// Invalid: a field that a payload cannot hold.
[[nodiscard]] Result<std::string> make_payload(const Terms& terms);

/// The terms of a key that one of these public keys (PEM) vouches for. Denied: none does.
[[nodiscard]] Result<Terms> verify(std::string_view key, const std::vector<std::string>& public_keys);
/// A key signed with a private key (PEM, P-256).
[[nodiscard]] Result<std::string> issue(const Terms& terms, std::string_view private_key);

/// PEM of a P-256 public key. Invalid: something else.
[[nodiscard]] Result<> check_public_key(std::string_view pem);

struct KeyPair {
  std::string private_key, public_key;  // PEM
};
[[nodiscard]] Result<KeyPair> make_key_pair();

/// Whose keys count without any configuration.
extern const char* const kBuiltInPublicKey;

}  // namespace sb::codec::license
