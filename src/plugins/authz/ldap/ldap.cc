// The source `ldap` (access-control 7.9): attributes of the client's entry are the topic filters that it may publish
// to, subscribe to, or both. It only allows.
#include "access/authn/ldap_settings.h"
#include "access/authz/stored_rules.h"

namespace sb::plugins::authz::ldap {

namespace {
namespace resource = driver::resource;
using access::Rule;
using access::authz::StoredRules;
using driver::ldap::Connection;

struct Settings : config::AuthzCommon, access::authn::LdapSettings {
  std::string publish_attribute;
  std::string subscribe_attribute;
  std::string all_attribute;
  static const config::Struct& schema();
};

const config::Struct& Settings::schema() {
  using S = Settings;
  static const config::Struct s = [] {
    auto schema = config::authz_schema<S>("ldap");
    schema.doc("Attributes in an LDAP directory.");
    return access::authn::add_ldap_fields(schema)
        .field("publish_attribute", &S::publish_attribute,
               {.def = "mqttPublishTopic", .min = 1, .doc = "Attribute of filters to publish to."})
        .field("subscribe_attribute", &S::subscribe_attribute,
               {.def = "mqttSubscriptionTopic", .min = 1, .doc = "Attribute of filters to subscribe to."})
        .field("all_attribute", &S::all_attribute,
               {.def = "mqttPubSubTopic", .min = 1, .doc = "Attribute of filters for both."})
        .finish([](config::Checker& c, const config::Value& v, S& settings) {
          access::authn::check_ldap_settings(c, v, settings);
        })
        .build();
  }();
  return s;
}

Result<std::vector<Rule>> fetch(const Settings& s, resource::Connection& connection, const StoredRules::Values& values,
                                const resource::Limit& limit) {
  SB_TRY(const auto entries,
         static_cast<Connection&>(connection)
             .search(*values[0], *values[1], {s.publish_attribute, s.subscribe_attribute, s.all_attribute}, 1, limit));
  std::vector<Rule> rules;
  if (entries.empty()) return rules;
  const std::pair<const std::string*, std::string_view> kinds[] = {
      {&s.publish_attribute, "publish"}, {&s.subscribe_attribute, "subscribe"}, {&s.all_attribute, "all"}};
  for (const auto& [attribute, action] : kinds)
    if (const auto* filters = entries.front().find(*attribute))
      for (const std::string& filter : *filters)
        access::authz::add_rule(rules, {.permission = "allow", .action = action, .topic = filter},
                                "authorization:ldap");
  return rules;
}
}  // namespace

void add_to(access::authz::Registry& registry) {
  registry.add({.type = "ldap",
                .description = "Attributes in an LDAP directory",
                .schema = &Settings::schema(),
                .make = [](const access::authz::Services& services,
                           std::shared_ptr<const void> from) -> Result<std::shared_ptr<access::authz::Source>> {
                  const auto settings = std::static_pointer_cast<const Settings>(from);
                  StoredRules::Back back;
                  back.resource.thread_name = "authz-ldap";
                  back.resource.pool_size = settings->pool_size;
                  back.resource.connect_timeout = settings->request_timeout;
                  back.resource.open =
                      [settings](const resource::Limit& limit) -> Result<std::unique_ptr<resource::Connection>> {
                    SB_TRY(const auto options, access::authn::ldap_options(*settings));
                    return Connection::open(options, limit);
                  };
                  back.values = [settings](const access::Subject& subject) {
                    auto question = access::authn::ldap_question(*settings, access::Credentials{subject, {}, {}, {}});
                    return StoredRules::Values{std::move(question.base), std::move(question.filter)};
                  };
                  back.fetch = [settings](resource::Connection& connection, const StoredRules::Values& values,
                                          const resource::Limit& limit) {
                    return fetch(*settings, connection, values, limit);
                  };
                  back.timeout = settings->query_timeout;
                  return std::make_shared<StoredRules>(services, "ldap", std::move(back));
                }});
}

}  // namespace sb::plugins::authz::ldap
