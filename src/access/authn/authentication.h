// The authenticators of a node: makes providers from the configuration, keeps those whose settings did not change, and
// puts them into the chains of the access policy. Their counters live as long as their place in the configuration. Used
// by one thread at a time: the start, then management; the providers are for any thread.
#pragma once

#include "access/authn/provider.h"
#include "access/policy.h"
#include "config/config.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace sb::access::authn {

/// Id of the chain of all listeners that have none of their own.
inline constexpr std::string_view kGlobalChain = "mqtt:global";

class Authentication {
 public:
  Authentication(const Registry& registry, const Services& services) : registry_(registry), services_(services) {}

  /// The store is open: providers that were made already may read and write it. Later ones start at once.
  [[nodiscard]] Result<> start();

  /// The shards have ended, or never ran: no provider posts to them any more.
  void stop();

  using Chains = std::map<std::string, AuthenticatorChain, std::less<>>;
  /// Chains by listener id, "" for the global one, as Policy wants them. On failure nothing changed.
  [[nodiscard]] Result<Chains> apply(const config::Config& config);

  /// Whether the next apply() makes it anew though its settings are the same: files that they name are read again.
  void set_stale(std::string_view chain, std::string_view id, bool stale);

  /// The users of authenticators that `after` has no more: they go with them. When the change is in force. The disk
  /// is waited for.
  void forget(const config::Config& before, const config::Config& after);

  struct Member {
    std::string id;
    bool enable = true;
    std::shared_ptr<Provider> provider;
    std::shared_ptr<SourceCounts> counts;
    /// One that is disabled asks nobody; but its own users can be managed.
    bool runs() const { return provider && (enable || provider->users()); }
  };
  /// By chain and id; null: there is none. `chain` as in Mechanism::make.
  const Member* find(std::string_view chain, std::string_view id) const;
  /// What authenticators may be made of.
  const Registry& mechanisms() const { return registry_; }
  runtime::Workers& workers() const { return services_.workers; }

 private:
  struct Kept {
    Member member;
    config::Value value;
    bool stale = false;
  };
  using Members = std::map<std::pair<std::string, std::string>, Kept, std::less<>>;
  std::shared_ptr<Provider> buried_elsewhere(std::shared_ptr<Provider> provider) const;
  [[nodiscard]] Result<> add(const std::string& chain, const config::AuthnChain& from, Members& to,
                             AuthenticatorChain& out);

  const Registry& registry_;
  Services services_;
  Members members_;
  std::vector<std::weak_ptr<Provider>> made_;  // replaced ones may still have a question on its way
  bool started_ = false;
  std::set<std::string> orphans_;  // groups that were there at the start without their authenticator
};

}  // namespace sb::access::authn
