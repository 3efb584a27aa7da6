// Rules of the built-in database as JSON: how the management interface and the store have them.
//   [{"topic": "a/#", "permission": "allow", "action": "publish", "qos": [0, 1], "retain": "all"}]
#pragma once

#include "access/authz/rule_table.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sb::access::authz {

std::string rules_to_json(std::span<const RuleText> rules);
/// Invalid: names the rule by its number. Topics are checked by the table.
[[nodiscard]] Result<std::vector<RuleText>> rules_from_json(std::string_view text);

/// "clientid", "username", "all"
std::string_view to_string(Holder holder);

}  // namespace sb::access::authz
