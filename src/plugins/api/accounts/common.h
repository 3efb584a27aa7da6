// What the operations on log-ins, users and API keys share.
#pragma once

#include "http/endpoint.h"
#include "http/table.h"
#include "management/accounts.h"
#include "management/api_registry.h"
#include "management/service.h"

namespace sb::plugins::api::accounts {

void add_users(http::Table& table, management::Accounts& accounts);
void add_keys(http::Table& table, management::Accounts& accounts);

std::string text_in(const http::json::object& body, std::string_view name, std::string_view absent = {});
management::Origin origin_of(const http::Request& request);
/// 429: there were too many wrong passwords.
http::Response locked(std::int64_t retry_after_s);
/// Roles of dashboard users; API keys may be publishers too.
http::Schema role_schema(bool publisher);

}  // namespace sb::plugins::api::accounts
