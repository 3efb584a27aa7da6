// The source `mongodb` (access-control 7.6): documents of the client are rules, tried in the order of the answer.
#include "access/authn/mongodb_settings.h"
#include "access/authz/stored_rules.h"

namespace sb::plugins::authz::mongodb {

namespace {
namespace authn = access::authn;
namespace resource = driver::resource;
using access::Rule;
using access::authz::StoredRules;

constexpr unsigned kDocumentsMax = 1000;

struct Settings : config::AuthzCommon, authn::MongoSettings {
  static const config::Struct& schema();
};

const config::Struct& Settings::schema() {
  static const config::Struct s = [] {
    auto schema = config::authz_schema<Settings>("mongodb");
    schema.doc("Rules in MongoDB.");
    return authn::add_mongo_fields(schema)
        .finish([](config::Checker& c, const config::Value& v, Settings& settings) {
          authn::check_mongo_settings(c, v, settings);
        })
        .build();
  }();
  return s;
}

/// One document; a rule for each of its topics. A field that is there but no text makes a rule that cannot be: it is
/// skipped, rather than read as if the field were absent.
void add_rules(std::vector<Rule>& rules, const driver::mongodb::Document& document) {
  const auto text = [&](std::string_view name, std::string_view absent) -> std::string {
    const auto* values = document.find(name);
    if (!values) return std::string(absent);
    std::string out;
    for (const std::string& value : *values) out += (out.empty() ? "" : ",") + value;
    return out.empty() ? "?" : out;
  };
  const std::string permission = text("permission", "?");
  const std::string action = text("action", "?");
  const std::string qos = text("qos", "");
  const std::string retain = text("retain", "");
  for (const char* field : {"topic", "topics"})
    if (const auto* topics = document.find(field))
      for (const std::string& topic : *topics)
        access::authz::add_rule(
            rules, {.permission = permission, .action = action, .topic = topic, .qos = qos, .retain = retain},
            "authorization:mongodb");
}

Result<std::vector<Rule>> fetch(const Settings& s, resource::Connection& connection, const StoredRules::Values& values,
                                const resource::Limit& limit) {
  SB_TRY(const auto found, authn::mongo_find(s, connection, values, kDocumentsMax, limit));
  std::vector<Rule> rules;
  for (const auto& document : found) add_rules(rules, document);
  return rules;
}
}  // namespace

void add_to(access::authz::Registry& registry) {
  registry.add({.type = "mongodb",
                .description = "Rules in MongoDB",
                .schema = &Settings::schema(),
                .make = [](const access::authz::Services& services,
                           std::shared_ptr<const void> from) -> Result<std::shared_ptr<access::authz::Source>> {
                  const auto settings = std::static_pointer_cast<const Settings>(from);
                  StoredRules::Back back;
                  back.resource.thread_name = "authz-mongo";
                  back.resource.pool_size = settings->pool_size;
                  back.resource.open =
                      [settings](const resource::Limit& limit) -> Result<std::unique_ptr<resource::Connection>> {
                    SB_TRY(const auto options, authn::mongo_options(*settings));
                    return driver::mongodb::Connection::open(options, limit);
                  };
                  back.values = [settings](const access::Subject& subject) {
                    return authn::mongo_values(*settings, access::Credentials{subject, {}, {}, {}});
                  };
                  back.fetch = [settings](resource::Connection& connection, const StoredRules::Values& values,
                                          const resource::Limit& limit) {
                    return fetch(*settings, connection, values, limit);
                  };
                  back.timeout = authn::kMongoTimeout;
                  return std::make_shared<StoredRules>(services, "mongodb", std::move(back));
                }});
}

}  // namespace sb::plugins::authz::mongodb
