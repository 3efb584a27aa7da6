// `prometheus`: what the scrape page asks for, and where it is pushed.
#pragma once

#include "config/schema.h"

#include <map>
#include <string>

namespace sb::config {

enum class Switch : std::uint8_t { Disabled, Enabled };
template <>
struct EnumNames<Switch> {
  static constexpr std::string_view names[] = {"disabled", "enabled"};
};

struct Prometheus {
  struct PushGateway {
    bool enable = false;
    std::string url;
    milliseconds interval{};
    std::map<std::string, std::string> headers;
    std::string job_name;
    static const Struct& schema();
  };
  struct Collectors {
    Switch vm_dist{}, mnesia{}, vm_statistics{}, vm_system_info{}, vm_memory{}, vm_msacc{};
    static const Struct& schema();
  };
  bool enable_basic_auth = false;
  PushGateway push_gateway;
  Collectors collectors;
  static const Struct& schema();
};

}  // namespace sb::config
