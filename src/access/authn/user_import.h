// An import of users under way. The file is read already; hashing takes its time, so it is done a little at a time and
// whoever runs it lets log-ins go between the steps. All are written at the end, or none.
#pragma once

#include "access/authn/import.h"
#include "access/authn/users.h"

#include <atomic>
#include <functional>
#include <memory>

namespace sb::access::authn {

class UserImport {
 public:
  /// With their hashes.
  using Make = std::function<Result<User>(const ImportedUser&)>;
  /// Who is there already is overwritten, or left alone. `replaced`: set once the settings that `make` goes by hold no
  /// more; null: they always do.
  UserImport(UserTable& table, GroupKey group, std::vector<ImportedUser> users, bool overwrite, Make make,
             std::shared_ptr<const std::atomic<bool>> replaced = nullptr);

  /// At least one user, at most a few milliseconds and a slow hash. How many were written: it is over.
  /// NotFound: the group was cleared; Busy: the settings were replaced; nobody is added then.
  [[nodiscard]] Result<std::optional<std::size_t>> step();

 private:
  UserTable* table_;
  GroupKey group_;
  std::vector<ImportedUser> from_;
  bool overwrite_;
  Make make_;
  std::shared_ptr<const std::atomic<bool>> replaced_;
  [[nodiscard]] Result<> check() const;
  std::vector<User> made_;
  std::size_t at_ = 0;
};

}  // namespace sb::access::authn
