// Why the configuration refused a change, as answers tell it (management-api 1.5).
#pragma once

#include "config/store.h"
#include "http/message.h"

#include <string>
#include <string_view>

namespace sb::http {

/// {"kind":"validation_error","path":…,"reason":…,"value":…,"expected":…}; what the problem does not tell is left out.
json::object validation_error(const config::Problem& problem, std::string_view path);

struct RefusedBody {
  std::string at = {};  // key of the configuration that the body was to be the value of; "" = a body of roots
  std::string_view code = "BAD_REQUEST";   // for mistakes in it
  std::string_view other = "BAD_REQUEST";  // where it is not the body that is wrong
};

/// 400. Mistakes are told as http::refusal() tells them, by paths that begin at the body; one elsewhere keeps its key
/// in the configuration. What is no mistake of a value is told by its text.
Response refused_change(const config::ConfigStore::Refusal& refusal, const RefusedBody& body);

}  // namespace sb::http
