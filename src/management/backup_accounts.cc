#include "management/backup_accounts.h"

#include "management/password.h"
#include "management/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace sb::management {

namespace json = boost::json;

namespace {

/// Of before 5.4 no role is known: the administrator's.
Result<Role> role_in(const BackupRow& row, bool publisher) {
  if (!row.if_contains("role")) return Role::Administrator;
  SB_TRY(const std::string text, row_text(row, "role"));
  if (text.empty()) return Role::Administrator;
  const auto role = role_of(text);
  if (!role || (*role == Role::Publisher && !publisher)) return fail(Errc::Invalid, fmt::format("role = {}", text));
  return *role;
}

std::string text_or_empty(const BackupRow& row, std::string_view member) {
  return row_text(row, member).value_or(std::string());
}

class Admins final : public BackupTable {
 public:
  explicit Admins(Accounts& accounts) : accounts_(accounts) {}
  std::string_view name() const override { return "emqx_admin"; }
  Result<std::vector<BackupRow>> rows() override {
    std::vector<BackupRow> out;
    for (const Admin& admin : accounts_.admins())
      out.push_back(BackupRow{{"username", admin.username},
                              {"pwdhash", base64(admin.password)},
                              {"description", admin.description},
                              {"role", to_string(admin.role)},
                              {"initial", admin.initial}});
    return out;
  }
  Result<> check(const BackupRow& row) const override {
    if (!takes(row)) return {};
    SB_TRY(const Admin admin, read(row));
    static_cast<void>(admin);
    return {};
  }
  Result<> check_together(const std::vector<BackupRow>& rows) const override {
    std::map<std::string, Role, std::less<>> roles;
    for (const Admin& admin : accounts_.admins()) roles[admin.username] = admin.role;
    for (const BackupRow& row : rows) {
      SB_TRY(const Admin admin, read(row));
      roles[admin.username] = admin.role;
    }
    const bool any =
        std::any_of(roles.begin(), roles.end(), [](const auto& one) { return one.second == Role::Administrator; });
    if (!any && !roles.empty()) return fail(Errc::Invalid, "role: nobody would be an administrator any more");
    return {};
  }
  Result<> put(const std::vector<BackupRow>& rows) override {
    for (const BackupRow& row : rows) {
      SB_TRY(Admin admin, read(row));
      SB_CHECKED(accounts_.put_admin(std::move(admin)));
    }
    return {};
  }
  Result<> erase(const std::vector<BackupRow>& rows) override {
    for (const BackupRow& row : rows) {
      SB_TRY(const Admin admin, read(row));
      if (auto gone = accounts_.remove_admin(admin.username); !gone && gone.error().code != Errc::NotFound) return gone;
    }
    return {};
  }
  std::string key(const BackupRow& row) const override { return text_or_empty(row, "username"); }
  /// Those of single sign-on have no passwords here.
  bool takes(const BackupRow& row) const override {
    const std::string backend = text_or_empty(row, "backend");
    return backend.empty() || backend == "local";
  }

 private:
  static Result<Admin> read(const BackupRow& row) {
    Admin out;
    SB_TRY(out.username, row_text(row, "username"));
    SB_CHECKED(check_user_name(out.username));
    SB_TRY(out.password, row_bytes(row, "pwdhash"));
    const PasswordForm form = password_form(out.password);
    if (form == PasswordForm::Unknown)
      return fail(Errc::Invalid,
                  "pwdhash: expected, in base64, what an export holds: pbkdf2-sha512:..., or four bytes of "
                  "salt and a SHA-256");
    SB_TRY(out.role, role_in(row, false));
    out.description = text_or_empty(row, "description");
    // EMQX does not say whether everybody knows the password.
    out.initial =
        form == PasswordForm::Ours ? row_flag(row, "initial") : password_matches(out.password, kWellKnownPassword);
    return out;
  }
  Accounts& accounts_;
};

class ApiKeys final : public BackupTable {
 public:
  explicit ApiKeys(Accounts& accounts) : accounts_(accounts) {}
  std::string_view name() const override { return "emqx_app"; }
  Result<std::vector<BackupRow>> rows() override {
    std::vector<BackupRow> out;
    for (const ApiKey& key : accounts_.api_keys()) {
      BackupRow row{{"name", key.name},
                    {"api_key", key.key},
                    {"api_secret_hash", base64(key.secret)},
                    {"enable", key.enable},
                    {"desc", key.description},
                    {"role", to_string(key.role)},
                    {"created_at", key.created_ms / 1000}};
      if (key.expires_ms != 0) row["expired_at"] = key.expires_ms / 1000;
      out.push_back(std::move(row));
    }
    return out;
  }
  Result<> check(const BackupRow& row) const override {
    SB_TRY(const ApiKey key, read(row));
    static_cast<void>(key);
    return {};
  }
  /// Who shows a key is one: it may not stand under two names.
  Result<> check_together(const std::vector<BackupRow>& rows) const override {
    std::map<std::string, std::string, std::less<>> keys, holders;  // by name, by key
    for (const ApiKey& key : accounts_.api_keys()) keys[key.name] = key.key;
    for (const BackupRow& row : rows) {
      SB_TRY(const ApiKey key, read(row));
      keys[key.name] = key.key;
    }
    for (const auto& [name, key] : keys)
      if (const auto [holder, fresh] = holders.emplace(key, name); !fresh)
        return fail(Errc::Invalid, fmt::format("api_key = {}: of both {} and {}", key, holder->second, name));
    return {};
  }
  Result<> put(const std::vector<BackupRow>& rows) override {
    for (const BackupRow& row : rows) {
      SB_TRY(ApiKey key, read(row));
      SB_CHECKED(accounts_.put_api_key(std::move(key)));
    }
    return {};
  }
  Result<> erase(const std::vector<BackupRow>& rows) override {
    for (const BackupRow& row : rows) {
      const std::string name = text_or_empty(row, "name");
      if (auto gone = accounts_.remove_api_key(name); !gone && gone.error().code != Errc::NotFound) return gone;
    }
    return {};
  }
  std::string key(const BackupRow& row) const override { return text_or_empty(row, "name"); }

 private:
  static Result<ApiKey> read(const BackupRow& row) {
    ApiKey out;
    SB_TRY(out.name, row_text(row, "name"));
    SB_TRY(out.key, row_text(row, "api_key"));
    SB_TRY(out.secret, row_bytes(row, "api_secret_hash"));
    if (out.name.empty() || out.key.empty() || out.secret.empty())
      return fail(Errc::Invalid, "name, api_key and api_secret_hash must not be empty");
    if (!secret_form_known(out.secret))
      return fail(Errc::Invalid, "api_secret_hash: expected, in base64, what an export holds");
    SB_TRY(out.role, role_in(row, true));
    const auto* enable = row.if_contains("enable");
    out.enable = !enable || row_flag(row, "enable");
    out.description = text_or_empty(row, "desc");
    SB_TRY(const auto created, row_time(row, "created_at"));
    out.created_ms = created.value_or(0);
    SB_TRY(const auto expires, row_time(row, "expired_at"));
    out.expires_ms = expires.value_or(0);
    return out;
  }
  Accounts& accounts_;
};

}  // namespace

std::unique_ptr<BackupTable> admins_backup(Accounts& accounts) {
  return std::make_unique<Admins>(accounts);
}
std::unique_ptr<BackupTable> api_keys_backup(Accounts& accounts) {
  return std::make_unique<ApiKeys>(accounts);
}

}  // namespace sb::management
