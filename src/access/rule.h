// One rule of a source that keeps rules as rows: the built-in database, SQL, MongoDB, Redis, LDAP (access-control 7.4
// to 7.9). Matching is that of the file ACL: placeholders of topics, `eq `, coverage of subscriptions. Immutable, any
// thread.
#pragma once

#include "access/authorizer.h"
#include "base/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sb::access {

namespace detail {
struct AclRule;
}

class Rule {
 public:
  /// Invalid: not an action, not a topic filter, a QoS that does not exist.
  struct Text {
    std::string_view permission = "allow";  // allow, deny
    std::string_view action = "all";        // publish, subscribe, all
    std::string_view topic{};               // may begin with "eq ", may hold ${clientid}, ${username}
    std::string_view qos{};                 // "" = every; "0", "0,1"
    std::string_view retain{};              // "" or "all" = both; "0", "1", "true", "false"
  };
  [[nodiscard]] static Result<Rule> parse(const Text& text);

  bool matches(const Subject& subject, const Action& action) const;
  bool allow() const;
  bool covers_publish() const;  // false: says nothing of PUBLISH

 private:
  explicit Rule(std::shared_ptr<const detail::AclRule> rule) : rule_(std::move(rule)) {}
  std::shared_ptr<const detail::AclRule> rule_;
};

/// The first that matches decides; NoMatch where none does.
Answer first_match(std::span<const Rule> rules, const Subject& subject, const Action& action);

}  // namespace sb::access
