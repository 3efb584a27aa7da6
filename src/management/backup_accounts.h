// Users of the management interface and API keys in a backup.
#pragma once

#include "management/accounts.h"
#include "management/backup_table.h"

#include <memory>

namespace sb::management {

/// emqx_admin: {username, pwdhash, description, role}; users of single sign-on are left out.
std::unique_ptr<BackupTable> admins_backup(Accounts& accounts);
/// emqx_app: {name, api_key, api_secret_hash, enable, desc, role, created_at, expired_at} in seconds; without
/// `expired_at` for ever.
std::unique_ptr<BackupTable> api_keys_backup(Accounts& accounts);

}  // namespace sb::management
