#include "access/authn/users.h"

#include <fmt/format.h>

#include <algorithm>

namespace sb::access::authn {

std::string group_of(std::string_view chain, std::string_view id) {
  return fmt::format("{}/{}", chain, id);
}

void UserTable::open(std::vector<std::pair<std::string, User>> stored, UserLog* log) {
  const std::lock_guard writer(writers_);
  const std::unique_lock guard(mutex_);
  for (auto& [group, user] : stored) {
    std::string id = user.id;
    groups_[group].insert_or_assign(std::move(id), std::make_shared<const User>(std::move(user)));
  }
  log_ = log;
}

UserRef UserTable::find(std::string_view group, std::string_view id) const {
  const std::shared_lock guard(mutex_);
  const auto users = groups_.find(group);
  if (users == groups_.end()) return nullptr;
  const auto user = users->second.find(id);
  return user == users->second.end() ? nullptr : user->second;
}

UserRef UserTable::next(std::string_view group, std::string_view id) const {
  const std::shared_lock guard(mutex_);
  const auto users = groups_.find(group);
  if (users == groups_.end() || users->second.empty()) return nullptr;
  const auto found = users->second.upper_bound(id);
  return (found == users->second.end() ? users->second.begin() : found)->second;
}

Result<> UserTable::check(const User& user) {
  if (user.id.empty() || user.id.size() > kIdMax || user.id.find('\0') != std::string::npos)
    return fail(Errc::Invalid, "user_id: expected 1 to 65535 bytes without NUL");
  return {};
}

GroupKey UserTable::key(std::string_view group) const {
  GroupKey out(group);
  const std::shared_lock guard(mutex_);
  const auto known = epochs_.find(group);
  out.epoch = known == epochs_.end() ? 0 : known->second;
  return out;
}

Result<> UserTable::check_epoch(const GroupKey& group) const {
  if (!group.epoch || key(group.name).epoch == group.epoch) return {};
  return fail(Errc::NotFound, "the authenticator is gone");
}

UserTable::Group& UserTable::group_for_write(std::string_view name) {
  const auto known = groups_.find(name);
  return known == groups_.end() ? groups_[std::string(name)] : known->second;
}

Result<> UserTable::write(std::string_view group, std::span<const User> users) {
  if (log_) SB_CHECKED(log_->put(group, users));
  const std::unique_lock guard(mutex_);
  Group& to = group_for_write(group);
  for (const User& user : users) to.insert_or_assign(user.id, std::make_shared<const User>(user));
  return {};
}

Result<> UserTable::create(const GroupKey& group, User user) {
  SB_CHECKED(check(user));
  const std::lock_guard writer(writers_);
  SB_CHECKED(check_epoch(group));
  if (find(group.name, user.id)) return fail(Errc::Exists, "User already exists");
  return write(group.name, {&user, 1});
}

Result<std::size_t> UserTable::put(const GroupKey& group, std::vector<User> users, bool overwrite) {
  for (const User& user : users) SB_CHECKED(check(user));
  const std::lock_guard writer(writers_);
  SB_CHECKED(check_epoch(group));
  if (!overwrite) std::erase_if(users, [&](const User& user) { return find(group.name, user.id) != nullptr; });
  if (users.empty()) return std::size_t{0};
  SB_CHECKED(write(group.name, users));
  return users.size();
}

Result<> UserTable::erase(const GroupKey& group, std::string_view id) {
  const std::lock_guard writer(writers_);
  SB_CHECKED(check_epoch(group));
  if (!find(group.name, id)) return fail(Errc::NotFound, "no such user");
  if (log_) SB_CHECKED(log_->erase(group.name, id));
  const std::unique_lock guard(mutex_);
  Group& from = group_for_write(group.name);
  from.erase(from.find(id));
  return {};
}

Result<> UserTable::clear(std::string_view group) {
  const std::lock_guard writer(writers_);
  std::vector<std::string> ids;
  {
    const std::unique_lock guard(mutex_);
    ++epochs_[std::string(group)];
    const auto users = groups_.find(group);
    if (users == groups_.end()) return {};
    for (const auto& [id, user] : users->second) ids.push_back(id);
  }
  if (log_) SB_CHECKED(log_->erase_group(group, ids));
  const std::unique_lock guard(mutex_);
  groups_.erase(groups_.find(group));
  return {};
}

UserTable::Page UserTable::list(std::string_view group, const UserQuery& query) const {
  Page page;
  const std::shared_lock guard(mutex_);
  const auto users = groups_.find(group);
  if (users == groups_.end()) return page;
  for (const auto& [id, user] : users->second) {
    if (query.superuser && user->superuser != *query.superuser) continue;
    if (query.like_user_id && id.find(*query.like_user_id) == std::string::npos) continue;
    if (page.count++ >= query.skip && page.rows.size() < query.limit) page.rows.push_back(user);
  }
  return page;
}

std::vector<std::string> UserTable::groups() const {
  const std::shared_lock reader(mutex_);
  std::vector<std::string> out;
  for (const auto& [name, group] : groups_)
    if (!group.empty()) out.push_back(name);
  return out;
}

std::size_t UserTable::size(std::string_view group) const {
  const std::shared_lock guard(mutex_);
  const auto users = groups_.find(group);
  return users == groups_.end() ? 0 : users->second.size();
}

}  // namespace sb::access::authn
