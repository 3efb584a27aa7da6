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

/// Brings the flat form of before 5.4 into the present one, so that layers and updates merge; what says a key in the
/// present form holds.
void use_present_prometheus(Value& prometheus);

}  // namespace sb::config
