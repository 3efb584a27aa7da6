#include "access/detail/filter_cover.h"

namespace sb::access::detail {

namespace {
std::string_view take_level(std::string_view& rest, bool& more) {
  const std::size_t slash = rest.find('/');
  const std::string_view level = rest.substr(0, slash);
  more = slash != std::string_view::npos;
  rest = more ? rest.substr(slash + 1) : std::string_view{};
  return level;
}
}  // namespace

bool covers(std::string_view rule, std::string_view wanted) {
  // "#" wants one level or more; only these two cover that.
  if (wanted == "#") return rule == "#" || rule == "+/#";
  bool rule_more = true;
  bool wanted_more = true;
  bool first = true;
  while (rule_more && wanted_more) {
    const std::string_view r = take_level(rule, rule_more);
    const std::string_view w = take_level(wanted, wanted_more);
    // 4.7.2: a leading wildcard does not reach names that begin with '$'.
    if (first && (r == "#" || r == "+") && w.starts_with('$')) return false;
    first = false;
    if (r == "#") return true;
    if (w == "#") return false;  // wants any number of levels where the rule names one
    if (r == "+") continue;
    if (r != w) return false;
  }
  if (!rule_more && !wanted_more) return true;
  return rule_more && rule == "#";  // "a/#" covers "a"
}

bool is_catch_all(std::string_view filter) {
  while (filter.starts_with("+/")) filter.remove_prefix(2);
  return filter == "#";
}

}  // namespace sb::access::detail
