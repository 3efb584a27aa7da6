// Files of users for a built-in database (access-control 5): CSV with a header line, or a JSON array. Passwords are
// hashed already, or plain.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace sb::access::authn {

struct ImportedUser {
  std::string user_id;
  std::string password;  // plain files
  std::string password_hash;
  std::string salt;
  bool superuser = false;
};

inline constexpr std::size_t kImportMax = 64 << 20;

/// By the ending of `file_name`: .csv or .json. Errors name the first bad line or element. Nothing secret is in them.
[[nodiscard]] Result<std::vector<ImportedUser>> read_users(std::string_view file_name, std::string_view text,
                                                           bool plain);

}  // namespace sb::access::authn
