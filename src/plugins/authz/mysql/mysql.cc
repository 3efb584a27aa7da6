// The source `mysql` (access-control 7.5): rows of a prepared query are rules, the first that fits decides. A query
// that fails is no match.
#include "access/authz/stored_rules.h"
#include "access/backend/sql.h"

#include <fmt/format.h>

namespace sb::plugins::authz::mysql {

namespace {
namespace resource = driver::resource;
using access::Rule;
using access::authz::StoredRules;
using access::backend::Dialect;

constexpr const char* kType = "mysql";
constexpr Dialect kDialect = Dialect::MySql;
constexpr Millis kQueryTimeout{5'000};  // there is no key for it

struct Settings : config::AuthzCommon, access::backend::SqlServer {
  static const config::Struct& schema();
};

const config::Struct& Settings::schema() {
  using S = Settings;
  static const config::Struct s = [] {
    auto builder = config::authz_schema<S>(kType);
    builder.doc("A query to MySQL or MariaDB.");
    S::add_to(builder, kDialect);
    return builder
        .finish([](config::Checker& c, const config::Value& v, S& settings) { settings.read(c, v, kDialect); })
        .build();
  }();
  return s;
}

Result<std::shared_ptr<access::authz::Source>> make(const access::authz::Services& services,
                                                    std::shared_ptr<const Settings> settings) {
  StoredRules::Back back;
  back.resource = settings->options(settings, kDialect, "authz", kQueryTimeout);
  back.values = [settings](const access::Subject& subject) {
    return settings->statement.values(access::Credentials{subject, {}, {}, {}});
  };
  back.fetch = [settings](resource::Connection& connection, const StoredRules::Values& values,
                          const resource::Limit& limit) -> Result<std::vector<Rule>> {
    SB_TRY(const auto rows, settings->ask(kDialect, connection, values, limit));
    return access::authz::rules_of(rows, fmt::format("authorization:{}", kType));
  };
  back.timeout = kQueryTimeout;
  return std::make_shared<StoredRules>(services, kType, std::move(back));
}
}  // namespace

void add_to(access::authz::Registry& registry) {
  registry.add({.type = kType,
                .description = "A query to MySQL or MariaDB",
                .schema = &Settings::schema(),
                .make = [](const access::authz::Services& services, std::shared_ptr<const void> settings) {
                  return make(services, std::static_pointer_cast<const Settings>(settings));
                }});
}

}  // namespace sb::plugins::authz::mysql
