#include "management/accounts.h"

#include "base/log.h"
#include "management/password.h"
#include "store/tables.h"

#include <algorithm>

namespace sb::management {

namespace {

constexpr std::size_t kHashesWaiting = 32;
/// The end of a token moves with every request; the store hears of it this often.
constexpr std::int64_t kTokenGrainMs = 60'000;

store::AdminRecord record_of(const Admin& admin) {
  return {admin.username, static_cast<std::uint8_t>(admin.role), admin.password, admin.description, admin.initial};
}

store::ApiKeyRecord record_of(const ApiKey& key) {
  return {key.name,   key.key,         key.secret,     static_cast<std::uint8_t>(key.role),
          key.enable, key.description, key.created_ms, key.expires_ms};
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::Administrator:
      return "administrator";
    case Role::Viewer:
      return "viewer";
    case Role::Publisher:
      return "publisher";
  }
  return "viewer";
}

std::optional<Role> role_of(std::string_view text) {
  for (const Role role : {Role::Administrator, Role::Viewer, Role::Publisher})
    if (to_string(role) == text) return role;
  return std::nullopt;
}

Accounts::Accounts(runtime::Loop& loop)
    : loop_(loop),
      self_(std::make_shared<Accounts*>(this)),
      workers_({.name = "login", .threads = 1, .queue_max = kHashesWaiting}) {}

Accounts::~Accounts() {
  stop();
}

void Accounts::stop() {
  *self_ = nullptr;
  workers_.stop();
}

Result<> Accounts::open(store::KeyValue* store, AccountSettings settings) {
  store_ = store;
  settings_ = std::move(settings);
  SB_TRY(dummy_, hash_of_nobody());
  if (store_) {
    SB_CHECKED(store::scan<store::AdminRecord>(*store_, [this](const store::AdminRecord& r) -> Result<> {
      admins_[std::string(r.username)] = {std::string(r.username), static_cast<Role>(r.role), std::string(r.password),
                                          std::string(r.description), r.initial};
      return {};
    }));
    SB_CHECKED(store::scan<store::ApiKeyRecord>(*store_, [this](const store::ApiKeyRecord& r) -> Result<> {
      names_[std::string(r.key)] = r.name;
      keys_[std::string(r.name)] = {
          std::string(r.name),        std::string(r.key), std::string(r.secret), static_cast<Role>(r.role), r.enable,
          std::string(r.description), r.created_ms,       r.expires_ms};
      return {};
    }));
    SB_CHECKED(store::scan<store::LoginTokenRecord>(*store_, [this](const store::LoginTokenRecord& r) -> Result<> {
      tokens_[std::string(r.hash)] = {std::string(r.username), r.expires_ms, r.expires_ms};
      return {};
    }));
    drop_expired();
  }
  if (admins_.contains(settings_.default_username)) return {};
  Admin admin;
  admin.username = settings_.default_username;
  admin.description = "administrator";
  admin.initial = settings_.default_password.reveal() == kWellKnownPassword;
  SB_TRY(admin.password, hash_password(settings_.default_password.reveal()));
  return put_admin(std::move(admin));
}

Result<> Accounts::commit(store::Batch&& batch) {
  return store_ ? store_->commit_wait(std::move(batch)) : Result<>{};
}

Result<> Accounts::put_admin(Admin admin) {
  store::Batch batch;
  store::put(batch, record_of(admin));
  SB_CHECKED(commit(std::move(batch)));
  const Admin* const known = find_admin(admin.username);
  const bool other_rights = known && (known->password != admin.password || known->role != admin.role);
  const std::string name = admin.username;
  admins_.insert_or_assign(name, std::move(admin));
  if (other_rights) end_log_ins(name);
  return {};
}

Result<> Accounts::put_api_key(ApiKey key) {
  store::Batch batch;
  store::put(batch, record_of(key));
  SB_CHECKED(commit(std::move(batch)));
  if (const auto old = keys_.find(key.name); old != keys_.end())
    if (const auto name = names_.find(old->second.key); name != names_.end() && name->second == key.name)
      names_.erase(name);
  names_[key.key] = key.name;
  std::string name = key.name;
  keys_.insert_or_assign(std::move(name), std::move(key));
  return {};
}

template <class T>
bool Accounts::off_loop(std::function<T()> work, std::function<void(T)> done) {
  return workers_.try_run([self = self_, &loop = loop_, work = std::move(work), done = std::move(done)] {
    auto result = std::make_shared<T>(work());
    loop.post([self, result, done] {
      if (*self) done(std::move(*result));
    });
  });
}

std::string Accounts::lock_name(std::string_view username, const Origin& from) const {
  return fmt::format("{}\n{}", from.address, username);
}

std::int64_t Accounts::retry_after_s(std::string_view username, const Origin& from) const {
  return (user_failures_.blocked_for(lock_name(username, from), now_ms()) + 999) / 1000;
}

void Accounts::login(std::string username, std::string password, Origin from, std::function<void(LoginOutcome)> done) {
  const std::int64_t began_ms = now_ms();
  const std::string name = lock_name(username, from);
  if (settings_.lockout) {
    const std::int64_t left_ms =
        std::max(user_failures_.blocked_for(name, began_ms), address_failures_.blocked_for(from.address, began_ms));
    if (left_ms > 0) return done({.kind = LoginOutcome::Kind::Locked, .retry_after_s = (left_ms + 999) / 1000});
  }
  const Admin* const admin = find_admin(username);
  std::string stored = admin ? admin->password : dummy_;
  const bool known = admin != nullptr;
  auto work = [stored, password = std::move(password)] { return password_matches(stored, password); };
  const bool accepted = off_loop<bool>(std::move(work), [this, username, from, name, known, stored,
                                                         done](bool matches) {
    const Admin* const user = find_admin(username);  // may have gone or changed meanwhile
    if (!matches || !known || !user || user->password != stored) return done({});
    user_failures_.forget(name);
    address_failures_.forget(from.address);
    if (user->initial && !from.loopback) return done({.kind = LoginOutcome::Kind::LocalOnly});
    auto token = issue(user->username);
    if (!token) {
      SB_LOG(log::Level::Error, "management_login_failed", kv("reason", token.error().what));
      return done({.kind = LoginOutcome::Kind::Busy});
    }
    done(
        {.kind = LoginOutcome::Kind::Ok, .token = std::move(*token), .role = user->role, .must_change = user->initial});
  });
  if (!accepted) return done({.kind = LoginOutcome::Kind::Busy});
  // Failed until it is known to be good: guesses that are made side by side count as well.
  if (!settings_.lockout) return;
  user_failures_.count(name, began_ms, settings_.per_user);
  if (address_failures_.count(from.address, began_ms, settings_.per_address))
    SB_LOG(log::Level::Warning, "management_login_address_locked", kv("address", from.address));
}

Result<> Accounts::store_token(const std::string& hash, const Token& token) {
  store::Batch batch;
  store::put(batch, store::LoginTokenRecord{hash, token.username, token.expires_ms});
  return commit(std::move(batch));
}

Result<std::string> Accounts::issue(const std::string& username) {
  drop_expired();
  if (tokens_.size() >= kTokensMax) {
    const auto first = std::min_element(tokens_.begin(), tokens_.end(), [](const auto& a, const auto& b) {
      return a.second.expires_ms < b.second.expires_ms;
    });
    store::Batch batch;
    store::erase_login_token(batch, first->first);
    SB_CHECKED(commit(std::move(batch)));
    tokens_.erase(first);
  }
  SB_TRY(std::string token, random_base62(32));
  const std::string hash = sha256(token);
  Token row;
  row.username = username;
  row.expires_ms = row.stored_ms = now_ms() + settings_.token_lifetime.count();
  SB_CHECKED(store_token(hash, row));
  tokens_.insert_or_assign(hash, std::move(row));
  return token;
}

bool Accounts::logout(std::string_view token, std::string_view username) {
  const std::string hash = sha256(token);
  const auto found = tokens_.find(hash);
  if (found == tokens_.end() || found->second.username != username) return false;
  tokens_.erase(found);
  store::Batch batch;
  store::erase_login_token(batch, hash);
  if (const auto gone = commit(std::move(batch)); !gone)
    SB_LOG(log::Level::Error, "management_logout_not_stored", kv("reason", gone.error().what));
  return true;
}

Accounts::TokenState Accounts::check_token(std::string_view token, Session& session) {
  const std::string hash = sha256(token);
  const auto found = tokens_.find(hash);
  if (found == tokens_.end()) return TokenState::Unknown;
  Token& row = found->second;
  const std::int64_t began_ms = now_ms();
  if (row.expires_ms < began_ms) return TokenState::Expired;
  const Admin* const admin = find_admin(row.username);
  if (!admin) return TokenState::Unknown;
  row.expires_ms = began_ms + settings_.token_lifetime.count();
  if (row.expires_ms - row.stored_ms >= std::min(kTokenGrainMs, settings_.token_lifetime.count() / 4)) {
    if (store_token(hash, row)) row.stored_ms = row.expires_ms;
  }
  session = {row.username, admin->role, admin->initial};
  return TokenState::Good;
}

void Accounts::drop_expired() {
  // An expired token is remembered for one more lifetime, so that its bearer hears why it is refused.
  const std::int64_t limit_ms = now_ms() - settings_.token_lifetime.count();
  store::Batch batch;
  bool any = false;
  for (auto it = tokens_.begin(); it != tokens_.end();) {
    if (it->second.expires_ms >= limit_ms) {
      ++it;
      continue;
    }
    store::erase_login_token(batch, it->first);
    it = tokens_.erase(it);
    any = true;
  }
  if (!any) return;
  if (const auto gone = commit(std::move(batch)); !gone)
    SB_LOG(log::Level::Warning, "management_tokens_not_purged", kv("reason", gone.error().what));
}

void Accounts::end_log_ins(std::string_view username) {
  store::Batch batch;
  bool any = false;
  for (auto it = tokens_.begin(); it != tokens_.end();) {
    if (it->second.username != username) {
      ++it;
      continue;
    }
    store::erase_login_token(batch, it->first);
    it = tokens_.erase(it);
    any = true;
  }
  if (!any) return;
  if (const auto gone = commit(std::move(batch)); !gone)
    SB_LOG(log::Level::Error, "management_logout_not_stored", kv("reason", gone.error().what));
}

// --- users

std::vector<Admin> Accounts::admins() const {
  std::vector<Admin> out;
  for (const auto& [name, admin] : admins_) out.push_back(admin);
  return out;
}

const Admin* Accounts::find_admin(std::string_view username) const {
  const auto found = admins_.find(username);
  return found == admins_.end() ? nullptr : &found->second;
}

void Accounts::add_admin(std::string username, std::string password, Role role, std::string description, Changed done) {
  if (auto good = check_user_name(username); !good) return done(std::move(good));
  if (auto good = check_password(password); !good) return done(std::move(good));
  if (find_admin(username)) return done(fail(Errc::Exists, "username_already_exist"));
  const bool accepted = off_loop<Result<std::string>>(
      [password = std::move(password)] { return hash_password(password); },
      [this, username, role, description = std::move(description), done](Result<std::string> hash) {
        if (!hash) return done(tl::unexpected(std::move(hash).error()));
        if (find_admin(username)) return done(fail(Errc::Exists, "username_already_exist"));
        done(put_admin({username, role, std::move(*hash), description, false}));
      });
  if (!accepted) done(fail(Errc::Busy, "too many passwords are being checked"));
}

namespace {

/// Without one nobody could give the role back but by ctl.
bool is_last_administrator(const std::map<std::string, Admin, std::less<>>& admins, const Admin& admin) {
  return admin.role == Role::Administrator && std::none_of(admins.begin(), admins.end(), [&](const auto& other) {
           return other.first != admin.username && other.second.role == Role::Administrator;
         });
}

}  // namespace

Result<> Accounts::update_admin(std::string_view username, Role role, std::string description) {
  const Admin* const known = find_admin(username);
  if (!known) return fail(Errc::NotFound, "username_not_found");
  if (role != Role::Administrator && is_last_administrator(admins_, *known))
    return fail(Errc::Invalid, "the last administrator keeps the role");
  Admin fresh = *known;
  fresh.role = role;
  fresh.description = std::move(description);
  return put_admin(std::move(fresh));
}

Result<> Accounts::remove_admin(std::string_view username) {
  const auto found = admins_.find(username);
  if (found == admins_.end()) return fail(Errc::NotFound, "username_not_found");
  if (is_last_administrator(admins_, found->second))
    return fail(Errc::Invalid, "the last administrator cannot be deleted");
  store::Batch batch;
  store::erase_admin(batch, username);
  SB_CHECKED(commit(std::move(batch)));
  const std::string name = found->first;
  admins_.erase(found);
  end_log_ins(name);
  return {};
}

void Accounts::change_password(std::string username, std::optional<std::string> old_password, std::string password,
                               Origin from, Changed done) {
  const Admin* const admin = find_admin(username);
  if (!admin) return done(fail(Errc::NotFound, "username_not_found"));
  if (auto good = check_password(password); !good) return done(std::move(good));
  // Guessing the old password here is guessing it.
  const std::int64_t began_ms = now_ms();
  const std::string name = lock_name(username, from);
  const bool guessed = old_password && settings_.lockout;
  if (guessed && user_failures_.blocked(name, began_ms))
    return done(fail(Errc::Full, "Too many failed log-ins, try again later"));
  struct Outcome {
    bool matches = true;
    Result<std::string> hash{};
  };
  const bool accepted = off_loop<Outcome>(
      [stored = admin->password, old_password, password = std::move(password)] {
        Outcome out;
        out.matches = !old_password || password_matches(stored, *old_password);
        if (out.matches) out.hash = hash_password(password);
        return out;
      },
      [this, username, name, guessed, done](Outcome out) {
        if (!out.matches) return done(fail(Errc::Denied, "Old password not match"));
        if (guessed) user_failures_.forget(name);
        if (!out.hash) return done(tl::unexpected(std::move(out.hash).error()));
        const Admin* const known = find_admin(username);
        if (!known) return done(fail(Errc::NotFound, "username_not_found"));
        Admin fresh = *known;
        fresh.password = std::move(*out.hash);
        fresh.initial = false;
        done(put_admin(std::move(fresh)));
      });
  if (!accepted) return done(fail(Errc::Busy, "too many passwords are being checked"));
  if (guessed) user_failures_.count(name, began_ms, settings_.per_user);  // as in login()
}

}  // namespace sb::management
