#include "access/detail/acl_rule.h"

#include "access/detail/filter_cover.h"
#include "broker/topic.h"

#include <arpa/inet.h>

#include <charconv>

namespace sb::access::detail {

std::optional<std::array<std::uint8_t, 16>> parse_host(std::string_view text) {
  const std::string copy(text);
  std::array<std::uint8_t, 16> out{};
  if (inet_pton(AF_INET6, copy.c_str(), out.data()) == 1) return out;
  out = {};
  if (inet_pton(AF_INET, copy.c_str(), out.data() + 12) != 1) return std::nullopt;
  out[10] = out[11] = 0xFF;
  return out;
}

std::optional<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto host = parse_host(text.substr(0, slash));
  if (!host) return std::nullopt;
  Network out{*host, 128};
  if (slash == std::string_view::npos) return out;
  const std::string_view digits = text.substr(slash + 1);
  unsigned prefix = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  if (prefix > (v4 ? 32U : 128U)) return std::nullopt;
  out.prefix = v4 ? prefix + 96 : prefix;
  return out;
}

bool Network::contains(const std::array<std::uint8_t, 16>& host) const {
  for (unsigned bit = 0; bit < prefix; bit += 8) {
    const unsigned left = std::min(8U, prefix - bit);
    const auto mask = static_cast<std::uint8_t>(0xFF00U >> left);
    if (((address[bit / 8] ^ host[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

bool Who::matches(const Subject& subject) const {
  switch (kind) {
    case Kind::All:
      return true;
    case Kind::Username:
    case Kind::ClientId: {
      const std::string_view value = kind == Kind::Username ? subject.username : subject.client_id;
      if (value.empty()) return false;  // an absent name matches no rule about names
      if (pattern) return re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), *pattern);
      return value == text;
    }
    case Kind::Address: {
      const auto host = parse_host(subject.peer_host);
      if (!host) return false;
      for (const Network& network : networks)
        if (network.contains(*host)) return true;
      return false;
    }
    case Kind::And:
      for (const Who& part : parts)
        if (!part.matches(subject)) return false;
      return true;
    case Kind::Or:
      for (const Who& part : parts)
        if (part.matches(subject)) return true;
      return false;
  }
  return false;
}

namespace {
/// nullopt: a value is absent, or would widen the filter (access-control 7.3, rows 4 and 5).
std::optional<std::string> render(std::string_view text, const Subject& subject) {
  std::string out;
  while (!text.empty()) {
    const std::size_t at = text.find("${");
    out += text.substr(0, at);
    if (at == std::string_view::npos) break;
    text.remove_prefix(at);
    const std::size_t end = text.find('}');
    const std::string_view name = end == std::string_view::npos ? std::string_view{} : text.substr(2, end - 2);
    std::string_view value;
    if (name == "clientid")
      value = subject.client_id;
    else if (name == "username")
      value = subject.username;
    else if (name == "cert_common_name")
      value = subject.common_name;
    else {
      out += text.substr(0, 2);  // not a placeholder of ours: text
      text.remove_prefix(2);
      continue;
    }
    if (value.empty() || value.find_first_of("+#/") != std::string_view::npos) return std::nullopt;
    // Nobody's name opens $SYS or $share: the rule's author wrote no '$'.
    if (out.empty() && value.front() == '$') return std::nullopt;
    out += value;
    text.remove_prefix(end + 1);
  }
  return out;
}
}  // namespace

bool AclRule::matches(const Subject& subject, const Action& action) const {
  const bool publishing = action.kind == ActionKind::Publish;
  if (publishing ? !publish : !subscribe) return false;
  if ((qos_mask & (1U << to_int(action.qos))) == 0) return false;
  if (publishing && retain && *retain != action.retain) return false;
  if (!who.matches(subject)) return false;
  if (any_topic) return true;
  for (const TopicRule& rule : topics) {
    if (rule.literal) {
      if (rule.text == action.topic) return true;
      // Row 3: what covers everything does not slip past a deny of the literal "#".
      if (!publishing && !allow && is_catch_all(rule.text) && is_catch_all(action.topic)) return true;
      continue;
    }
    std::string rendered;
    if (rule.templated) {
      auto text = render(rule.text, subject);
      if (!text) continue;
      rendered = std::move(*text);
    }
    const std::string_view filter = rule.templated ? std::string_view(rendered) : std::string_view(rule.text);
    if (publishing) {
      if (broker::matches(filter, action.topic)) return true;
      continue;
    }
    if (covers(filter, action.topic)) return true;
    // A deny also hits what it meets word by word, as the reference has it: deny "t/+" refuses "t/#".
    if (!allow && broker::matches(filter, action.topic)) return true;
  }
  return false;
}

bool AclRule::covers_every_publish() const {
  if (!publish || qos_mask != 7 || retain || who.kind != Who::Kind::All) return false;
  return any_topic;
}

}  // namespace sb::access::detail
