#include "plugins/authn/scram/scram.h"

#include "access/authn/base64.h"
#include "access/authn/import.h"
#include "access/authn/password.h"
#include "plugins/authn/scram/detail/exchange.h"

namespace sb::plugins::authn::scram {

using access::Authenticated;
using access::authn::User;
using access::authn::UserRef;

namespace {
constexpr const char* kId = "scram:built_in_database";
constexpr std::size_t kSaltSize = 16;  // in hexadecimal digits, which are the salt themselves
constexpr std::size_t kNonceBytes = 24;
constexpr std::size_t kSecretBytes = 32;
/// A group of its own: it is stored, and no authenticator's.
constexpr const char* kSecretGroup = "scram/secret";
constexpr const char* kSecretId = "salts";
constexpr std::uint32_t kIterationsMin = 4096;
constexpr std::uint32_t kIterationsMax = 10'000'000;

detail::Hash hash_of(AlgorithmName name) {
  return name == AlgorithmName::Sha256 ? detail::Hash::Sha256 : detail::Hash::Sha512;
}
std::string_view method_of(AlgorithmName name) {
  return name == AlgorithmName::Sha256 ? "SCRAM-SHA-256" : "SCRAM-SHA-512";
}
}  // namespace

const config::Struct& Settings::schema() {
  using S = Settings;
  static const config::Struct s =
      config::authn_schema<S>(kId, true)
          .doc("SCRAM over MQTT 5 enhanced authentication.")
          .field("algorithm", &S::algorithm, {.def = "sha256", .doc = "Hash of the mechanism."})
          .field("iteration_count", &S::iteration_count,
                 {.def = "4096",
                  .min = kIterationsMin,
                  .max = kIterationsMax,
                  .doc = "Rounds of the hash of users that are added from now on."})
          .build();
  return s;
}

/// Between the client's first message and its last.
class Scram::Round final : public access::Conversation {
 public:
  const Scram* owner = nullptr;
  detail::ClientFirst first;
  std::string server_first;
  detail::Verifier verifier;
  UserRef user;  // null: nobody has that name
  bool over = false;
};

class Scram::OnShard final : public access::Authenticator {
 public:
  explicit OnShard(const Scram& provider) : provider_(provider), hash_(hash_of(provider.settings_->algorithm)) {}

  Result authenticate(const access::Credentials& credentials, Reply) override {
    if (!credentials.method || *credentials.method != method_of(provider_.settings_->algorithm) || !credentials.data)
      return {};
    const std::string_view message = as_text(*credentials.data);
    if (!credentials.conversation) return begin(message, credentials.subject.username);
    auto* round = dynamic_cast<Round*>(credentials.conversation.get());
    if (!round || round->owner != &provider_ || round->over) return refused();
    round->over = true;
    const auto final = detail::finish(hash_, round->first, round->server_first, message, round->verifier);
    if (!final || !round->user) return refused();
    // As the user is now: one who went meanwhile, or has another password, is nobody.
    const UserRef now = provider_.table_.find(provider_.group_.name, round->first.user);
    if (!now || now->hash != round->user->hash || now->salt != round->user->salt) return refused();
    Authenticated out;
    out.superuser = now->superuser;
    out.username = round->first.user;
    out.data = *final;
    return {false, std::move(out)};
  }

 private:
  static Result refused() { return {false, Authenticated::refused(ReasonCode::NotAuthorized)}; }

  Result begin(std::string_view message, std::string_view connect_name) {
    auto first = detail::parse_client_first(message);
    auto nonce = access::authn::random_hex(kNonceBytes);
    if (!first || !nonce) return refused();
    // Rules and bans go by the name of the CONNECT if it has one: nobody proves one name and goes by another.
    if (!connect_name.empty() && connect_name != first->user)
      return {false, Authenticated::refused(ReasonCode::BadUserNameOrPassword)};
    auto round = std::make_shared<Round>();
    const UserRef user = provider_.table_.find(provider_.group_.name, first->user);
    // Keys of another algorithm serve as little as none.
    if (user && user->algorithm == config::to_string(provider_.settings_->algorithm)) {
      round->verifier = {user->salt, user->iterations, user->hash, user->server_key};
      round->user = user;
    } else {
      const std::string made = detail::hmac(hash_, provider_.secret_, first->user);
      round->verifier = {access::authn::to_hex(made).substr(0, kSaltSize), provider_.usual_iterations(first->user),
                         made, made};
    }
    round->owner = &provider_;
    round->first = *std::move(first);
    round->server_first = detail::server_first(round->first, *nonce, round->verifier);
    Authenticated out;
    out.code = ReasonCode::ContinueAuthentication;
    out.data = round->server_first;
    out.conversation = std::move(round);
    return {false, std::move(out)};
  }

