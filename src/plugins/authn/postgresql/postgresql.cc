// password_based:postgresql (access-control 4.3): the first row of a prepared query holds hash, salt and superuser. No
// row, a query that fails and a dead server leave the client to the next authenticator.
#include "access/authn/stored_password.h"
#include "access/backend/sql.h"

namespace sb::plugins::authn::postgresql {

namespace {
namespace authn = access::authn;
namespace resource = driver::resource;
using access::backend::Dialect;

constexpr const char* kId = "password_based:postgresql";
constexpr Millis kQueryTimeout{5'000};  // there is no key for it

struct Settings : config::AuthnCommon, access::backend::SqlServer {
  authn::PasswordHash password_hash_algorithm;
  static const config::Struct& schema();
};

const config::Struct& Settings::schema() {
  using S = Settings;
  static const config::Struct s = [] {
    auto builder = config::authn_schema<S>(kId, true);
    builder.doc("A query to PostgreSQL.");
    S::add_to(builder, Dialect::PostgreSql);
    return builder
        .field("password_hash_algorithm", &S::password_hash_algorithm,
               {.def = "{name = sha256, salt_position = prefix}", .doc = "How passwords are hashed."})
        .finish(
            [](config::Checker& c, const config::Value& v, S& settings) { settings.read(c, v, Dialect::PostgreSql); })
        .build();
  }();
  return s;
}

Result<std::shared_ptr<authn::Provider>> make(const authn::Services& services, const std::string& chain,
                                              std::shared_ptr<const Settings> settings) {
  authn::StoredPassword::Back back;
  back.resource = settings->options(settings, Dialect::PostgreSql, "authn", kQueryTimeout);
  back.values = [settings](const access::Credentials& client) { return settings->statement.values(client); };
  back.fetch = [settings](resource::Connection& connection, const authn::StoredPassword::Values& values,
                          const resource::Limit& limit) -> Result<std::optional<authn::StoredRecord>> {
    SB_TRY(const auto rows, settings->ask(Dialect::PostgreSql, connection, values, limit));
    return authn::record_of(rows);
  };
  back.hash = settings->password_hash_algorithm;
  back.timeout = kQueryTimeout;
  return std::make_shared<authn::StoredPassword>(services, kId, chain, std::move(back));
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
