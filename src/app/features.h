// From the configuration to access control and to the modules at the core's hooks.
#pragma once

#include "access/authn/authentication.h"
#include "access/authz/authorization.h"
#include "access/policy.h"
#include "app/node.h"
#include "config/config.h"

namespace sb::app {

/// ACL files are read here: an unreadable file or a bad rule is an error with its line.
[[nodiscard]] Result<access::PolicyRef> access_policy(const config::Config& config,
                                                      access::authn::Authentication& authentication,
                                                      access::authz::Authorization& authorization, bool judge = true);

/// Gives every module its settings; before the node starts and again after a change. The first problem is returned, the
/// rest is applied all the same.
[[nodiscard]] Result<> configure_modules(Node& node, const config::Config& config);

}  // namespace sb::app
