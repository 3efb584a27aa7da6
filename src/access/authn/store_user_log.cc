#include "access/authn/store_user_log.h"

#include "store/tables.h"

namespace sb::access::authn {

Result<> StoreUserLog::put(std::string_view group, std::span<const User> users) {
  store::Batch batch;
  for (const User& user : users)
    store::put(batch, store::UserRecord{group, user.id, user.superuser, user.hash, user.salt, user.server_key,
                                        user.algorithm, user.iterations});
  return store_.commit_wait(std::move(batch));
}

Result<> StoreUserLog::erase(std::string_view group, std::string_view id) {
  store::Batch batch;
  store::erase_user(batch, group, id);
  return store_.commit_wait(std::move(batch));
}

Result<> StoreUserLog::erase_group(std::string_view group, std::span<const std::string> ids) {
  store::Batch batch;
  for (const std::string& id : ids) store::erase_user(batch, group, id);
  return store_.commit_wait(std::move(batch));
}

Result<std::vector<std::pair<std::string, User>>> StoreUserLog::load() const {
  std::vector<std::pair<std::string, User>> out;
  SB_CHECKED(store::scan<store::UserRecord>(store_, [&](const store::UserRecord& row) -> Result<> {
    User user;
    user.id = row.user_id;
    user.superuser = row.superuser;
    user.hash = row.hash;
    user.salt = row.salt;
    user.server_key = row.server_key;
    user.algorithm = row.algorithm;
    user.iterations = row.iterations;
    out.emplace_back(row.group, std::move(user));
    return {};
  }));
  return out;
}

}  // namespace sb::access::authn
