// Turns answered operations of the endpoint table into audit records, for the store and for the file of `log.audit`
// (management-api 3.6). Secrets are masked, bodies cut. Belongs to the management thread.
#pragma once

#include "config/roots/log.h"
#include "http/table.h"
#include "management/service.h"
#include "telemetry/logger.h"

#include <string>
#include <string_view>
#include <vector>

namespace sb::app {

class AuditTrail {
 public:
  /// Of a longer body only the size is kept.
  static constexpr std::size_t kBodyMax = 64 << 10;

  /// `log` may be null; both outlive this.
  AuditTrail(management::Service& service, telemetry::LogControl* log) : service_(service), log_(log) {}

  void set(const config::LogHandler& settings);
  void record(const http::Audited& audited);
  /// A command that is no request: the start of the node.
  void record_command(const std::string& command, const std::vector<std::string>& arguments);

  /// Replaces the value of every key that names a secret, and the passwords within URLs, at any depth.
  static void mask(http::json::value& value);
  /// The query with the values of parameters that name a secret masked.
  static std::string masked_query(std::string_view query);

 private:
  void keep(management::AuditEntry entry, http::json::object record, log::Level level,
            const http::json::object& only_file);

  management::Service& service_;
  telemetry::LogControl* log_;
  bool skip_frequent_ = true;
};

}  // namespace sb::app
