#include "plugins/authn/built_in_database/built_in_database.h"

#include "access/authn/import.h"
#include "base/log.h"
#include "base/regular_file.h"
#include "base/secret.h"

namespace sb::plugins::authn::built_in_database {

using access::Authenticated;
using access::authn::Hashed;
using access::authn::User;
using access::authn::UserImport;
using access::authn::UserRef;

namespace {
constexpr const char* kId = "password_based:built_in_database";

Authenticated verdict(bool matches, const User& user) {
  if (!matches) return Authenticated::refused(ReasonCode::BadUserNameOrPassword);
  Authenticated out;
  out.superuser = user.superuser;
  return out;
}

std::optional<access::authn::Unusable> review(const Settings& s) {
  if (s.bootstrap_file.empty()) return std::nullopt;
  const auto text = read_regular_file(s.bootstrap_file, access::authn::kImportMax);
  if (!text) return access::authn::Unusable{"bootstrap_file", text.error().what};
  const auto users = access::authn::read_users(s.bootstrap_file, *text, s.bootstrap_type == BootstrapType::Plain);
  if (!users) return access::authn::Unusable{"bootstrap_file", s.bootstrap_file + ": " + users.error().what};
  return std::nullopt;
}
}  // namespace

const config::Struct& Settings::schema() {
  using S = Settings;
  static const config::Struct s =
      config::authn_schema<S>(kId, true)
          .doc("Users in the node's own database.")
          .field("user_id_type", &S::user_id_type, {.def = "username", .doc = "What names a user."})
          .field("password_hash_algorithm", &S::password_hash_algorithm,
                 {.def = "{name = sha256, salt_position = prefix}", .doc = "How passwords are hashed."})
          .field("bootstrap_file", &S::bootstrap_file,
                 {.doc = "CSV or JSON file of users that are added at start where they are missing.",
                  .since = "5.7",
                  .path = true})
          .field("bootstrap_type", &S::bootstrap_type,
                 {.def = "plain", .doc = "Whether the file holds passwords or hashes.", .since = "5.7"})
          .build();
  return s;
}

class BuiltInDatabase::OnShard final : public access::Authenticator {
 public:
  OnShard(const BuiltInDatabase& from, runtime::Loop& loop)
      : table_(from.table_),
        workers_(from.workers_),
        group_(from.group_.name),
        settings_(from.settings_),
        loop_(loop) {}

  bool defers() const override { return settings_->password_hash_algorithm.slow(); }

  Result authenticate(const access::Credentials& credentials, Reply reply) override {
    if (credentials.method) return {};
    const std::string_view id =
        settings_->user_id_type == UserIdType::Username ? credentials.subject.username : credentials.subject.client_id;
    if (id.empty()) return {};
    const UserRef user = table_.find(group_, id);
    if (!user) return {};
    if (!credentials.password) return {false, Authenticated::refused(ReasonCode::BadUserNameOrPassword)};
    const std::string_view password = as_text(*credentials.password);
    if (!defers())
      return {false,
              verdict(password_matches(settings_->password_hash_algorithm, password, {user->hash, user->salt}), *user)};
    const bool taken = workers_.try_run(
        [settings = settings_, user, secret = Secret(std::string(password)), &loop = loop_, reply] {
          const bool matches =
              password_matches(settings->password_hash_algorithm, secret.reveal(), {user->hash, user->salt});
          loop.post([reply, matches, user] { reply(verdict(matches, *user)); });
        },
        [&loop = loop_, reply] { loop.post([reply] { reply(Authenticated::refused(ReasonCode::ServerBusy)); }); });
    if (!taken) return {false, Authenticated::refused(ReasonCode::ServerBusy)};
    return {true, {}, std::make_shared<const std::atomic<bool>>(true)};
  }

