#include "access/acl.h"

#include "access/detail/acl_rule.h"
#include "access/detail/acl_term.h"
#include "broker/topic.h"

namespace sb::access {

using detail::AclRule;
using detail::Term;
using detail::term_error;
using detail::Who;

namespace {

Result<Who> read_who(const Term& term);

Result<std::vector<Who>> read_parts(const Term& term) {
  if (term.kind != Term::Kind::List || term.items.empty())
    return term_error(term.line, "expected a list of clients, at least one");
  std::vector<Who> out;
  for (const Term& item : term.items) {
    SB_TRY(Who part, read_who(item));
    out.push_back(std::move(part));
  }
  return out;
}

Result<Who> read_name(Who::Kind kind, const Term& term) {
  Who who;
  who.kind = kind;
  if (term.is_atom("all")) {
    who.kind = Who::Kind::All;
    return who;
  }
  if (term.kind == Term::Kind::Text) {
    who.text = term.text;
    return who;
  }
  if (!term.is_tuple(2) || !term.items[0].is_atom("re") || term.items[1].kind != Term::Kind::Text)
    return term_error(term.line, "expected a text or {re, \"...\"}");
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);  // no name gets past ".*" by an end of line in it
  auto pattern = std::make_shared<const re2::RE2>(term.items[1].text, options);
  if (!pattern->ok()) return term_error(term.line, "regular expression: " + pattern->error());
  who.pattern = std::move(pattern);
  return who;
}

Result<Who> read_address(const Term& term) {
  Who who;
  who.kind = Who::Kind::Address;
  const auto add = [&who](const Term& one) -> Result<> {
    if (one.kind != Term::Kind::Text) return term_error(one.line, "expected an address as text");
    const auto network = detail::parse_network(one.text);
    if (!network) return term_error(one.line, "not an address or network: \"" + one.text + '"');
    who.networks.push_back(*network);
    return {};
  };
  if (term.kind == Term::Kind::List) {
    for (const Term& one : term.items) SB_CHECKED(add(one));
  } else {
    SB_CHECKED(add(term));
  }
  return who;
}

Result<Who> read_who(const Term& term) {
  if (term.is_atom("all")) return Who{};
  if (!term.is_tuple(2) || term.items[0].kind != Term::Kind::Atom)
    return term_error(term.line,
                      "expected all, {username, ...}, {clientid, ...}, {ipaddr, ...}, {'and', [...]} or {'or', [...]}");
  const std::string& name = term.items[0].text;
  const Term& value = term.items[1];
  if (name == "username" || name == "user") return read_name(Who::Kind::Username, value);
  if (name == "clientid" || name == "client") return read_name(Who::Kind::ClientId, value);
  if (name == "ipaddr" && value.kind != Term::Kind::List) return read_address(value);
  if (name == "ipaddrs" && value.kind == Term::Kind::List) return read_address(value);
  if (name == "and" || name == "or") {
    Who who;
    who.kind = name == "and" ? Who::Kind::And : Who::Kind::Or;
    SB_TRY(who.parts, read_parts(value));
    return who;
  }
  return term_error(term.line, "unknown kind of client: " + name);
}

Result<> read_option(const Term& option, AclRule& rule) {
  if (!option.is_tuple(2)) return term_error(option.line, "expected {qos, ...} or {retain, ...}");
  const Term& value = option.items[1];
  if (option.items[0].is_atom("qos")) {
    rule.qos_mask = 0;
    const auto add = [&rule](const Term& one) -> Result<> {
      if (one.kind != Term::Kind::Integer || one.number > 2) return term_error(one.line, "qos is 0, 1 or 2");
      rule.qos_mask = static_cast<std::uint8_t>(rule.qos_mask | (1U << one.number));
      return {};
    };
    if (value.kind != Term::Kind::List) return add(value);
    if (value.items.empty()) return term_error(value.line, "qos: expected at least one of 0, 1 and 2");
    for (const Term& one : value.items) SB_CHECKED(add(one));
    return {};
  }
  if (!option.items[0].is_atom("retain")) return term_error(option.line, "unknown option");
  if (!rule.publish) return term_error(option.line, "retain is an option of publish");
  if (value.is_atom("all"))
    rule.retain = std::nullopt;
  else if (value.is_atom("true"))
    rule.retain = true;
  else if (value.is_atom("false"))
    rule.retain = false;
  else
    return term_error(value.line, "retain is true, false or all");
  return {};
}

Result<> read_action(const Term& term, AclRule& rule) {
  const bool with_options = term.is_tuple(2);
  const Term& name = with_options ? term.items[0] : term;
  if (name.is_atom("publish"))
    rule.subscribe = false;
  else if (name.is_atom("subscribe"))
    rule.publish = false;
  else if (!name.is_atom("all"))
    return term_error(term.line, "expected publish, subscribe or all");
  if (!with_options) return {};
  if (term.items[1].kind != Term::Kind::List) return term_error(term.line, "options of an action are a list");
  for (const Term& option : term.items[1].items) SB_CHECKED(read_option(option, rule));
  return {};
}

Result<> read_topic(const Term& term, AclRule& rule) {
  detail::TopicRule topic;
  if (term.is_tuple(2) && term.items[0].is_atom("eq") && term.items[1].kind == Term::Kind::Text) {
    topic.literal = true;
    topic.text = term.items[1].text;
  } else if (term.kind == Term::Kind::Text) {
    topic.literal = term.text.starts_with("eq ");
    topic.text = topic.literal ? term.text.substr(3) : term.text;
    topic.templated = !topic.literal && topic.text.find("${") != std::string::npos;
  } else {
    return term_error(term.line, "expected a topic filter as text or {eq, \"...\"}");
  }
  if (!broker::check_topic_filter(topic.text))
    return term_error(term.line, "not a topic filter: \"" + topic.text + '"');
  rule.topics.push_back(std::move(topic));
  return {};
}

Result<AclRule> read_rule(const Term& term) {
  AclRule rule;
  if (!term.is_tuple(2) && !term.is_tuple(4))
    return term_error(term.line, "a rule is {allow | deny, all} or {allow | deny, Who, Action, Topics}");
  if (term.items[0].is_atom("deny"))
    rule.allow = false;
  else if (!term.items[0].is_atom("allow"))
    return term_error(term.line, "a rule begins with allow or deny");
  if (term.items.size() == 2) {
    if (!term.items[1].is_atom("all")) return term_error(term.line, "a rule of two is {allow | deny, all}");
    rule.any_topic = true;
    return rule;
  }
  SB_TRY(rule.who, read_who(term.items[1]));
  SB_CHECKED(read_action(term.items[2], rule));
  if (term.items[3].kind != Term::Kind::List) return term_error(term.items[3].line, "expected a list of topics");
  for (const Term& topic : term.items[3].items) SB_CHECKED(read_topic(topic, rule));
  return rule;
}

}  // namespace

