#include "access/authn/user_import.h"

#include <chrono>

namespace sb::access::authn {

namespace {
constexpr std::chrono::milliseconds kStep{5};
}

UserImport::UserImport(UserTable& table, GroupKey group, std::vector<ImportedUser> users, bool overwrite, Make make,
                       std::shared_ptr<const std::atomic<bool>> replaced)
    : table_(&table),
      group_(std::move(group)),
      from_(std::move(users)),
      overwrite_(overwrite),
      make_(std::move(make)),
      replaced_(std::move(replaced)) {}

Result<> UserImport::check() const {
  if (!replaced_ || !*replaced_) return {};
  // Whether it is gone is told before.
  SB_CHECKED(table_->put(group_, {}, overwrite_));
  return fail(Errc::Busy,
              "the authenticator's settings were changed during the import: nobody was added, import again");
}

Result<std::optional<std::size_t>> UserImport::step() {
  SB_CHECKED(check());
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
  SB_CHECKED(check());
  SB_TRY(const std::size_t written, table_->put(group_, std::move(made_), overwrite_));
  return written;
}

}  // namespace sb::access::authn
