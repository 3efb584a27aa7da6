// password_based:http (access-control 4.6): a service of the user's own is asked. Only its explicit "deny" refuses;
// every other status, an answer that cannot be read, a time-out and a dead service leave the client to the next
// authenticator.
#pragma once

#include "access/authn/provider.h"
#include "access/authn/template.h"
#include "config/roots/listener.h"
#include "driver/http/client.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sb::plugins::authn::http {

enum class RequestMethod : std::uint8_t { Get, Post };

struct Settings : config::AuthnCommon {
  RequestMethod method = RequestMethod::Post;
  std::string url;
  config::Value headers;
  config::Value body;
  config::milliseconds request_timeout{};
  config::milliseconds connect_timeout{};
  std::uint32_t pool_size = 8;
  std::uint32_t enable_pipelining = 100;
  config::ClientTls ssl;

  std::map<std::string, std::string> header_map;  // lower-case names, defaults included
  static const config::Struct& schema();
};

/// What an answer says; nullopt: nothing, the next authenticator is asked.
std::optional<access::Authenticated> read_answer(const driver::http::ClientResponse& answer, std::int64_t now_ms);

class Http final : public access::authn::Provider {
 public:
  Http(const access::authn::Services& services, const std::string& chain, std::shared_ptr<const Settings> settings);
  ~Http() override;

  [[nodiscard]] Result<> prepare();
  std::unique_ptr<access::Authenticator> make(const access::ShardEnvironment& shard) override;
  void stop() override;
  State state() const override;

 private:
  class OnShard;
  driver::http::ClientRequest request_for(const access::Credentials& credentials) const;
  /// Raises or clears the alarm.
  void note(bool answered, const std::string& reason);

  const access::authn::Services services_;
  const std::string resource_;
  const std::shared_ptr<const Settings> settings_;
  access::authn::Template url_;
  std::vector<std::pair<std::string, access::authn::Template>> headers_;
  struct Field {
    std::string name;
    access::authn::Template text;  // of a text; others go as they are written
    std::string raw;
  };
  std::vector<Field> body_;
  bool form_ = false;
  std::mutex mutex_;  // guards alarmed_ and stopping_
  bool alarmed_ = false;
  bool stopping_ = false;
  std::unique_ptr<driver::http::Client> client_;
};

}  // namespace sb::plugins::authn::http

template <>
struct sb::config::EnumNames<sb::plugins::authn::http::RequestMethod> {
  static constexpr std::string_view names[] = {"get", "post"};
};
