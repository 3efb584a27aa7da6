// An import of users under way. The file is read already; hashing takes its time, so it is done a little at a time and
// whoever runs it lets log-ins go between the steps. All are written at the end, or none.
#pragma once

#include "access/authn/import.h"
#include "access/authn/users.h"

#include <functional>

namespace sb::access::authn {

class UserImport {
 public:
  /// With their hashes.
  using Make = std::function<Result<User>(const ImportedUser&)>;
  /// Who is there already is overwritten, or left alone.
  UserImport(UserTable& table, GroupKey group, std::vector<ImportedUser> users, bool overwrite, Make make);

  /// At least one user, at most a few milliseconds and a slow hash. How many were written: it is over.
  [[nodiscard]] Result<std::optional<std::size_t>> step();

 private:
  UserTable* table_;
  GroupKey group_;
  std::vector<ImportedUser> from_;
  bool overwrite_;
  Make make_;
  std::vector<User> made_;
  std::size_t at_ = 0;
};

}  // namespace sb::access::authn
