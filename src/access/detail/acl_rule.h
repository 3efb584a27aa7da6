// One rule of the file ACL, ready to be matched.
#pragma once

#include "access/authorizer.h"

#include <re2/re2.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sb::access::detail {

struct Network {
  std::array<std::uint8_t, 16> address{};  // IPv4 mapped into IPv6
  unsigned prefix = 128;
  bool contains(const std::array<std::uint8_t, 16>& host) const;
};
std::optional<std::array<std::uint8_t, 16>> parse_host(std::string_view text);
std::optional<Network> parse_network(std::string_view text);

struct Who {
  enum class Kind : std::uint8_t { All, Username, ClientId, Address, And, Or };
  Kind kind = Kind::All;
  std::string text;                         // exact, unless `pattern`
  std::shared_ptr<const re2::RE2> pattern;  // unanchored
  std::vector<Network> networks;
  std::vector<Who> parts;
  bool matches(const Subject& subject) const;
};

struct TopicRule {
  bool literal = false;  // eq
  bool templated = false;
  std::string text;
};

struct AclRule {
  bool allow = true;
  bool publish = true;
  bool subscribe = true;
  std::uint8_t qos_mask = 7;
  std::optional<bool> retain;  // of PUBLISH only
  bool any_topic = false;      // {allow, all}
  Who who;
  std::vector<TopicRule> topics;

  bool matches(const Subject& subject, const Action& action) const;
  bool covers_every_publish() const;
};

}  // namespace sb::access::detail
