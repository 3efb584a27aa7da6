// A JSON Web Token in its compact form (RFC 7515, 7519): taken apart, its claims judged. Pure, any thread.
#pragma once

#include "access/acl.h"
#include "access/gate.h"
#include "plugins/authn/jwt/detail/keys.h"

#include <boost/json/object.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sb::plugins::authn::jwt::detail {

struct Token {
  std::string algorithm;
  std::string key_id;
  boost::json::object claims;
  std::string_view signed_text;  // within the token
  std::string signature;
};
/// nullopt: not a token, or one with a critical header that nobody here knows.
std::optional<Token> parse_token(std::string_view text);

/// By a key of the set: the one that the token names first, then every other that its algorithm is for.
bool verify_token(const Token& token, const KeySet& keys);
/// Whether the set has the key that the token names; true if it names none.
bool names_known_key(const Token& token, const KeySet& keys);

/// Claim and what it must be: a text, or exactly ${clientid} or ${username}.
using Required = std::vector<std::pair<std::string, std::string>>;

/// exp, nbf and iat against the clock, and what is required. Times are numbers or numeric text, without leeway.
bool claims_hold(const boost::json::object& claims, const Required& required, const access::Subject& subject,
                 std::int64_t now_s);
/// Seconds; nullopt: absent or not a time.
std::optional<std::int64_t> time_claim(const boost::json::object& claims, std::string_view name);
/// true, "true", "1", a number or numeric text from 1 on (access-control 2.2); anything else is false.
bool truth_claim(const boost::json::object& claims, std::string_view name);

/// The rules of an ACL claim: a map of pub, sub and all (what does not match is denied) or the list of EMQX 5.5 (what
/// does not match is for others to decide). Null: no such claim, or of another shape.
std::shared_ptr<const access::ClientRules> rules_of(const boost::json::object& claims, std::string_view name);

}  // namespace sb::plugins::authn::jwt::detail
