// A request and its answer.
#pragma once

#include "base/clock.h"

#include <string>
#include <utility>
#include <vector>

namespace sb::driver::http {

struct ClientRequest {
  std::string method = "GET";
  std::string url{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string target{};  // in place of the URL's path: "*"
  std::string body{};    // of POST and PUT
  Millis timeout{5'000};
};

struct ClientResponse {
  unsigned status = 0;
  std::string content_type{};
  std::string body{};
};

}  // namespace sb::driver::http
