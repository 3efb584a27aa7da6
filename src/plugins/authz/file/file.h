// The source `file` (access-control 7.2): rules of acl.conf, or the same text within the configuration.
#pragma once

#include "access/acl.h"
#include "access/authz/source.h"

#include <memory>
#include <string>

namespace sb::plugins::authz::file {

struct Settings : config::AuthzCommon {
  std::string path;
  std::string rules;  // in place of a path
  static const config::Struct& schema();
};

class File final : public access::authz::Source {
 public:
  explicit File(access::AclRef acl) : acl_(std::move(acl)) {}
  std::unique_ptr<access::Authorizer> make(const access::ShardEnvironment&) override {
    return std::make_unique<access::FileAuthorizer>(acl_);
  }

 private:
  const access::AclRef acl_;
};

}  // namespace sb::plugins::authz::file
