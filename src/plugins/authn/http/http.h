// password_based:http (access-control 4.6): a service of the user's own is asked. Only its explicit "deny" refuses;
// every other status, an answer that cannot be read, a time-out and a dead service leave the client to the next
// authenticator. A service that fails (5xx) or answers what cannot be read raises an alarm besides.
#pragma once

#include "access/authn/http_settings.h"
#include "access/authn/provider.h"
#include "access/authn/watched.h"

#include <memory>
#include <string>

namespace sb::plugins::authn::http {

struct Settings : config::AuthnCommon, access::authn::HttpSettings {
  static const config::Struct& schema();
};

/// What an answer says; nullopt: nothing, the next authenticator is asked. Invalid: that, and the service is not well.
[[nodiscard]] Result<std::optional<access::Authenticated>> read_answer(const driver::http::ClientResponse& answer,
                                                                       std::int64_t now_ms);

class Http final : public access::authn::Watched<access::authn::Provider> {
 public:
  Http(const access::authn::Services& services, const std::string& chain, std::shared_ptr<const Settings> settings,
       driver::resource::Options service);
  ~Http() override;

  std::unique_ptr<access::Authenticator> make(const access::ShardEnvironment& shard) override;

 private:
  class OnShard;

  const std::shared_ptr<const Settings> settings_;
  const access::authn::HttpRequestTemplate<access::authn::Template> request_;
};

}  // namespace sb::plugins::authn::http
