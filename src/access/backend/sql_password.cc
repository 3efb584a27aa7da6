#include "access/backend/sql_password.h"

#include "access/authn/stored_password.h"

#include <array>

namespace sb::access::backend {

namespace {
namespace resource = driver::resource;

std::string_view id_of(Dialect dialect) {
  return dialect == Dialect::MySql ? "password_based:mysql" : "password_based:postgresql";
}

struct Settings : config::AuthnCommon, SqlServer {
  config::milliseconds query_timeout = kSqlQueryTimeout;
  authn::PasswordHash password_hash_algorithm;
};

config::Struct schema_of(Dialect dialect) {
  using S = Settings;
  auto schema = config::authn_schema<S>(id_of(dialect), true);
  schema.doc(doc_of(dialect));
  S::add_to(schema, dialect);
  schema.field("password_hash_algorithm", &S::password_hash_algorithm,
               {.def = "{name = sha256, salt_position = prefix}", .doc = "How passwords are hashed."});
  if (dialect == Dialect::MySql)
    schema.field("query_timeout", &S::query_timeout,
                 {.def = "5s", .min = 1, .max = 600'000, .doc = "Limit of a question."});
  schema.finish([dialect](config::Checker& c, const config::Value& v, S& settings) { settings.read(c, v, dialect); });
  return schema.build();
}

std::shared_ptr<authn::Provider> make(Dialect dialect, const authn::Services& services, const std::string& chain,
                                      const std::shared_ptr<const Settings>& settings) {
  authn::StoredPassword::Back back;
  back.resource = settings->options(settings, dialect, "authn", settings->query_timeout);
  back.values = [settings](const Credentials& client) { return settings->statement.values(client); };
  back.fetch = [settings, dialect](resource::Connection& connection, const authn::StoredPassword::Values& values,
                                   const resource::Limit& limit) -> Result<std::optional<authn::StoredRecord>> {
    SB_TRY(const auto rows, settings->ask(dialect, connection, values, limit));
    return authn::record_of(rows);
  };
  back.hash = settings->password_hash_algorithm;
  back.timeout = settings->query_timeout;
  return std::make_shared<authn::StoredPassword>(services, id_of(dialect), chain, std::move(back));
}
}  // namespace

authn::Mechanism sql_password(Dialect dialect) {
  static const std::array<config::Struct, 2> schemas = {schema_of(Dialect::PostgreSql), schema_of(Dialect::MySql)};
  return {.id = std::string(id_of(dialect)),
          .description = doc_of(dialect).substr(0, doc_of(dialect).size() - 1),
          .schema = &schemas[static_cast<std::size_t>(dialect)],
          .make = [dialect](const authn::Services& services, const std::string& chain,
                            std::shared_ptr<const void> settings) -> Result<std::shared_ptr<authn::Provider>> {
            return make(dialect, services, chain, std::static_pointer_cast<const Settings>(settings));
          }};
}

}  // namespace sb::access::backend
