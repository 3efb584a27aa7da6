// The source `http` (access-control 7.8): a service of the user's own is asked. Only an explicit answer decides; other
// statuses are no match, a dead service says nothing, and the next source is asked. A service that fails (5xx) or
// answers what cannot be read raises an alarm besides.
#pragma once

#include "access/authn/http_settings.h"
#include "access/authn/watched.h"
#include "access/authz/action_template.h"
#include "access/authz/source.h"

#include <memory>

namespace sb::plugins::authz::http {

struct Settings : config::AuthzCommon, access::authn::HttpSettings {
  static const config::Struct& schema();
};

/// Invalid: no match, and the service is not well.
[[nodiscard]] Result<access::Answer> read_answer(const driver::http::ClientResponse& answer);

class Http final : public access::authn::Watched<access::authz::Source> {
 public:
  Http(const access::authz::Services& services, std::shared_ptr<const Settings> settings,
       driver::resource::Options service);
  ~Http() override;

  std::unique_ptr<access::Authorizer> make(const access::ShardEnvironment& shard) override;

 private:
  class OnShard;

  const std::shared_ptr<const Settings> settings_;
  const access::authn::HttpRequestTemplate<access::authz::ActionTemplate> request_;
};

}  // namespace sb::plugins::authz::http
