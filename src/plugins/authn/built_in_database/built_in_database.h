// password_based:built_in_database (access-control 4.1): users by name or client id in the node's own table. Unknown
// users are somebody else's; a wrong password is refused. bcrypt and pbkdf2 run on workers: a full queue answers
// "server busy", never yes.
#pragma once

#include "access/authn/password.h"
#include "access/authn/provider.h"

namespace sb::plugins::authn::built_in_database {

enum class UserIdType : std::uint8_t { Username, ClientId };
enum class BootstrapType : std::uint8_t { Plain, Hash };

struct Settings : config::AuthnCommon {
  UserIdType user_id_type = UserIdType::Username;
  access::authn::PasswordHash password_hash_algorithm;
  std::string bootstrap_file;
  BootstrapType bootstrap_type = BootstrapType::Plain;
  static const config::Struct& schema();
};

class BuiltInDatabase final : public access::authn::Provider, private access::authn::UserDirectory {
 public:
  BuiltInDatabase(const access::authn::Services& services, const std::string& chain,
                  std::shared_ptr<const Settings> settings);

  [[nodiscard]] Result<> start() override;
  std::unique_ptr<access::Authenticator> make(const access::ShardEnvironment& shard) override;
  access::authn::UserDirectory* users() override { return this; }
  void replaced() override { *replaced_ = true; }

 private:
  class OnShard;
  using PasswordHash = access::authn::PasswordHash;
  [[nodiscard]] Result<> add(std::string_view user_id, std::string_view password, bool superuser) override;
  [[nodiscard]] Result<Entry> update(std::string_view user_id, std::optional<std::string_view> password,
                                     std::optional<bool> superuser) override;
  [[nodiscard]] Result<> erase(std::string_view user_id) override { return table_.erase(group_, user_id); }
  std::optional<Entry> find(std::string_view user_id) const override;
  Page list(const access::authn::UserQuery& query) const override;
  [[nodiscard]] Result<access::authn::UserImport> import(std::string_view file_name, std::string_view text,
                                                         bool plain) override;

  [[nodiscard]] Result<access::authn::UserImport> import_as(std::string_view file_name, std::string_view text,
                                                            bool plain, bool overwrite);

  access::authn::UserTable& table_;
  runtime::Workers& workers_;
  const access::authn::GroupKey group_;
  const std::shared_ptr<const Settings> settings_;
  /// Shared with imports, which may outlive this.
  const std::shared_ptr<std::atomic<bool>> replaced_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace sb::plugins::authn::built_in_database

template <>
struct sb::config::EnumNames<sb::plugins::authn::built_in_database::UserIdType> {
  static constexpr std::string_view names[] = {"username", "clientid"};
};
template <>
struct sb::config::EnumNames<sb::plugins::authn::built_in_database::BootstrapType> {
  static constexpr std::string_view names[] = {"plain", "hash"};
};
