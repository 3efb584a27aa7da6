// access_rules of a listener: who may connect, by address. The first rule that matches decides; nobody is refused by a
// list that does not name him. Immutable.
#pragma once

#include "net/endpoint.h"

#include <span>
#include <string>
#include <vector>

namespace sb::net {

class AccessRules {
 public:
  AccessRules() = default;
  /// `allow all`, `deny 10.0.0.0/8,::1, 192.168.0.7`.
  [[nodiscard]] static Result<AccessRules> parse(std::span<const std::string> lines);

  bool allows(const Endpoint& peer) const;
  bool allows_all() const { return rules_.empty(); }

 private:
  struct Rule {
    Endpoint network;
    std::uint8_t bits = 0;
    bool any = false;
    bool allow = true;
  };
  std::vector<Rule> rules_;
};

}  // namespace sb::net