  const Scram& provider_;  // the chain that this stands in holds it
  const detail::Hash hash_;
};

Scram::Scram(const access::authn::Services& services, const std::string& chain,
             std::shared_ptr<const Settings> settings)
    : table_(services.users),
      group_(services.users.key(access::authn::group_of(chain, kId))),
      settings_(std::move(settings)) {}

Result<> Scram::start() {
  UserRef kept = table_.find(kSecretGroup, kSecretId);
  if (!kept) {
    User fresh;
    fresh.id = kSecretId;
    SB_TRY(fresh.hash, access::authn::random_hex(kSecretBytes));
    SB_CHECKED(table_.put(kSecretGroup, {std::move(fresh)}, false));
    kept = table_.find(kSecretGroup, kSecretId);
  }
  secret_ = kept->hash;
  return {};
}

/// What a user of that name would have: those of whoever is next in the table, as they differ where the configuration
/// has changed.
std::uint32_t Scram::usual_iterations(std::string_view user_id) const {
  const UserRef next = table_.next(group_.name, user_id);
  return next && next->iterations > 0 ? next->iterations : settings_->iteration_count;
}

std::unique_ptr<access::Authenticator> Scram::make(const access::ShardEnvironment&) {
  return std::make_unique<OnShard>(*this);
}

Result<User> Scram::user_of(const Settings& settings, std::string_view user_id, std::string_view password) {
  if (!detail::acceptable(user_id)) return fail(Errc::Invalid, "user_id: prohibited characters");
  SB_TRY(const std::string hex, access::authn::random_hex(kSaltSize / 2));
  SB_TRY(const detail::Verifier made,
         detail::make_verifier(hash_of(settings.algorithm), password, hex, settings.iteration_count));
  User user;
  user.id = user_id;
  user.hash = made.stored_key;
  user.salt = made.salt;
  user.server_key = made.server_key;
  user.algorithm = config::to_string(settings.algorithm);
  user.iterations = made.iterations;
  return user;
}

Result<> Scram::add(std::string_view user_id, std::string_view password, bool superuser) {
  if (table_.find(group_.name, user_id)) return fail(Errc::Exists, "User already exists");
  SB_TRY(User user, user_of(*settings_, user_id, password));
  user.superuser = superuser;
  return table_.create(group_, std::move(user));
}

Result<access::authn::UserDirectory::Entry> Scram::update(std::string_view user_id,
                                                          std::optional<std::string_view> password,
                                                          std::optional<bool> superuser) {
  if (!table_.find(group_.name, user_id)) return fail(Errc::NotFound, "User not found");
  std::optional<User> made;
  if (password) {
    SB_TRY(made, user_of(*settings_, user_id, *password));
  }
  SB_TRY(const User user, table_.update(group_, user_id, [&](User& fresh) {
    const bool before = fresh.superuser;
    if (made) fresh = *made;
    fresh.superuser = superuser.value_or(before);
  }));
  return Entry{user.id, user.superuser};
}

std::optional<access::authn::UserDirectory::Entry> Scram::find(std::string_view user_id) const {
  const UserRef user = table_.find(group_.name, user_id);
  return user ? std::optional(Entry{user->id, user->superuser}) : std::nullopt;
}

access::authn::UserDirectory::Page Scram::list(const access::authn::UserQuery& query) const {
  const auto found = table_.list(group_.name, query);
  Page page;
  page.count = found.count;
  for (const UserRef& user : found.rows) page.rows.push_back({user->id, user->superuser});
  return page;
}

Result<access::authn::UserImport> Scram::import(std::string_view file_name, std::string_view text, bool plain) {
  if (!plain) return fail(Errc::Unsupported, "the keys of SCRAM cannot be made of password hashes");
  SB_TRY(auto imported, access::authn::read_users(file_name, text, true));
  return access::authn::UserImport(
      table_, group_, std::move(imported), true,
      [settings = settings_](const access::authn::ImportedUser& from) {
        return user_of(*settings, from.user_id, from.password);
      },
      replaced_);
}

void add_to(access::authn::Registry& registry) {
  registry.add({.id = kId,
                .description = "SCRAM with the built-in database",
                .schema = &Settings::schema(),
                .make = [](const access::authn::Services& services, const std::string& chain,
                           std::shared_ptr<const void> settings) -> Result<std::shared_ptr<access::authn::Provider>> {
                  return std::make_shared<Scram>(services, chain, std::static_pointer_cast<const Settings>(settings));
                }});
}

}  // namespace sb::plugins::authn::scram
