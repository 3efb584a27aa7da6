// Who may manage the node: users of the dashboard with their log-ins, and API keys of programs (management-api 3).
// Kept in memory and written through to the store before a change counts. Belongs to the management thread; the slow
// hashes run on a thread of its own and their answers come back to the loop.
#pragma once

#include "access/failure_limit.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "management/role.h"
#include "runtime/loop.h"
#include "runtime/workers.h"
#include "store/key_value.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sb::management {

struct AccountSettings {
  std::string default_username = "admin";
  Secret default_password{"public"};
  Millis token_lifetime{3'600'000};
  bool lockout = true;
  access::FailureLimitSettings per_user{true, 10, Millis{300'000}, Millis{300'000}};
  access::FailureLimitSettings per_address{true, 100, Millis{300'000}, Millis{300'000}};
};

struct Admin {
  std::string username;
  Role role = Role::Administrator;
  std::string password;  // hash
  std::string description;
  bool initial = false;  // has the password that everybody knows: it counts on this machine only
};

/// What a fresh node has, as everybody knows.
inline constexpr std::string_view kWellKnownPassword = "public";

struct ApiKey {
  std::string name;
  std::string key;
  std::string secret;  // hash
  Role role = Role::Administrator;
  bool enable = true;
  std::string description;
  std::int64_t created_ms = 0;
  std::int64_t expires_ms = 0;  // 0 = never
  bool expired(std::int64_t now_ms) const { return expires_ms != 0 && expires_ms < now_ms; }
};

struct Origin {
  std::string address;
  bool loopback = false;
};

struct LoginOutcome {
  enum class Kind : std::uint8_t { Ok, Refused, Locked, LocalOnly, Busy } kind = Kind::Refused;
  std::string token{};
  Role role = Role::Administrator;
  std::int64_t retry_after_s = 0;  // Locked
  bool must_change = false;        // Ok: the initial password
};

struct BootstrapKey {
  std::string key;
  Secret secret;
  Role role = Role::Administrator;
};
/// Appends what the lines of a file say, key:secret or key:secret:role each, up to the first bad one, which the error
/// names.
[[nodiscard]] Result<> read_api_keys(const std::string& file, std::vector<BootstrapKey>& out);

class Accounts {
 public:
  static constexpr std::size_t kApiKeysMax = 100;
  static constexpr std::size_t kTokensMax = 10'000;  // the one that ends first makes room

  explicit Accounts(runtime::Loop& loop);
  ~Accounts();
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;

  /// Before the loop runs; `store` may be null: then nothing survives. Makes the default user where there is none.
  [[nodiscard]] Result<> open(store::KeyValue* store, AccountSettings settings);
  void set_settings(AccountSettings settings) { settings_ = std::move(settings); }
  const AccountSettings& settings() const { return settings_; }
  std::int64_t now_ms() const { return loop_.clock().wall_ms(); }
  /// No hash is computed afterwards; before the loop ends.
  void stop();

  // --- log-in
  void login(std::string username, std::string password, Origin from, std::function<void(LoginOutcome)> done);
  /// False: not a token of that user.
  bool logout(std::string_view token, std::string_view username);
  struct Session {
    std::string username;
    Role role = Role::Administrator;
    bool initial = false;  // with the password that everybody knows
  };
  enum class TokenState : std::uint8_t { Good, Unknown, Expired };
  /// A good token lives on from now.
  TokenState check_token(std::string_view token, Session& session);

  // --- users
  std::vector<Admin> admins() const;
  const Admin* find_admin(std::string_view username) const;
  using Changed = std::function<void(Result<>)>;
  /// Invalid: a rule of name or password. Exists.
  void add_admin(std::string username, std::string password, Role role, std::string description, Changed done);
  /// NotFound.
  [[nodiscard]] Result<> update_admin(std::string_view username, Role role, std::string description);
  [[nodiscard]] Result<> remove_admin(std::string_view username);
  /// NotFound; Invalid: a rule; Denied: the old password is another one (not asked for without); Full: it was another
  /// one too often, see retry_after_s().
  void change_password(std::string username, std::optional<std::string> old_password, std::string password, Origin from,
                       Changed done);
  /// Seconds until passwords of this user are tried again; 0: at once.
  std::int64_t retry_after_s(std::string_view username, const Origin& from) const;

  // --- API keys
  std::vector<ApiKey> api_keys() const;
  const ApiKey* find_api_key(std::string_view name) const;
  /// Invalid, Exists, Full. Returns the secret, which is not kept. `wanted` has no key and no secret.
  [[nodiscard]] Result<std::string> add_api_key(ApiKey wanted);
  /// NotFound. `wanted` names what is stored; key and secret stay.
  [[nodiscard]] Result<> update_api_key(ApiKey wanted);
  [[nodiscard]] Result<> remove_api_key(std::string_view name);
  /// Null: unknown, disabled, expired, or another secret.
  const ApiKey* check_api_key(std::string_view key, std::string_view secret);
  /// Those of read_api_keys(): what stands before a bad line holds (management-api 3.5).
  [[nodiscard]] Result<std::size_t> load_api_keys(const std::string& file);

  /// Roles and secrets as they are stored, for backups. Another password or role ends the user's log-ins.
  [[nodiscard]] Result<> put_admin(Admin admin);
  [[nodiscard]] Result<> put_api_key(ApiKey key);

 private:
  struct Token {
    std::string username;
    std::int64_t expires_ms = 0;
    std::int64_t stored_ms = 0;  // the end that the store knows
  };
  [[nodiscard]] Result<> commit(store::Batch&& batch);
  [[nodiscard]] Result<> store_token(const std::string& hash, const Token& token);
  [[nodiscard]] Result<std::string> issue(const std::string& username);
  void end_log_ins(std::string_view username);
  void drop_expired();
  /// Runs `work` on the hashing thread, then `done` on the loop. False: too much is waiting.
  template <class T>
  bool off_loop(std::function<T()> work, std::function<void(T)> done);
  std::string lock_name(std::string_view username, const Origin& from) const;

  runtime::Loop& loop_;
  store::KeyValue* store_ = nullptr;
  AccountSettings settings_;
  std::map<std::string, Admin, std::less<>> admins_;
  std::map<std::string, ApiKey, std::less<>> keys_;
  std::unordered_map<std::string, std::string> names_;  // of keys, by key
  std::unordered_map<std::string, Token> tokens_;       // by SHA-256
  access::FailureLimiter user_failures_;
  access::FailureLimiter address_failures_;
  std::string dummy_;  // compared with where there is no user, so that it takes as long
  std::shared_ptr<Accounts*> self_;
  runtime::Workers workers_;
};

}  // namespace sb::management
