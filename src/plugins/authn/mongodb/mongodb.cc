// password_based:mongodb (access-control 4.4): one document holds hash, salt and superuser. No document, one without a
// hash, a search that fails and a dead server leave the client to the next authenticator.
#include "access/authn/mongodb_settings.h"
#include "access/authn/stored_password.h"

namespace sb::plugins::authn::mongodb {

namespace {
namespace authn = access::authn;
namespace resource = driver::resource;

constexpr const char* kId = "password_based:mongodb";

struct Settings : config::AuthnCommon, authn::MongoSettings {
  std::string password_hash_field, salt_field, is_superuser_field;
  authn::PasswordHash password_hash_algorithm;
  static const config::Struct& schema();
};

const config::Struct& Settings::schema() {
  using S = Settings;
  static const config::Struct s = [] {
    auto schema = config::authn_schema<S>(kId, true);
    schema.doc("A search in MongoDB.");
    return authn::add_mongo_fields(schema)
        .field("password_hash_field", &S::password_hash_field,
               {.def = "password_hash", .min = 1, .doc = "Field of the hash."})
        .field("salt_field", &S::salt_field, {.def = "salt", .doc = "Field of the salt."})
        .field("is_superuser_field", &S::is_superuser_field,
               {.def = "is_superuser", .doc = "Field that makes a superuser."})
        .field("password_hash_algorithm", &S::password_hash_algorithm,
               {.def = "{name = sha256, salt_position = prefix}", .doc = "How passwords are hashed."})
        .finish([](config::Checker& c, const config::Value& v, S& settings) {
          authn::check_mongo_settings(c, v, settings);
        })
        .build();
  }();
  return s;
}

Result<std::optional<authn::StoredRecord>> fetch(const Settings& s, resource::Connection& connection,
                                                 const authn::StoredPassword::Values& values,
                                                 const resource::Limit& limit) {
  SB_TRY(const auto found, authn::mongo_find(s, connection, values, 1, limit));
  if (found.empty() || !found.front().find(s.password_hash_field)) return std::optional<authn::StoredRecord>();
  authn::StoredRecord out;
  const std::string* hash = found.front().string(s.password_hash_field);
  const std::string* salt = found.front().string(s.salt_field);
  out.password_hash = hash ? *hash : std::string();
  if (salt) out.salt = *salt;
  out.readable = hash && (salt || !found.front().find(s.salt_field));
  if (const std::string* flag = found.front().text(s.is_superuser_field)) out.superuser = authn::means_superuser(*flag);
  return out;
}

Result<std::shared_ptr<authn::Provider>> make(const authn::Services& services, const std::string& chain,
                                              std::shared_ptr<const Settings> settings) {
  authn::StoredPassword::Back asked;
  asked.resource.thread_name = "authn-mongo";
  asked.resource.pool_size = settings->pool_size;
  asked.resource.open = [settings](const resource::Limit& limit) -> Result<std::unique_ptr<resource::Connection>> {
    SB_TRY(const auto options, authn::mongo_options(*settings));
    return driver::mongodb::Connection::open(options, limit);
  };
  asked.values = [settings](const access::Credentials& credentials) {
    return authn::mongo_values(*settings, credentials);
  };
  asked.fetch = [settings](resource::Connection& connection, const authn::StoredPassword::Values& values,
                           const resource::Limit& limit) { return fetch(*settings, connection, values, limit); };
  asked.hash = settings->password_hash_algorithm;
  asked.timeout = authn::kMongoTimeout;
  return std::make_shared<authn::StoredPassword>(services, kId, chain, std::move(asked));
}
}  // namespace

void add_to(authn::Registry& registry) {
  registry.add(
      {.id = kId,
       .description = "A search in MongoDB",
       .schema = &Settings::schema(),
       .make = [](const authn::Services& services, const std::string& chain, std::shared_ptr<const void> settings) {
         return make(services, chain, std::static_pointer_cast<const Settings>(settings));
       }});
}

}  // namespace sb::plugins::authn::mongodb
