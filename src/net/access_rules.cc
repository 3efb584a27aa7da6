#include "net/access_rules.h"

#include <charconv>
#include <optional>

namespace sb::net {

namespace {
std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same_network(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b, std::size_t from,
                  unsigned bits) {
  std::size_t at = from;
  for (; bits >= 8; bits -= 8, ++at)
    if (a[at] != b[at]) return false;
  if (bits == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFF << (8 - bits));
  return (a[at] & mask) == (b[at] & mask);
}
}  // namespace

Result<AccessRules> AccessRules::parse(std::span<const std::string> lines) {
  AccessRules out;
  for (const std::string& line : lines) {
    const auto bad = [&] {
      return fail(Errc::Invalid, fmt::format("access rule '{}' is not 'allow|deny all|<address>[/<bits>],...'", line));
    };
    const std::string_view text = trim(line);
    const std::size_t space = text.find_first_of(" \t");
    if (space == std::string_view::npos) return bad();
    const std::string_view verb = text.substr(0, space);
    if (verb != "allow" && verb != "deny") return bad();
    std::string_view list = text.substr(space);
    for (bool more = true; more;) {
      const std::size_t comma = list.find(',');
      more = comma != std::string_view::npos;
      const std::string_view item = trim(list.substr(0, comma));
      list.remove_prefix(more ? comma + 1 : list.size());
      Rule rule;
      rule.allow = verb == "allow";
      if (item == "all") {
        rule.any = true;
        out.rules_.push_back(rule);
        continue;
      }
      const std::size_t slash = item.find('/');
      const auto network = Endpoint::parse_address(item.substr(0, slash), 0);
      if (!network) return bad();
      rule.network = *network;
      const unsigned most = network->is_v6() ? 128 : 32;
      unsigned bits = most;
      if (slash != std::string_view::npos) {
        const std::string_view digits = item.substr(slash + 1);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
        if (error != std::errc{} || end != digits.data() + digits.size() || bits > most) return bad();
      }
      rule.bits = static_cast<std::uint8_t>(bits);
      out.rules_.push_back(rule);
    }
  }
  if (out.rules_.size() == 1 && out.rules_[0].any && out.rules_[0].allow) out.rules_.clear();
  return out;
}

bool AccessRules::allows(const Endpoint& peer) const {
  for (const Rule& rule : rules_) {
    if (rule.any) return rule.allow;
    if (rule.network.is_v6() != peer.is_v6()) continue;
    if (same_network(rule.network.bytes(), peer.bytes(), peer.is_v6() ? 0 : 12, rule.bits)) return rule.allow;
  }
  return true;
}

}  // namespace sb::net
