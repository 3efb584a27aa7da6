// jwt (access-control 4.8): tokens signed with a shared secret, a known public key, or a key of a set that is fetched
// (JWKS). A token that no key fits is somebody else's; one that fits but does not hold (expired, another's claims) is
// refused. Rights of the token end when it does.
#pragma once

#include "access/authn/provider.h"
#include "config/roots/listener.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sb::driver::http {
class Client;
}

namespace sb::plugins::authn::jwt {

namespace detail {
class Key;
}
using Keys = std::shared_ptr<const std::vector<detail::Key>>;

enum class AlgorithmKind : std::uint8_t { Hmac, PublicKey };
enum class TokenFrom : std::uint8_t { Password, Username };

struct Settings : config::AuthnCommon {
  bool use_jwks = false;
  std::optional<AlgorithmKind> algorithm;
  std::optional<Secret> secret;
  bool secret_base64_encoded = false;
  std::string public_key;
  std::string endpoint;
  std::uint32_t refresh_interval = 300;  // seconds
  std::uint32_t pool_size = 8;
  config::ClientTls ssl;
  TokenFrom from = TokenFrom::Password;
  std::string acl_claim_name;
  config::Value verify_claims;
  bool disconnect_after_expire = false;

  std::vector<std::pair<std::string, std::string>> required;  // verify_claims, parsed
  static const config::Struct& schema();
};

class Jwt final : public access::authn::Provider {
 public:
  Jwt(const access::authn::Services& services, const std::string& chain, std::shared_ptr<const Settings> settings);
  ~Jwt() override;

  /// Reads secret and key, or prepares the client of the key set.
  [[nodiscard]] Result<> prepare();
  /// The keys of the same endpoint, until they are fetched anew.
  void inherit(access::authn::Provider& old) override;
  /// Begins to fetch the key set.
  [[nodiscard]] Result<> start() override;
  std::unique_ptr<access::Authenticator> make(const access::ShardEnvironment& shard) override;
  void stop() override;
  State state() const override;

 private:
  class OnShard;
  Keys keys() const;
  /// A token named a key that is not in the set: fetched again, once in ten seconds at most.
  void want_newer_keys();
  void run();
  void take(Result<std::string> body);

  const access::authn::Services services_;
  const std::string resource_;
  const std::shared_ptr<const Settings> settings_;
  mutable std::mutex mutex_;  // guards what follows but client_ and thread_
  std::condition_variable changed_;
  Keys keys_;  // null: not fetched yet
  std::string trouble_;
  bool alarmed_ = false;
  bool stopping_ = false;
  bool asked_ = false;   // a fetch is on its way
  bool wanted_ = false;  // before its time
  std::chrono::steady_clock::time_point fetched_{};
  std::unique_ptr<driver::http::Client> client_;
  std::thread thread_;
};

}  // namespace sb::plugins::authn::jwt

template <>
struct sb::config::EnumNames<sb::plugins::authn::jwt::AlgorithmKind> {
  static constexpr std::string_view names[] = {"hmac-based", "public-key"};
};
template <>
struct sb::config::EnumNames<sb::plugins::authn::jwt::TokenFrom> {
  static constexpr std::string_view names[] = {"password", "username"};
};
