// password_based:postgresql (access-control 4.3): the first row of a prepared query holds hash, salt and superuser. No
// row, a query that fails and a dead server leave the client to the next authenticator.
#include "access/authn/resource_settings.h"
#include "access/authn/sql_template.h"
#include "access/authn/stored_password.h"
#include "driver/postgresql/connection.h"

namespace sb::plugins::authn::postgresql {

namespace {
namespace authn = access::authn;
namespace resource = driver::resource;
namespace sql = driver::sql;
namespace back = driver::postgresql;

constexpr const char* kId = "password_based:postgresql";
/// There is no key for it.
constexpr Millis kQueryTimeout{5'000};

struct Settings : config::AuthnCommon {
  std::string server;
  std::string database;
  std::string username;
  Secret password;
  std::uint32_t pool_size = 8;
  std::string query;
  authn::PasswordHash password_hash_algorithm;
  config::ClientTls ssl;

  resource::Server at;  // parsed
  authn::SqlTemplate statement;
  static const config::Struct& schema();
};

const config::Struct& Settings::schema() {
  using S = Settings;
  static const config::Struct s =
      config::authn_schema<S>(kId, true)
          .doc("A query to PostgreSQL.")
          .field("server", &S::server, {.min = 1, .doc = "host, or host:port; 5432 without.", .required = true})
          .field("database", &S::database, {.min = 1, .doc = "Name of the database.", .required = true})
          .field("username", &S::username, {.min = 1, .doc = "User of the database.", .required = true})
          .field("password", &S::password, {.doc = "Password of that user.", .secret = true})
          .field("pool_size", &S::pool_size, {.def = "8", .min = 1, .max = 256, .doc = "Most connections."})
          .field("query", &S::query,
                 {.min = 1, .doc = "SELECT with placeholders; they become parameters.", .required = true})
          .field("password_hash_algorithm", &S::password_hash_algorithm,
                 {.def = "{name = sha256, salt_position = prefix}", .doc = "How passwords are hashed."})
          .field("ssl", &S::ssl, {.doc = "TLS to the server."})
          .accept<bool>("auto_reconnect", {.def = "true"})
          .finish([](config::Checker& c, const config::Value& v, S& settings) {
            auto at = resource::parse_server(settings.server, back::kDefaultPort);
            if (at)
              settings.at = *std::move(at);
            else
              c.broken(v, "server", "bad_server", at.error().what);
            auto statement = authn::SqlTemplate::parse(settings.query, authn::SqlParameter::Dollar);
            if (statement)
              settings.statement = *std::move(statement);
            else
              c.broken(v, "query", "bad_query", statement.error().what);
          })
          .build();
  return s;
}

/// Secrets in files are read at every attempt.
Result<std::unique_ptr<resource::Connection>> open(const Settings& settings, const resource::Limit& limit) {
  back::Options options;
  options.server = settings.at;
  options.database = settings.database;
  options.username = settings.username;
  SB_TRY(options.password, config::resolve_secret(settings.password));
  SB_TRY(options.tls, authn::resource_tls(settings.ssl));
  options.statement_timeout = kQueryTimeout;
  return back::Connection::open(options, limit);
}

Result<std::optional<authn::StoredRecord>> fetch(const Settings& settings, resource::Connection& connection,
                                                 const authn::StoredPassword::Values& values,
                                                 const resource::Limit& limit) {
  SB_TRY(const sql::Rows found,
         static_cast<back::Connection&>(connection).query(settings.statement.statement(), values, limit));
  if (found.rows.empty()) return std::optional<authn::StoredRecord>();
  std::vector<authn::NamedValue> named;
  for (std::size_t i = 0; i < found.columns.size(); ++i) named.emplace_back(found.columns[i], &found.rows[0][i]);
  return authn::record_of(named);
}

Result<std::shared_ptr<authn::Provider>> make(const authn::Services& services, const std::string& chain,
                                              std::shared_ptr<const Settings> settings) {
  authn::StoredPassword::Back asked;
  asked.resource.thread_name = "authn-pg";
  asked.resource.pool_size = settings->pool_size;
  asked.resource.open = [settings](const resource::Limit& limit) { return open(*settings, limit); };
  asked.values = [settings](const access::Credentials& credentials) { return settings->statement.values(credentials); };
  asked.fetch = [settings](resource::Connection& connection, const authn::StoredPassword::Values& values,
                           const resource::Limit& limit) { return fetch(*settings, connection, values, limit); };
  asked.hash = settings->password_hash_algorithm;
  asked.timeout = kQueryTimeout;
  return std::make_shared<authn::StoredPassword>(services, kId, chain, std::move(asked));
}
}  // namespace

void add_to(authn::Registry& registry) {
  registry.add(
      {.id = kId,
       .description = "A query to PostgreSQL",
       .schema = &Settings::schema(),
       .make = [](const authn::Services& services, const std::string& chain, std::shared_ptr<const void> settings) {
         return make(services, chain, std::static_pointer_cast<const Settings>(settings));
       }});
}

}  // namespace sb::plugins::authn::postgresql
