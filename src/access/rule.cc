#include "access/rule.h"

#include "access/detail/acl_rule.h"
#include "broker/topic.h"

#include <fmt/format.h>

namespace sb::access {

namespace {
Result<std::uint8_t> read_qos(std::string_view text) {
  if (text.empty() || text == "all") return std::uint8_t{7};
  std::uint8_t mask = 0;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view one = text.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one.size() != 1 || one[0] < '0' || one[0] > '2')
      return fail(Errc::Invalid, "qos is 0, 1, 2 or several of them");
    mask = static_cast<std::uint8_t>(mask | (1U << (one[0] - '0')));
    if (comma == std::string_view::npos) return mask;
    text = text.substr(comma + 1);
  }
}
}  // namespace

Result<Rule> Rule::parse(const Text& text) {
  auto rule = std::make_shared<detail::AclRule>();
  if (text.permission == "deny")
    rule->allow = false;
  else if (text.permission != "allow")
    return fail(Errc::Invalid, "permission is allow or deny");
  if (text.action == "publish")
    rule->subscribe = false;
  else if (text.action == "subscribe")
    rule->publish = false;
  else if (text.action != "all")
    return fail(Errc::Invalid, "action is publish, subscribe or all");
  SB_TRY(rule->qos_mask, read_qos(text.qos));
  if (text.retain == "1" || text.retain == "true")
    rule->retain = true;
  else if (text.retain == "0" || text.retain == "false")
    rule->retain = false;
  else if (!text.retain.empty() && text.retain != "all")
    return fail(Errc::Invalid, "retain is true, false or all");
  detail::TopicRule topic;
  topic.literal = text.topic.starts_with("eq ");
  topic.text = topic.literal ? text.topic.substr(3) : text.topic;
  topic.templated = !topic.literal && topic.text.find("${") != std::string::npos;
  if (!broker::check_topic_filter(topic.text)) return fail(Errc::Invalid, "topic is not a topic filter");
  rule->topics.push_back(std::move(topic));
  return Rule(std::move(rule));
}

bool Rule::matches(const Subject& subject, const Action& action) const {
  return rule_->matches(subject, action);
}

bool Rule::allow() const {
  return rule_->allow;
}

bool Rule::covers_publish() const {
  return rule_->publish;
}

Answer first_match(std::span<const Rule> rules, const Subject& subject, const Action& action) {
  for (const Rule& rule : rules)
    if (rule.matches(subject, action)) return rule.allow() ? Answer::Allow : Answer::Deny;
  return Answer::NoMatch;
}

}  // namespace sb::access
