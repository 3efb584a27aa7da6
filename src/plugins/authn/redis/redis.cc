// password_based:redis (access-control 4.5): fields of a hash hold the client's hash, salt and superuser. No such key,
// a command that fails and a dead server leave the client to the next authenticator.
#include "access/backend/redis.h"

#include "access/authn/stored_password.h"

#include <algorithm>

namespace sb::plugins::authn::redis {

namespace {
namespace authn = access::authn;
namespace resource = driver::resource;
using driver::redis::Reply;

constexpr const char* kId = "password_based:redis";
constexpr Millis kTimeout{5'000};  // there is no key for it

struct Settings : config::AuthnCommon, access::backend::RedisServer {
  authn::PasswordHash password_hash_algorithm;
  static const config::Struct& schema();
};

void check_fields(config::Checker& c, const config::Value& v, const Settings& settings) {
  static constexpr std::string_view kKnown[] = {"password_hash", "password", "salt", "is_superuser"};
  bool hash = false;
  for (const std::string& field : settings.command.fields()) {
    if (std::find(std::begin(kKnown), std::end(kKnown), field) == std::end(kKnown))
      return c.broken(v, "cmd", "bad_command",
                      fmt::format("password_hash, password, salt and is_superuser, not the unknown field {}", field));
    hash = hash || field == "password_hash" || field == "password";
  }
  if (!hash && !settings.command.name().empty())
    c.broken(v, "cmd", "bad_command", "the field password_hash or password among those asked for");
}

const config::Struct& Settings::schema() {
  using S = Settings;
  static const config::Struct s = [] {
    auto builder = config::authn_schema<S>(kId, true);
    builder.doc("A command to Redis.");
    S::add_to(builder);
    return builder
        .field("password_hash_algorithm", &S::password_hash_algorithm,
               {.def = "{name = sha256, salt_position = prefix}", .doc = "How passwords are hashed."})
        .finish([](config::Checker& c, const config::Value& v, S& settings) {
          settings.read(c, v, {"HGET", "HMGET"});
          check_fields(c, v, settings);
        })
        .build();
  }();
  return s;
}

/// nullopt: all fields are nil.
Result<std::optional<authn::StoredRecord>> record_of(const std::vector<std::string>& fields, Reply reply) {
  std::vector<Reply> values;
  if (reply.kind == Reply::Kind::Array)
    values = std::move(reply.elements);
  else
    values.push_back(std::move(reply));
  if (values.size() != fields.size()) return fail(Errc::Corrupt, "the answer has another number of fields");
  std::vector<std::optional<std::string>> texts;
  bool any = false;
  for (const Reply& value : values) {
    texts.emplace_back(value.kind == Reply::Kind::Text ? std::optional(value.text) : std::nullopt);
    any = any || texts.back();
  }
  if (!any) return std::optional<authn::StoredRecord>();
  std::vector<authn::NamedValue> named;
  for (std::size_t i = 0; i < fields.size(); ++i) named.emplace_back(fields[i], &texts[i]);
  return authn::record_of(named);
}

Result<std::shared_ptr<authn::Provider>> make(const authn::Services& services, const std::string& chain,
                                              std::shared_ptr<const Settings> settings) {
  authn::StoredPassword::Back back;
  back.resource = settings->options(settings, "authn");
  back.values = [settings](const access::Credentials& client) { return settings->command.values(client); };
  back.fetch = [settings](resource::Connection& connection, const authn::StoredPassword::Values& values,
                          const resource::Limit& limit) -> Result<std::optional<authn::StoredRecord>> {
    SB_TRY(Reply reply, Settings::ask(connection, values, limit));
    return record_of(settings->command.fields(), std::move(reply));
  };
  back.hash = settings->password_hash_algorithm;
  back.timeout = kTimeout;
  return std::make_shared<authn::StoredPassword>(services, kId, chain, std::move(back));
}
}  // namespace

void add_to(authn::Registry& registry) {
  registry.add(
      {.id = kId,
       .description = "A command to Redis",
       .schema = &Settings::schema(),
       .make = [](const authn::Services& services, const std::string& chain, std::shared_ptr<const void> settings) {
         return make(services, chain, std::static_pointer_cast<const Settings>(settings));
       }});
}

}  // namespace sb::plugins::authn::redis
