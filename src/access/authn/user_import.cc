#include "access/authn/user_import.h"

#include <chrono>

namespace sb::access::authn {

namespace {
constexpr std::chrono::milliseconds kStep{5};
}

UserImport::UserImport(UserTable& table, GroupKey group, std::vector<ImportedUser> users, bool overwrite, Make make)
    : table_(&table),
      group_(std::move(group)),
      from_(std::move(users)),
      overwrite_(overwrite),
      make_(std::move(make)) {}

Result<std::optional<std::size_t>> UserImport::step() {
  const auto end = std::chrono::steady_clock::now() + kStep;
  while (at_ < from_.size()) {
    const ImportedUser& from = from_[at_++];
    // Before an expensive hash is made for nothing.
    if (!overwrite_ && table_->find(group_.name, from.user_id)) continue;
    SB_TRY(User user, make_(from));
    user.superuser = from.superuser;
    made_.push_back(std::move(user));
    if (at_ < from_.size() && std::chrono::steady_clock::now() >= end) return std::nullopt;
  }
  SB_TRY(const std::size_t written, table_->put(group_, std::move(made_), overwrite_));
  return written;
}

}  // namespace sb::access::authn
