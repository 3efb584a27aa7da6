// Chains of authenticators: the root `authentication` and the same key of a listener. The keys of a mechanism are told
// by whoever builds it (LoadOptions::built_authn); this reads, checks and names them.
#pragma once

#include "config/schema.h"

#include <memory>
#include <string>
#include <vector>

namespace sb::config {

/// A mechanism that is built. Without a schema it is taken as it is written (tests).
struct AuthnMechanism {
  AuthnMechanism(const char* name) : id(name) {}  // NOLINT: lists of names are written down as literals
  AuthnMechanism(std::string name, const Struct* keys) : id(std::move(name)), schema(keys) {}
  std::string id;  // "password_based:built_in_database", "jwt"
  const Struct* schema = nullptr;
};

/// Keys that every authenticator has. The settings of a mechanism derive from it and begin their schema with
/// authn_schema().
struct AuthnCommon {
  std::string mechanism;
  std::string backend;  // "" = the mechanism has none
  bool enable = true;
};

template <class T>
Schema<T> authn_schema(std::string_view name, bool has_backend) {
  Schema<T> s(name, Hot::Y);
  s.field("mechanism", static_cast<std::string T::*>(&T::mechanism), {.doc = "How clients prove who they are."});
  if (has_backend)
    s.field("backend", static_cast<std::string T::*>(&T::backend), {.doc = "Where their proof is kept."});
  s.field("enable", static_cast<bool T::*>(&T::enable), {.def = "true", .doc = "Whether it is asked."});
  return s;
}

struct Authenticator {
  std::string id;  // mechanism[:backend]
  bool enable = true;
  Value value;                           // checked, defaults filled, secrets marked
  std::shared_ptr<const void> settings;  // what the mechanism's schema filled; null where there is none
};
/// In the order in which they are asked; ids are unique.
using AuthnChain = std::vector<Authenticator>;

/// "jwt", "password_based:redis"
std::string authn_id(const Value& authenticator);

/// Checks a chain and brings it into its normal shape, a list. A single object counts as a list of one. An
/// authenticator that is in force but not built is an error: a node must not start as if it were there.
AuthnChain read_authn_chain(Checker& c, Value& chain, const std::vector<AuthnMechanism>& built, bool in_use);

}  // namespace sb::config
