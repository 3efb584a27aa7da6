// The source `redis` (access-control 7.7): a flat list of topic filters and what may be done with them; it only allows.
// A command that fails is no match.
#include "access/backend/redis.h"

#include "access/authz/stored_rules.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace sb::plugins::authz::redis {

namespace {
namespace json = boost::json;
namespace resource = driver::resource;
using access::Rule;
using access::authz::StoredRules;
using driver::redis::Reply;

constexpr const char* kType = "redis";
constexpr const char* kId = "authorization:redis";
constexpr Millis kTimeout{5'000};  // there is no key for it

struct Settings : config::AuthzCommon, access::backend::RedisServer {
  static const config::Struct& schema();
};

const config::Struct& Settings::schema() {
  using S = Settings;
  static const config::Struct s = [] {
    auto builder = config::authz_schema<S>(kType);
    builder.doc("A command to Redis.");
    S::add_to(builder);
    return builder
        .finish([](config::Checker& c, const config::Value& v, S& settings) {
          settings.read(c, v, {"HGETALL", "HMGET"});
        })
        .build();
  }();
  return s;
}

/// A number, a text, a boolean, or a list of numbers, as Rule::Text has them.
std::string plain(const json::value* value) {
  if (!value || value->is_null()) return {};
  if (value->is_string()) return std::string(std::string_view(value->get_string()));
  if (value->is_bool()) return value->get_bool() ? "true" : "false";
  if (value->is_int64()) return std::to_string(value->get_int64());
  if (!value->is_array()) return "?";
  std::string out;
  for (const json::value& one : value->get_array()) out += (out.empty() ? "" : ",") + plain(&one);
  return out.empty() ? "?" : out;
}

void add(std::vector<Rule>& rules, std::string_view topic, std::string_view text) {
  if (!text.starts_with('{'))
    return access::authz::add_rule(rules, {.permission = "allow", .action = text, .topic = topic}, kId);
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  const json::object* fields = error ? nullptr : parsed.if_object();
  const json::object none;
  if (!fields) fields = &none;  // and its action is no action
  const std::string action = fields->contains("action") ? plain(fields->if_contains("action")) : "?";
  const std::string qos = plain(fields->if_contains("qos"));
  const std::string retain = plain(fields->if_contains("retain"));
  access::authz::add_rule(rules,
                          {.permission = "allow", .action = action, .topic = topic, .qos = qos, .retain = retain}, kId);
}

Result<std::vector<Rule>> fetch(resource::Connection& connection, const StoredRules::Values& values,
                                const resource::Limit& limit) {
  SB_TRY(const Reply reply, Settings::ask(connection, values, limit));
  std::vector<Rule> rules;
  for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    const Reply& topic = reply.elements[i];
    const Reply& rule = reply.elements[i + 1];
    if (topic.kind == Reply::Kind::Text && rule.kind == Reply::Kind::Text) add(rules, topic.text, rule.text);
  }
  return rules;
}

Result<std::shared_ptr<access::authz::Source>> make(const access::authz::Services& services,
                                                    std::shared_ptr<const Settings> settings) {
  StoredRules::Back back;
  back.resource = settings->options(settings, "authz");
  back.values = [settings](const access::Subject& subject) {
    return settings->command.values(access::Credentials{subject, {}, {}, {}});
  };
  back.fetch = fetch;
  back.timeout = kTimeout;
  return std::make_shared<StoredRules>(services, kType, std::move(back));
}
}  // namespace

void add_to(access::authz::Registry& registry) {
  registry.add({.type = kType,
                .description = "A command to Redis",
                .schema = &Settings::schema(),
                .make = [](const access::authz::Services& services, std::shared_ptr<const void> settings) {
                  return make(services, std::static_pointer_cast<const Settings>(settings));
                }});
}

}  // namespace sb::plugins::authz::redis
