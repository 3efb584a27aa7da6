// Rules of the built-in authorization database in a backup.
#pragma once

#include "access/authz/rule_table.h"
#include "management/backup_table.h"

#include <memory>

namespace sb::management {

/// emqx_acl: {clientid | username | all: true, rules: [{topic, permission, action, qos, retain}]}
std::unique_ptr<BackupTable> rules_backup(access::authz::RuleTable& rules);

}  // namespace sb::management
