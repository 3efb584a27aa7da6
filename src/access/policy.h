// Everything that access control takes from the configuration: an immutable snapshot shared by all shards. A change
// makes a new one and gives it to AccessControl::set_policy. Sources and authenticators are factories: each shard makes
// its own instances, so that a back end may keep state per shard. The configuration picks factories by type.
#pragma once

#include "access/acl.h"
#include "access/authorizer.h"
#include "access/failure_limit.h"
#include "access/flapping.h"
#include "access/gate.h"
#include "base/rate_meter.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sb::access {

/// Counters of one source or authenticator over all shards; outlives policy changes as long as somebody holds it.
struct SourceCounts {
  std::atomic<std::uint64_t> total{0}, allow{0}, deny{0}, nomatch{0};
  RateMeter rate;
};

struct AuthorizerSource {
  std::string type;  // "file"; one per type
  bool enable = true;
  std::shared_ptr<const void> owner = nullptr;  // what its instances stand on: lives as long as they do
  std::function<std::unique_ptr<Authorizer>(const ShardEnvironment&)> make;
  std::shared_ptr<SourceCounts> counts = std::make_shared<SourceCounts>();
};
AuthorizerSource file_source(AclRef acl, bool enable = true);

struct AuthenticatorMember {
  std::string id;  // "password_based:built_in_database"
  bool enable = true;
  std::shared_ptr<const void> owner = nullptr;  // what its instances stand on: lives as long as they do
  std::function<std::unique_ptr<Authenticator>(const ShardEnvironment&)> make;
  std::shared_ptr<SourceCounts> counts = std::make_shared<SourceCounts>();  // allow = success, deny = failed
};
using AuthenticatorChain = std::vector<AuthenticatorMember>;

struct Policy {
  bool allow_no_match = true;       // authorization.no_match
  bool disconnect_on_deny = false;  // authorization.deny_action
  Gate::CacheSettings cache;
  std::vector<std::string> cache_excludes;  // topic filters whose verdicts are not kept
  std::vector<AuthorizerSource> sources;
  /// "" is the global chain; others by listener id replace it when they have members (access-control 2.1).
  std::map<std::string, AuthenticatorChain, std::less<>> authentication;
  FlappingSettings flapping;  // of zones not named below
  std::map<std::string, FlappingSettings, std::less<>> zones;
  FailureLimitSettings failure_limit;
  /// A source that has not answered by then counts as no match; an authenticator as "ignore".
  Millis answer_timeout{5'000};
};
using PolicyRef = std::shared_ptr<const Policy>;

}  // namespace sb::access
