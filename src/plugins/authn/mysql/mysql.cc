// password_based:mysql (access-control 4.2): the first row of a prepared query holds hash, salt and superuser. No
// row, a query that fails and a dead server leave the client to the next authenticator.
#include "access/authn/stored_password.h"
#include "access/backend/sql.h"

namespace sb::plugins::authn::mysql {

namespace {
namespace authn = access::authn;
namespace resource = driver::resource;
using access::backend::Dialect;

constexpr const char* kId = "password_based:mysql";

struct Settings : config::AuthnCommon, access::backend::SqlServer {
  config::milliseconds query_timeout{};
  authn::PasswordHash password_hash_algorithm;
  static const config::Struct& schema();
};

const config::Struct& Settings::schema() {
  using S = Settings;
  static const config::Struct s = [] {
    auto builder = config::authn_schema<S>(kId, true);
    builder.doc("A query to MySQL or MariaDB.");
    S::add_to(builder, Dialect::MySql);
    return builder
        .field("password_hash_algorithm", &S::password_hash_algorithm,
               {.def = "{name = sha256, salt_position = prefix}", .doc = "How passwords are hashed."})
        .field("query_timeout", &S::query_timeout,
               {.def = "5s", .min = 1, .max = 600'000, .doc = "Limit of a question."})
        .finish([](config::Checker& c, const config::Value& v, S& settings) { settings.read(c, v, Dialect::MySql); })
        .build();
  }();
  return s;
}

Result<std::shared_ptr<authn::Provider>> make(const authn::Services& services, const std::string& chain,
                                              std::shared_ptr<const Settings> settings) {
  authn::StoredPassword::Back back;
  back.resource = settings->options(settings, Dialect::MySql, "authn", settings->query_timeout);
  back.values = [settings](const access::Credentials& client) { return settings->statement.values(client); };
  back.fetch = [settings](resource::Connection& connection, const authn::StoredPassword::Values& values,
                          const resource::Limit& limit) -> Result<std::optional<authn::StoredRecord>> {
    SB_TRY(const auto rows, settings->ask(Dialect::MySql, connection, values, limit));
    return authn::record_of(rows);
  };
  back.hash = settings->password_hash_algorithm;
  back.timeout = settings->query_timeout;
  return std::make_shared<authn::StoredPassword>(services, kId, chain, std::move(back));
}
}  // namespace

void add_to(authn::Registry& registry) {
  registry.add(
      {.id = kId,
       .description = "A query to MySQL or MariaDB",
       .schema = &Settings::schema(),
       .make = [](const authn::Services& services, const std::string& chain, std::shared_ptr<const void> settings) {
         return make(services, chain, std::static_pointer_cast<const Settings>(settings));
       }});
}

}  // namespace sb::plugins::authn::mysql
