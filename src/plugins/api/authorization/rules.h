// Endpoints of the rules in the built-in database (management-api 2.29).
#pragma once

#include "access/authz/authorization.h"
#include "http/table.h"
#include "management/service.h"

#include <functional>

namespace sb::plugins::api::authorization {

/// `configured`: whether there is a source `built_in_database`, and whether it is in force.
struct BuiltIn {
  bool configured = false;
  bool enabled = false;
};
void add_rules(http::Table& table, management::Service& service, std::function<BuiltIn()> built_in);

}  // namespace sb::plugins::api::authorization
