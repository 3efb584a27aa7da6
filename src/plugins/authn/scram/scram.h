// scram:built_in_database (access-control 4.9): SCRAM-SHA-256 or -512 over MQTT 5 AUTH packets, with re-authentication.
// A name that nobody has gets the same two rounds as one with a wrong password: its salt is made of a secret that is
// kept with the users, so that it stays the same.
#pragma once

#include "access/authn/provider.h"

namespace sb::plugins::authn::scram {

enum class AlgorithmName : std::uint8_t { Sha256, Sha512 };

struct Settings : config::AuthnCommon {
  AlgorithmName algorithm = AlgorithmName::Sha256;
  std::uint32_t iteration_count = 4096;
  static const config::Struct& schema();
};

class Scram final : public access::authn::Provider, private access::authn::UserDirectory {
 public:
  Scram(const access::authn::Services& services, const std::string& chain, std::shared_ptr<const Settings> settings);

  [[nodiscard]] Result<> start() override;

  std::unique_ptr<access::Authenticator> make(const access::ShardEnvironment& shard) override;
  access::authn::UserDirectory* users() override { return this; }
  void replaced() override { *replaced_ = true; }

 private:
  class OnShard;
  class Round;
  std::uint32_t usual_iterations(std::string_view user_id) const;
  [[nodiscard]] static Result<access::authn::User> user_of(const Settings& settings, std::string_view user_id,
                                                           std::string_view password);
  [[nodiscard]] Result<> add(std::string_view user_id, std::string_view password, bool superuser) override;
  [[nodiscard]] Result<Entry> update(std::string_view user_id, std::optional<std::string_view> password,
                                     std::optional<bool> superuser) override;
  [[nodiscard]] Result<> erase(std::string_view user_id) override { return table_.erase(group_, user_id); }
  std::optional<Entry> find(std::string_view user_id) const override;
  Page list(const access::authn::UserQuery& query) const override;
  [[nodiscard]] Result<access::authn::UserImport> import(std::string_view file_name, std::string_view text,
                                                         bool plain) override;

  access::authn::UserTable& table_;
  const access::authn::GroupKey group_;
  const std::shared_ptr<const Settings> settings_;
  /// Shared with imports, which may outlive this.
  const std::shared_ptr<std::atomic<bool>> replaced_ = std::make_shared<std::atomic<bool>>(false);
  std::string secret_;  // for the salts of users that do not exist; since start()
};

}  // namespace sb::plugins::authn::scram

template <>
struct sb::config::EnumNames<sb::plugins::authn::scram::AlgorithmName> {
  static constexpr std::string_view names[] = {"sha256", "sha512"};
};
