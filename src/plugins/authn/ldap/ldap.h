// password_based:ldap (access-control 4.7): the client is searched with a service account; its password is compared
// with a hash in its entry, or tried by a bind as that entry. Nobody found, several found, a failed search and a dead
// directory leave the client to the next authenticator.
#pragma once

#include "access/authn/ldap_settings.h"
#include "access/authn/provider.h"
#include "access/authn/watched.h"

#include <memory>
#include <optional>
#include <string>

namespace sb::plugins::authn::ldap {

enum class Method : std::uint8_t { Hash, Bind };

struct MethodSettings {
  Method type = Method::Hash;
  std::string password_attribute;
  std::string is_superuser_attribute;
  std::string bind_password;
  static const config::Struct& schema();
};

struct Settings : config::AuthnCommon, access::authn::LdapSettings {
  MethodSettings method;
  access::authn::Template bind_password;
  static const config::Struct& schema();
};

/// What an entry says of a password. `settings` name the attributes.
access::AuthenticatorAnswer judge(const MethodSettings& settings, const driver::ldap::Entry& entry,
                                  std::string_view password);

class Ldap final : public access::authn::Watched<access::authn::Provider> {
 public:
  Ldap(const access::authn::Services& services, const std::string& chain, std::shared_ptr<const Settings> settings);
  ~Ldap() override;

  [[nodiscard]] Result<> start() override;
  std::unique_ptr<access::Authenticator> make(const access::ShardEnvironment& shard) override;
  void stop() override;
  State state() const override;

 private:
  class OnShard;

  const std::shared_ptr<const Settings> settings_;
  // The resource of the base is bound as the service account, for ever.
  std::optional<driver::resource::Resource> binds_{};  // method bind: each connection speaks for who came last
};

}  // namespace sb::plugins::authn::ldap

template <>
struct sb::config::EnumNames<sb::plugins::authn::ldap::Method> {
  static constexpr std::string_view names[] = {"hash", "bind"};
};
