#include "plugins/authn/jwt/detail/token.h"

#include "access/authn/base64.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace sb::plugins::authn::jwt::detail {

namespace json = boost::json;

namespace {

std::optional<json::object> object_of(std::string_view part) {
  const auto text = access::authn::decode_base64url(part);
  if (!text) return std::nullopt;
  boost::system::error_code error;
  json::value value = json::parse(*text, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

std::string text_of(const json::object& from, std::string_view name) {
  const json::value* value = from.if_contains(name);
  return value && value->is_string() ? std::string(std::string_view(value->get_string())) : std::string();
}

/// Seconds of a time claim, rounded towards "sooner"; nullopt: not a number.
std::optional<std::int64_t> number_of(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) return INT64_MAX;
  double real = 0;
  if (value.is_double()) {
    real = value.get_double();
  } else if (value.is_string()) {
    const std::string_view text = value.get_string();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), real);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (!std::isfinite(real)) return std::nullopt;
  if (real >= 9e18) return INT64_MAX;
  if (real <= -9e18) return INT64_MIN;
  return static_cast<std::int64_t>(std::floor(real));
}

std::string scalar_text(const json::value& value) {
  if (value.is_string()) return std::string(std::string_view(value.get_string()));
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  if (value.is_double()) return fmt::format("{}", value.get_double());
  return {};
}

/// In the grammar of the file ACL, which knows placeholders, `eq ` and how subscriptions are covered.
std::string quoted(std::string_view topic) {
  std::string out = "\"";
  for (const char c : topic) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string topics_of(const json::value& value) {
  std::string out;
  const auto add = [&out](const json::value& topic) {
    if (!topic.is_string()) return;
    out += out.empty() ? "" : ", ";
    out += quoted(std::string_view(topic.get_string()));
  };
  if (value.is_string()) add(value);
  if (const json::array* list = value.if_array())
    for (const json::value& topic : *list) add(topic);
  return out;
}

class AclRules final : public access::ClientRules {
 public:
  AclRules(access::AclRef acl, Opinion otherwise) : acl_(std::move(acl)), otherwise_(otherwise) {}
  Opinion decide(const access::Subject& subject, const access::Action& action) const override {
    switch (acl_->match(subject, action)) {
      case access::Answer::Allow:
        return Opinion::Allow;
      case access::Answer::Deny:
        return Opinion::Deny;
      default:
        return otherwise_;
    }
  }

 private:
  access::AclRef acl_;
  Opinion otherwise_;
};

/// What cannot be read must not open anything.
std::shared_ptr<const access::ClientRules> deny_all() {
  return std::make_shared<AclRules>(std::make_shared<access::Acl>(), access::ClientRules::Opinion::Deny);
}

std::shared_ptr<const access::ClientRules> parsed(const std::string& text, access::ClientRules::Opinion otherwise) {
  auto acl = access::Acl::parse(text);
  if (!acl) return deny_all();
  return std::make_shared<AclRules>(*std::move(acl), otherwise);
}

std::shared_ptr<const access::ClientRules> rules_of_map(const json::object& claim) {
  std::string text;
  for (const auto& [key, action] : {std::pair{"pub", "publish"}, {"sub", "subscribe"}, {"all", "all"}}) {
    const json::value* topics = claim.if_contains(key);
    const std::string list = topics ? topics_of(*topics) : std::string();
    if (!list.empty()) text += std::string("{allow, all, ") + action + ", [" + list + "]}.\n";
  }
  return parsed(text, access::ClientRules::Opinion::Deny);
}

/// Options of one rule of the list: `[{qos, [0, 1]}, {retain, true}]`; nullopt: not understood.
std::optional<std::string> conditions_of(const json::object& rule, bool subscribing) {
  std::string out;
  if (const json::value* qos = rule.if_contains("qos")) {
    std::string list;
    json::array all = qos->is_array() ? qos->get_array() : json::array{*qos};
    for (const json::value& one : all) {
      const auto number = number_of(one);
      if (!number || *number < 0 || *number > 2) return std::nullopt;
      list += (list.empty() ? "" : ", ") + std::to_string(*number);
    }
    if (list.empty()) return std::nullopt;
    out = "{qos, [" + list + "]}";
  }
  if (const json::value* retain = rule.if_contains("retain"); retain && !subscribing) {
    const std::string text = scalar_text(*retain);
    if (text != "true" && text != "false" && text != "all" && text != "1" && text != "0") return std::nullopt;
    if (text != "all")
      out += std::string(out.empty() ? "" : ", ") + "{retain, " + (text == "true" || text == "1" ? "true}" : "false}");
  }
  return out;
}

std::shared_ptr<const access::ClientRules> rules_of_list(const json::array& claim) {
  std::string text;
  for (const json::value& one : claim) {
    const json::object* rule = one.if_object();
    if (!rule) return deny_all();
    const std::string permission = text_of(*rule, "permission");
    const std::string wanted = text_of(*rule, "action");
    std::string action;
    if (wanted == "pub" || wanted == "publish") action = "publish";
    if (wanted == "sub" || wanted == "subscribe") action = "subscribe";
    if (wanted == "all") action = "all";
    const auto conditions = conditions_of(*rule, action == "subscribe");
    std::string topics;
    for (const char* key : {"topic", "topics"})
      if (const json::value* list = rule->if_contains(key)) topics = topics_of(*list);
    if ((permission != "allow" && permission != "deny") || action.empty() || topics.empty() || !conditions)
      return deny_all();
    if (!conditions->empty()) action = "{" + action + ", [" + *conditions + "]}";
    text += "{" + permission + ", all, " + action + ", [" + topics + "]}.\n";
  }
  return parsed(text, access::ClientRules::Opinion::None);
}

}  // namespace

std::optional<Token> parse_token(std::string_view text) {
  const auto first = text.find('.');
  const auto second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  const auto header = object_of(text.substr(0, first));
  auto claims = header ? object_of(text.substr(first + 1, second - first - 1)) : std::nullopt;
  auto signature = access::authn::decode_base64url(text.substr(second + 1));
  if (!header || !claims || !signature || header->contains("crit")) return std::nullopt;  // RFC 7515 4.1.11
  Token out;
  out.algorithm = text_of(*header, "alg");
  out.key_id = text_of(*header, "kid");
  out.claims = *std::move(claims);
  out.signed_text = text.substr(0, second);
  out.signature = *std::move(signature);
  return out;
}

bool verify_token(const Token& token, const KeySet& keys) {
  const Algorithm* algorithm = find_algorithm(token.algorithm);
  if (!algorithm) return false;
  for (const bool named : {true, false}) {
    if (named && token.key_id.empty()) continue;
    for (const Key& key : keys) {
      const bool is_named = !token.key_id.empty() && key.id == token.key_id;
      if (is_named == named && key.verifies(*algorithm, token.signed_text, token.signature)) return true;
    }
  }
  return false;
}

bool names_known_key(const Token& token, const KeySet& keys) {
  if (token.key_id.empty()) return true;
  for (const Key& key : keys)
    if (key.id == token.key_id) return true;
  return false;
}

std::optional<std::int64_t> time_claim(const json::object& claims, std::string_view name) {
  const json::value* value = claims.if_contains(name);
  return value ? number_of(*value) : std::nullopt;
}

bool truth_claim(const json::object& claims, std::string_view name) {
  const json::value* value = claims.if_contains(name);
  if (!value) return false;
  if (value->is_bool()) return value->get_bool();
  if (value->is_string() && value->get_string() == "true") return true;
  const auto number = value->is_double() ? std::nullopt : number_of(*value);
  return number && *number >= 1;
}

bool claims_hold(const json::object& claims, const Required& required, const access::Subject& subject,
                 std::int64_t now_s) {
  for (const char* name : {"exp", "nbf", "iat"}) {
    if (!claims.contains(name)) continue;
    const auto time = time_claim(claims, name);
    if (!time) return false;
    if (name == std::string_view("exp") ? *time <= now_s : *time > now_s) return false;
  }
  for (const auto& [name, wanted] : required) {
    const json::value* value = claims.if_contains(name);
    if (!value) return false;
    std::string expected = wanted;
    if (wanted == "${clientid}") expected = subject.client_id;
    if (wanted == "${username}") expected = subject.username;
    const bool scalar = value->is_string() || value->is_bool() || value->is_number();
    if (!scalar || scalar_text(*value) != expected) return false;
    // Who has no name is nobody: an empty claim does not stand for it.
    if (wanted == "${username}" && expected.empty()) return false;
  }
  return true;
}

std::shared_ptr<const access::ClientRules> rules_of(const json::object& claims, std::string_view name) {
  const json::value* claim = claims.if_contains(name);
  if (!claim) return nullptr;
  if (!claim->is_object() && !claim->is_array()) return nullptr;
  // 4.8: rules whose end is not told exactly open nothing.
  if (const json::value* end = claims.if_contains("exp"); end && !end->is_int64() && !end->is_uint64())
    return deny_all();
  return claim->is_object() ? rules_of_map(claim->get_object()) : rules_of_list(claim->get_array());
}

}  // namespace sb::plugins::authn::jwt::detail
