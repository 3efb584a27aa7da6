// TLS towards a back end, as the drivers take it.
#pragma once

#include "base/secret.h"

#include <string>

namespace sb::driver::resource {

struct Tls {
  bool enable = false;
  bool verify = false;        // the server's certificate and name
  std::string server_name{};  // "" = the host; "disable" = none is told
  std::string ca_file{};      // "" = the system's
  std::string certificate_file{};
  std::string key_file{};
  Secret key_password{};
};

}  // namespace sb::driver::resource
