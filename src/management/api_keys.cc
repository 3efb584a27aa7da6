// The API keys of Accounts.
#include "base/log.h"
#include "base/regular_file.h"
#include "management/accounts.h"
#include "management/password.h"
#include "store/tables.h"

#include <sstream>

namespace sb::management {

namespace {
constexpr std::size_t kKeyDigits = 16;
constexpr std::size_t kFileMax = 16 << 20;
constexpr std::string_view kBootstrapName = "from_bootstrap_file_";
}  // namespace

std::vector<ApiKey> Accounts::api_keys() const {
  std::vector<ApiKey> out;
  for (const auto& [name, key] : keys_) out.push_back(key);
  return out;
}

const ApiKey* Accounts::find_api_key(std::string_view name) const {
  const auto found = keys_.find(name);
  return found == keys_.end() ? nullptr : &found->second;
}

Result<std::string> Accounts::add_api_key(ApiKey wanted) {
  SB_CHECKED(check_key_name(wanted.name));
  if (find_api_key(wanted.name)) return fail(Errc::Exists, "name is already in use");
  if (keys_.size() >= kApiKeysMax) return fail(Errc::Full, "Maximum number of ApiKeys reached.");
  wanted.key = sha512_hex(wanted.name, kKeyDigits);
  if (names_.contains(wanted.key)) return fail(Errc::Exists, "another name has the same key");
  SB_TRY(std::string secret, random_base62(32));
  SB_TRY(wanted.secret, hash_secret(secret));
  wanted.created_ms = loop_.clock().wall_ms();
  SB_CHECKED(put_api_key(std::move(wanted)));
  return secret;
}

Result<> Accounts::update_api_key(ApiKey wanted) {
  const ApiKey* const known = find_api_key(wanted.name);
  if (!known) return fail(Errc::NotFound, "Name NOT FOUND");
  wanted.key = known->key;
  wanted.secret = known->secret;
  wanted.created_ms = known->created_ms;
  return put_api_key(std::move(wanted));
}

Result<> Accounts::remove_api_key(std::string_view name) {
  const auto found = keys_.find(name);
  if (found == keys_.end()) return fail(Errc::NotFound, "Name NOT FOUND");
  store::Batch batch;
  store::erase_api_key(batch, name);
  SB_CHECKED(commit(std::move(batch)));
  names_.erase(found->second.key);
  keys_.erase(found);
  return {};
}

const ApiKey* Accounts::check_api_key(std::string_view key, std::string_view secret) {
  const auto name = names_.find(std::string(key));
  const ApiKey* const known = name == names_.end() ? nullptr : find_api_key(name->second);
  if (!known || !known->enable || known->expired(loop_.clock().wall_ms())) return nullptr;
  return secret_matches(known->secret, secret) ? known : nullptr;
}

Result<> read_api_keys(const std::string& file, std::vector<BootstrapKey>& out) {
  auto text = read_regular_file(file, kFileMax);
  if (!text) return tl::unexpected(std::move(text).error());
  std::istringstream in(*std::move(text));
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty()) continue;
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    const std::string secret = first == std::string::npos ? std::string() : line.substr(first + 1, second - first - 1);
    const auto role =
        second == std::string::npos ? std::optional(Role::Administrator) : role_of(line.substr(second + 1));
    // The line holds a secret: it is named, not shown.
    if (first == 0 || secret.empty() || !role)
      return fail(Errc::Invalid, fmt::format("{}, line {}: expected key:secret or key:secret:role", file, number));
    out.push_back({line.substr(0, first), Secret(secret), *role});
  }
  return {};
}

Result<std::size_t> Accounts::load_api_keys(const std::string& file) {
  std::vector<BootstrapKey> keys;
  const auto read = read_api_keys(file, keys);
  for (const BootstrapKey& from : keys) {
    ApiKey key;
    key.key = from.key;
    key.role = from.role;
    key.name = std::string(kBootstrapName) + sha512_hex(key.key, kKeyDigits);
    key.description = "Bootstrapped From File";
    const ApiKey* const known = find_api_key(key.name);
    key.created_ms = known ? known->created_ms : loop_.clock().wall_ms();
    SB_TRY(key.secret, hash_secret(from.secret.reveal()));
    // Of several entries with one key this one counts.
    if (const auto other = names_.find(key.key); other != names_.end() && other->second != key.name) {
      const std::string old = other->second;
      SB_CHECKED(remove_api_key(old));
    }
    SB_CHECKED(put_api_key(std::move(key)));
  }
  if (!read) return tl::unexpected(read.error());
  return keys.size();
}

}  // namespace sb::management
