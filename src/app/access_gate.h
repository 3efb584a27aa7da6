// Who may use which operation of the endpoint table, decided from the table and the accounts alone (management-api 1.3
// and 3.1). Belongs to the management thread.
#pragma once

#include "http/table.h"
#include "management/accounts.h"

#include <functional>
#include <optional>

namespace sb::app {

class AccessGate {
 public:
  /// `metrics_need_log_in`: prometheus.enable_basic_auth; empty: no.
  explicit AccessGate(management::Accounts& accounts, std::function<bool()> metrics_need_log_in = {})
      : accounts_(accounts), metrics_need_log_in_(std::move(metrics_need_log_in)) {}

  /// Sets who asks; a response refuses.
  std::optional<http::Response> check(http::Request& request, const http::Endpoint& endpoint,
                                      const http::Table::Raw& parameters);

  static bool allows(management::Role role, http::Access access, std::string_view user, http::Actor actor,
                     const http::Table::Raw& parameters);

 private:
  std::optional<http::Response> check_token(http::Request& request, const http::Endpoint& endpoint,
                                            std::string_view token, const http::Table::Raw& parameters);
  std::optional<http::Response> check_key(http::Request& request, const http::Endpoint& endpoint,
                                          std::string_view credentials, const http::Table::Raw& parameters);

  management::Accounts& accounts_;
  std::function<bool()> metrics_need_log_in_;
};

}  // namespace sb::app
