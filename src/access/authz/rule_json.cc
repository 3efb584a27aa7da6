#include "access/authz/rule_json.h"

#include "base/json_text.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace sb::access::authz {

namespace json = boost::json;

namespace {
Result<RuleText> read_rule(const json::value& value) {
  const json::object* object = value.if_object();
  if (!object) return fail(Errc::Invalid, "expected an object");
  RuleText out;
  bool topic = false, permission = false, action = false;
  for (const auto& [key, member] : *object) {
    const json::string* text = member.if_string();
    if (key == "topic") {
      if (!text) return fail(Errc::Invalid, "topic is a text");
      out.topic = std::string_view(*text);
      topic = true;
    } else if (key == "permission") {
      if (!text || (*text != "allow" && *text != "deny")) return fail(Errc::Invalid, "permission is allow or deny");
      out.allow = *text == "allow";
      permission = true;
    } else if (key == "action") {
      if (!text || (*text != "publish" && *text != "subscribe" && *text != "all"))
        return fail(Errc::Invalid, "action is publish, subscribe or all");
      out.action = std::string_view(*text);
      action = true;
    } else if (key == "qos") {
      const auto add = [&out](const json::value& one) {
        const std::int64_t* number = one.if_int64();
        if (!number || *number < 0 || *number > 2) return false;
        out.qos = static_cast<std::uint8_t>(out.qos | (1U << *number));
        return true;
      };
      out.qos = 0;
      if (const json::array* list = member.if_array()) {
        for (const json::value& one : *list)
          if (!add(one)) return fail(Errc::Invalid, "qos is a list of 0, 1, 2");
        if (list->empty()) return fail(Errc::Invalid, "qos is a list of 0, 1, 2");
      } else if (!add(member)) {
        return fail(Errc::Invalid, "qos is a list of 0, 1, 2");
      }
    } else if (key == "retain") {
      if (member.is_bool())
        out.retain = member.get_bool();
      else if (!text || *text != "all")
        return fail(Errc::Invalid, "retain is true, false or \"all\"");
    } else {
      return fail(Errc::Invalid, fmt::format("unknown key {}", std::string_view(key)));
    }
  }
  if (!topic || !permission || !action) return fail(Errc::Invalid, "topic, permission and action are required");
  return out;
}
}  // namespace

std::string rules_to_json(std::span<const RuleText> rules) {
  std::string out = "[";
  for (const RuleText& rule : rules) {
    std::string qos;
    for (int n = 0; n < 3; ++n)
      if ((rule.qos & (1U << n)) != 0) qos += (qos.empty() ? "" : ",") + std::to_string(n);
    out +=
        fmt::format(R"({}{{"topic":{},"permission":"{}","action":"{}","qos":[{}],"retain":{}}})",
                    out.size() > 1 ? "," : "", json_quoted(rule.topic), rule.allow ? "allow" : "deny", rule.action, qos,
                    !rule.retain   ? "\"all\""
                    : *rule.retain ? "true"
                                   : "false");
  }
  return out + "]";
}

Result<std::vector<RuleText>> rules_from_json(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_array()) return fail(Errc::Invalid, "rules are a list");
  std::vector<RuleText> out;
  for (const json::value& one : value.get_array()) {
    auto rule = read_rule(one);
    if (!rule) return fail(Errc::Invalid, fmt::format("rule {}: {}", out.size() + 1, rule.error().what));
    out.push_back(*std::move(rule));
  }
  return out;
}

std::string_view to_string(Holder holder) {
  switch (holder) {
    case Holder::ClientId:
      return "clientid";
    case Holder::Username:
      return "username";
    case Holder::All:
      return "all";
  }
  return "all";
}

}  // namespace sb::access::authz
