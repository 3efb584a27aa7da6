#include "access/backend/sql_rules.h"

#include "access/authz/stored_rules.h"

#include <fmt/format.h>

#include <array>

namespace sb::access::backend {

namespace {
namespace resource = driver::resource;

struct Settings : config::AuthzCommon, SqlServer {};

config::Struct schema_of(Dialect dialect) {
  auto schema = config::authz_schema<Settings>(name_of(dialect));
  schema.doc(doc_of(dialect));
  Settings::add_to(schema, dialect);
  schema.finish(
      [dialect](config::Checker& c, const config::Value& v, Settings& settings) { settings.read(c, v, dialect); });
  return schema.build();
}

std::shared_ptr<authz::Source> make(Dialect dialect, const authz::Services& services,
                                    const std::shared_ptr<const Settings>& settings) {
  authz::StoredRules::Back back;
  back.resource = settings->options(settings, dialect, "authz", kSqlQueryTimeout);
  back.values = [settings](const Subject& subject) {
    return settings->statement.values(Credentials{subject, {}, {}, {}});
  };
  back.fetch = [settings, dialect](resource::Connection& connection, const authz::StoredRules::Values& values,
                                   const resource::Limit& limit) -> Result<std::vector<Rule>> {
    SB_TRY(const auto rows, settings->ask(dialect, connection, values, limit));
    return authz::rules_of(rows, fmt::format("authorization:{}", name_of(dialect)));
  };
  back.timeout = kSqlQueryTimeout;
  return std::make_shared<authz::StoredRules>(services, name_of(dialect), std::move(back));
}
}  // namespace

authz::SourceKind sql_rules(Dialect dialect) {
  static const std::array<config::Struct, 2> schemas = {schema_of(Dialect::PostgreSql), schema_of(Dialect::MySql)};
  return {.type = std::string(name_of(dialect)),
          .description = doc_of(dialect).substr(0, doc_of(dialect).size() - 1),
          .schema = &schemas[static_cast<std::size_t>(dialect)],
          .make = [dialect](const authz::Services& services,
                            std::shared_ptr<const void> settings) -> Result<std::shared_ptr<authz::Source>> {
            return make(dialect, services, std::static_pointer_cast<const Settings>(settings));
          }};
}

}  // namespace sb::access::backend
