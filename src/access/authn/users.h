// Users of the built-in databases: one table a node, a group for each authenticator. Kept in memory for the shards,
// which look up once a CONNECT, and written through to the store before a change counts. Any thread; changes wait for
// the disk and never run on a shard.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sb::access::authn {

struct User {
  std::string id;
  bool superuser = false;
  std::string hash;  // password_based: as the configured algorithm writes it; scram: StoredKey
  std::string salt;
  // scram only
  std::string server_key = {};
  std::string algorithm = {};  // "sha256", "sha512"
  std::uint32_t iterations = 0;
};
using UserRef = std::shared_ptr<const User>;

/// Where users survive a restart; called with the table's writer lock held.
class UserLog {
 public:
  /// Returns when it is on disk as a whole, or not at all.
  [[nodiscard]] virtual Result<> put(std::string_view group, std::span<const User> users) = 0;
  [[nodiscard]] virtual Result<> erase(std::string_view group, std::string_view id) = 0;
  [[nodiscard]] virtual Result<> erase_group(std::string_view group, std::span<const std::string> ids) = 0;

 protected:
  ~UserLog() = default;
};

struct UserQuery {
  std::size_t skip = 0;
  std::size_t limit = 100;
  std::optional<std::string> like_user_id{};
  std::optional<bool> superuser{};
};

class UserTable {
 public:
  static constexpr std::size_t kIdMax = 65535;

  /// Before the shards start: what was stored, by group.
  void open(std::vector<std::pair<std::string, User>> stored, UserLog* log);

  UserRef find(std::string_view group, std::string_view id) const;
  /// Exists; Invalid: not a name.
  [[nodiscard]] Result<> create(std::string_view group, User user);
  /// All or nothing. Existing ones are overwritten, or left alone.
  [[nodiscard]] Result<std::size_t> put(std::string_view group, std::vector<User> users, bool overwrite);
  /// NotFound. `change` gets a copy of the user to alter.
  template <class Change>
  [[nodiscard]] Result<User> update(std::string_view group, std::string_view id, Change change) {
    const std::lock_guard writer(writers_);
    const UserRef old = find(group, id);
    if (!old) return fail(Errc::NotFound, "no such user");
    User fresh = *old;
    change(fresh);
    SB_CHECKED(write(group, {&fresh, 1}));
    return fresh;
  }
  [[nodiscard]] Result<> erase(std::string_view group, std::string_view id);
  [[nodiscard]] Result<> clear(std::string_view group);

  struct Page {
    std::vector<UserRef> rows;
    std::size_t count = 0;
  };
  /// In the order of ids.
  Page list(std::string_view group, const UserQuery& query) const;
  std::size_t size(std::string_view group) const;
  std::vector<std::string> groups() const;

 private:
  using Group = std::map<std::string, UserRef, std::less<>>;
  [[nodiscard]] Result<> write(std::string_view group, std::span<const User> users);
  [[nodiscard]] static Result<> check(const User& user);
  Group& group_for_write(std::string_view name);

  std::mutex writers_;               // one change at a time; taken before mutex_
  mutable std::shared_mutex mutex_;  // guards groups_
  std::map<std::string, Group, std::less<>> groups_;
  UserLog* log_ = nullptr;
};

}  // namespace sb::access::authn
