#include "access/backend/sql.h"

#include "access/authn/resource_settings.h"
#include "driver/mysql/connection.h"
#include "driver/postgresql/connection.h"

#include <fmt/format.h>

namespace sb::access::backend {

namespace resource = driver::resource;

namespace {
template <class Options>
Result<std::unique_ptr<resource::Connection>> open(const SqlServer& from, Millis query_timeout,
                                                   const resource::Limit& limit) {
  Options options;
  options.server = from.at;
  options.database = from.database;
  options.username = from.username;
  SB_TRY(options.password, config::resolve_secret(from.password));
  SB_TRY(options.tls, authn::resource_tls(from.ssl));
  options.statement_timeout = query_timeout;
  if constexpr (std::is_same_v<Options, driver::mysql::Options>)
    return driver::mysql::Connection::open(options, limit);
  else
    return driver::postgresql::Connection::open(options, limit);
}
}  // namespace

std::string_view name_of(Dialect dialect) {
  return dialect == Dialect::MySql ? "mysql" : "postgresql";
}
std::string_view doc_of(Dialect dialect) {
  return dialect == Dialect::MySql ? "A query to MySQL or MariaDB." : "A query to PostgreSQL.";
}

void SqlServer::read(config::Checker& c, const config::Value& v, Dialect dialect) {
  const bool dollars = dialect == Dialect::PostgreSql;
  auto address =
      resource::parse_server(server, dollars ? driver::postgresql::kDefaultPort : driver::mysql::kDefaultPort);
  if (address)
    at = *std::move(address);
  else
    c.broken(v, "server", "bad_server", authn::expected_server(address.error()));
  auto parsed =
      authn::SqlTemplate::parse(query, dollars ? authn::SqlParameter::Dollar : authn::SqlParameter::QuestionMark);
  if (parsed)
    statement = *std::move(parsed);
  else
    c.broken(v, "query", "bad_query", fmt::format("one SELECT ({})", parsed.error().what));
  // libpq chooses the suites; Connector/C tells no name to a server, and compares the certificate with the host's.
  authn::check_tls(c, v, ssl,
                   dollars
                       ? authn::TlsAbilities{.who = "PostgreSQL", .ciphers = false, .depth = false}
                       : authn::TlsAbilities{.who = "MySQL", .mixed_ciphers = false, .depth = false, .name = false});
}

resource::Options SqlServer::options(std::shared_ptr<const void> owner, Dialect dialect, std::string_view use,
                                     Millis query_timeout) const {
  resource::Options out;
  out.thread_name = fmt::format("{}-{}", use, dialect == Dialect::MySql ? "my" : "pg");
  out.pool_size = pool_size;
  out.open = [this, owner = std::move(owner), dialect, query_timeout](const resource::Limit& limit) {
    return dialect == Dialect::MySql ? open<driver::mysql::Options>(*this, query_timeout, limit)
                                     : open<driver::postgresql::Options>(*this, query_timeout, limit);
  };
  return out;
}

Result<driver::sql::Rows> SqlServer::ask(Dialect dialect, resource::Connection& connection,
                                         const std::vector<std::optional<std::string>>& values,
                                         const resource::Limit& limit) const {
  if (dialect == Dialect::MySql)
    return static_cast<driver::mysql::Connection&>(connection).query(statement.statement(), values, limit);
  return static_cast<driver::postgresql::Connection&>(connection).query(statement.statement(), values, limit);
}

}  // namespace sb::access::backend