Acl::Acl() = default;
Acl::~Acl() = default;

Result<std::shared_ptr<const Acl>> Acl::parse(std::string_view text) {
  if (text.size() > kTextMax) return term_error(1, "more rules than 16 MiB of text");
  SB_TRY(const std::vector<Term> terms, detail::parse_terms(text));
  auto acl = std::make_shared<Acl>();
  for (const Term& term : terms) {
    SB_TRY(AclRule rule, read_rule(term));
    acl->rules_.push_back(std::move(rule));
  }
  return std::shared_ptr<const Acl>(std::move(acl));
}

Answer Acl::match(const Subject& subject, const Action& action) const {
  for (const AclRule& rule : rules_)
    if (rule.matches(subject, action)) return rule.allow ? Answer::Allow : Answer::Deny;
  return Answer::NoMatch;
}

std::size_t Acl::size() const {
  return rules_.size();
}

bool Acl::never_denies_publish() const {
  for (const AclRule& rule : rules_) {
    if (!rule.allow && rule.publish) return false;
    if (rule.allow && rule.covers_every_publish()) return true;  // later rules are never reached
  }
  return true;
}

bool Acl::allows_every_publish() const {
  for (const AclRule& rule : rules_) {
    if (!rule.allow && rule.publish) return false;
    if (rule.allow && rule.covers_every_publish()) return true;
  }
  return false;
}

}  // namespace sb::access