 private:
  const access::authn::UserTable& table_;
  runtime::Workers& workers_;
  const std::string group_;
  const std::shared_ptr<const Settings> settings_;
  runtime::Loop& loop_;
};

BuiltInDatabase::BuiltInDatabase(const access::authn::Services& services, const std::string& chain,
                                 std::shared_ptr<const Settings> settings)
    : table_(services.users),
      workers_(services.workers),
      group_(services.users.key(access::authn::group_of(chain, kId))),
      settings_(std::move(settings)) {}

std::unique_ptr<access::Authenticator> BuiltInDatabase::make(const access::ShardEnvironment& shard) {
  return std::make_unique<OnShard>(*this, shard.loop);
}

Result<> BuiltInDatabase::start() {
  const std::string& path = settings_->bootstrap_file;
  if (path.empty()) return {};
  const auto text = read_regular_file(path, access::authn::kImportMax);
  if (!text) return fail(text.error().code, "bootstrap_file: " + text.error().what);
  const auto failed = [&path](const Error& error) {
    return fail(error.code, fmt::format("bootstrap_file '{}': {}", path, error.what));
  };
  auto import = import_as(path, *text, settings_->bootstrap_type == BootstrapType::Plain, false);
  if (!import) return failed(import.error());
  for (;;) {
    const auto added = import->step();
    if (!added) return failed(added.error());
    if (!*added) continue;
    if (**added > 0) SB_LOG(log::Level::Notice, "users_bootstrapped", kv("file", path), kv("added", **added));
    break;
  }
  return {};
}

Result<> BuiltInDatabase::add(std::string_view user_id, std::string_view password, bool superuser) {
  if (table_.find(group_.name, user_id)) return fail(Errc::Exists, "User already exists");
  SB_TRY(Hashed hashed, hash_password(settings_->password_hash_algorithm, password));
  User user;
  user.id = user_id;
  user.superuser = superuser;
  user.hash = std::move(hashed.hash);
  user.salt = std::move(hashed.salt);
  return table_.create(group_, std::move(user));
}

Result<access::authn::UserDirectory::Entry> BuiltInDatabase::update(std::string_view user_id,
                                                                    std::optional<std::string_view> password,
                                                                    std::optional<bool> superuser) {
  if (!table_.find(group_.name, user_id)) return fail(Errc::NotFound, "User not found");
  std::optional<Hashed> hashed;
  if (password) {
    SB_TRY(hashed, hash_password(settings_->password_hash_algorithm, *password));
  }
  SB_TRY(const User user, table_.update(group_, user_id, [&](User& fresh) {
    if (hashed) {
      fresh.hash = hashed->hash;
      fresh.salt = hashed->salt;
    }
    if (superuser) fresh.superuser = *superuser;
  }));
  return Entry{user.id, user.superuser};
}

std::optional<access::authn::UserDirectory::Entry> BuiltInDatabase::find(std::string_view user_id) const {
  const UserRef user = table_.find(group_.name, user_id);
  return user ? std::optional(Entry{user->id, user->superuser}) : std::nullopt;
}

access::authn::UserDirectory::Page BuiltInDatabase::list(const access::authn::UserQuery& query) const {
  const auto found = table_.list(group_.name, query);
  Page page;
  page.count = found.count;
  for (const UserRef& user : found.rows) page.rows.push_back({user->id, user->superuser});
  return page;
}

Result<UserImport> BuiltInDatabase::import(std::string_view file_name, std::string_view text, bool plain) {
  return import_as(file_name, text, plain, true);
}

Result<UserImport> BuiltInDatabase::import_as(std::string_view file_name, std::string_view text, bool plain,
                                              bool overwrite) {
  SB_TRY(auto imported, access::authn::read_users(file_name, text, plain));
  return UserImport(
      table_, group_, std::move(imported), overwrite,
      [settings = settings_, plain](const access::authn::ImportedUser& from) -> Result<User> {
        User user;
        user.id = from.user_id;
        if (plain) {
          SB_TRY(Hashed hashed, hash_password(settings->password_hash_algorithm, from.password));
          user.hash = std::move(hashed.hash);
          user.salt = std::move(hashed.salt);
        } else {
          SB_CHECKED(check_hash(settings->password_hash_algorithm, from.password_hash));
          user.hash = from.password_hash;
          user.salt = from.salt;
        }
        return user;
      },
      replaced_);
}

void add_to(access::authn::Registry& registry) {
  registry.add({.id = kId,
                .description = "Passwords in the built-in database",
                .schema = &Settings::schema(),
                .make = [](const access::authn::Services& services, const std::string& chain,
                           std::shared_ptr<const void> settings) -> Result<std::shared_ptr<access::authn::Provider>> {
                  return std::make_shared<BuiltInDatabase>(services, chain,
                                                           std::static_pointer_cast<const Settings>(settings));
                },
                .review = [](const void* settings) { return review(*static_cast<const Settings*>(settings)); }});
}

}  // namespace sb::plugins::authn::built_in_database
