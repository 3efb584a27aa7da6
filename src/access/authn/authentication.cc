#include "access/authn/authentication.h"

#include "base/log.h"

#include <fmt/format.h>

#include <set>

namespace sb::access::authn {

std::string_view to_string(Health health) {
  switch (health) {
    case Health::Connected:
      return "connected";
    case Health::Connecting:
      return "connecting";
    case Health::Disconnected:
      return "disconnected";
  }
  return "disconnected";
}

const Mechanism* Registry::find(std::string_view id) const {
  for (const Mechanism& one : all_)
    if (one.id == id) return &one;
  return nullptr;
}

std::vector<config::AuthnMechanism> Registry::names() const {
  std::vector<config::AuthnMechanism> out;
  for (const Mechanism& one : all_) out.emplace_back(one.id, one.schema);
  return out;
}

namespace {
/// Nobody asks it: the rest of the configuration holds, and what is wrong is told when it is enabled.
void tell_unusable(std::string_view chain, std::string_view id, const Error& error) {
  SB_LOG(log::Level::Warning, "disabled_authenticator_unusable", kv("chain", chain), kv("id", id),
         kv("reason", error.what));
}
}  // namespace

Result<> Authentication::start() {
  started_ = true;
  for (const std::string& group : services_.users.groups()) orphans_.insert(group);
  for (auto& [key, kept] : members_) orphans_.erase(group_of(key.first, key.second));
  for (auto& [key, kept] : members_) {
    if (!kept.member.runs()) continue;
    const auto begun = kept.member.provider->start();
    if (begun) continue;
    if (!kept.member.enable) {
      tell_unusable(key.first, key.second, begun.error());
      continue;
    }
    return fail(begun.error().code,
                fmt::format("authentication {} of {}: {}", key.second, key.first, begun.error().what));
  }
  return {};
}

void Authentication::stop() {
  for (const auto& made : made_)
    if (const auto provider = made.lock()) provider->stop();
}

/// The last to let a provider go may be a shard, and a provider may wait for its threads: it goes on a worker.
std::shared_ptr<Provider> Authentication::buried_elsewhere(std::shared_ptr<Provider> provider) const {
  Provider* const raw = provider.get();
  return {raw, [&workers = services_.workers, own = std::move(provider)](Provider*) mutable {
            // Refused at the end of the node: then it goes here and now.
            (void)workers.try_run_later([gone = std::move(own)] {});
          }};
}

Result<> Authentication::add(const std::string& chain, const config::AuthnChain& from, Members& to,
                             AuthenticatorChain& out) {
  for (const config::Authenticator& one : from) {
    Kept kept;
    const auto old = members_.find(std::pair(chain, one.id));
    if (old != members_.end() && old->second.value == one.value && !old->second.stale) {
      kept = old->second;
    } else {
      kept.value = one.value;
      kept.member = {one.id, one.enable, nullptr, old == members_.end() ? nullptr : old->second.member.counts};
      if (!kept.member.counts) kept.member.counts = std::make_shared<SourceCounts>();
      const Mechanism* mechanism = registry_.find(one.id);
      // One that is made while the node runs has no users yet, whatever an older one of its name has left.
      if (orphans_.erase(group_of(chain, one.id)) > 0) SB_CHECKED(services_.users.clear(group_of(chain, one.id)));
      // What is not built is disabled, or the configuration would not have been loaded.
      if (mechanism && one.settings) {
        auto provider = mechanism->make(services_, chain, one.settings);
        if (provider) {
          if (old != members_.end() && old->second.member.provider) (*provider)->inherit(*old->second.member.provider);
          kept.member.provider = buried_elsewhere(*std::move(provider));
          std::erase_if(made_, [](const auto& gone) { return gone.expired(); });
          made_.push_back(kept.member.provider);
          const auto begun = started_ && kept.member.runs() ? kept.member.provider->start() : Result<>{};
          if (!begun && one.enable) return begun;
          if (!begun) tell_unusable(chain, one.id, begun.error());
        } else if (one.enable) {
          return fail(provider.error().code,
                      fmt::format("authentication {} of {}: {}", one.id, chain, provider.error().what));
        } else {
          tell_unusable(chain, one.id, provider.error());
        }
      } else if (one.enable) {
        return fail(Errc::Unsupported, fmt::format("authentication {} of {} is not built", one.id, chain));
      }
    }
    AuthenticatorMember member;
    member.id = one.id;
    member.enable = one.enable;
    member.counts = kept.member.counts;
    if (one.enable) {
      member.owner = kept.member.provider;
      member.make = [provider = kept.member.provider.get()](const ShardEnvironment& shard) {
        return provider->make(shard);
      };
    }
    out.push_back(std::move(member));
    to.emplace(std::pair(chain, one.id), std::move(kept));
  }
  return {};
}

Result<Authentication::Chains> Authentication::apply(const config::Config& config) {
  Members members;
  Chains chains;
  if (!config.authn.empty()) SB_CHECKED(add(std::string(kGlobalChain), config.authn, members, chains[""]));
  for (const auto& [listener, chain] : config.listener_authn)
    SB_CHECKED(add(listener, chain, members, chains[listener]));
  for (const auto& [key, kept] : members_) {
    const auto now = members.find(key);
    if (kept.member.provider && (now == members.end() || now->second.member.provider != kept.member.provider))
      kept.member.provider->replaced();
  }
  members_ = std::move(members);
  return chains;
}

void Authentication::set_stale(std::string_view chain, std::string_view id, bool stale) {
  const auto found = members_.find(std::pair(std::string(chain), std::string(id)));
  if (found != members_.end()) found->second.stale = stale;
}

void Authentication::forget(const config::Config& before, const config::Config& after) {
  const auto groups = [](const config::Config& config) {
    std::set<std::string> out;
    for (const config::Authenticator& one : config.authn) out.insert(group_of(kGlobalChain, one.id));
    for (const auto& [listener, chain] : config.listener_authn)
      for (const config::Authenticator& one : chain) out.insert(group_of(listener, one.id));
    return out;
  };
  const auto kept = groups(after);
  for (const std::string& group : groups(before)) {
    if (kept.contains(group)) continue;
    if (const auto cleared = services_.users.clear(group); !cleared)
      SB_LOG(log::Level::Error, "users_not_removed", kv("group", group), kv("reason", cleared.error().what));
  }
}

const Authentication::Member* Authentication::find(std::string_view chain, std::string_view id) const {
  const auto found = members_.find(std::pair(std::string(chain), std::string(id)));
  return found == members_.end() ? nullptr : &found->second.member;
}

}  // namespace sb::access::authn
