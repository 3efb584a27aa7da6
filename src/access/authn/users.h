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

/// Names a group for who writes to it. With an epoch, as UserTable::key() gives it: void once the group was cleared, so
/// that an import which is under way adds nobody to an authenticator that is gone.
struct GroupKey {
  std::string name;
  std::optional<std::uint64_t> epoch{};
  GroupKey(std::string_view group) : name(group) {}    // NOLINT(google-explicit-constructor)
  GroupKey(const std::string& group) : name(group) {}  // NOLINT(google-explicit-constructor)
  GroupKey(const char* group) : name(group) {}         // NOLINT(google-explicit-constructor)
};
/// Of the authenticator `id` of a chain.
std::string group_of(std::string_view chain, std::string_view id);

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
  /// The first whose id comes after `id`, or the first of all; null: the group is empty.
  UserRef next(std::string_view group, std::string_view id) const;
  /// For an authenticator that is made now.
  GroupKey key(std::string_view group) const;
  /// Exists; Invalid: not a name. This and the other changes: NotFound: the key's group was cleared since.
  [[nodiscard]] Result<> create(const GroupKey& group, User user);
  /// All or nothing. Existing ones are overwritten, or left alone.
  [[nodiscard]] Result<std::size_t> put(const GroupKey& group, std::vector<User> users, bool overwrite);
  /// NotFound. `change` gets a copy of the user to alter.
  template <class Change>
  [[nodiscard]] Result<User> update(const GroupKey& group, std::string_view id, Change change) {
    const std::lock_guard writer(writers_);
    SB_CHECKED(check_epoch(group));
    const UserRef old = find(group.name, id);
    if (!old) return fail(Errc::NotFound, "no such user");
    User fresh = *old;
    change(fresh);
    SB_CHECKED(write(group.name, {&fresh, 1}));
    return fresh;
  }
  [[nodiscard]] Result<> erase(const GroupKey& group, std::string_view id);
  /// Voids all keys of the group, also when the disk refuses.
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
  [[nodiscard]] Result<> check_epoch(const GroupKey& group) const;
  Group& group_for_write(std::string_view name);

  std::mutex writers_;               // one change at a time; taken before mutex_
  mutable std::shared_mutex mutex_;  // guards groups_ and epochs_
  std::map<std::string, Group, std::less<>> groups_;
  std::map<std::string, std::uint64_t, std::less<>> epochs_;  // how often each was cleared, if at all
  UserLog* log_ = nullptr;
};

}  // namespace sb::access::authn
