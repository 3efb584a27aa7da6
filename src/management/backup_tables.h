// The tables that broker and access control have in a backup.
#pragma once

#include "access/access_control.h"
#include "access/authn/users.h"
#include "broker/broker.h"
#include "management/backup_table.h"
#include "net/psk_table.h"
#include "store/key_value.h"

#include <functional>
#include <memory>

namespace sb::management {

/// emqx_banned: {as, who, by, reason, at, until} in seconds; no `until` = for ever.
std::unique_ptr<BackupTable> banned_backup(access::AccessControl& access, const Clock& clock);
/// emqx_authn_mnesia: {group, user_id, password_hash, salt, is_superuser}
std::unique_ptr<BackupTable> users_backup(access::authn::UserTable& users);
/// emqx_authn_scram_mnesia: {group, user_id, stored_key, server_key, salt, algorithm, iteration_count, is_superuser}
/// Without iteration_count, as in EMQX's archives, it is what `iterations` tells of the group's authenticator.
using Iterations = std::function<std::optional<std::uint32_t>(const std::string& group)>;
std::unique_ptr<BackupTable> scram_backup(access::authn::UserTable& users, Iterations iterations);
/// emqx_psk: {psk_id, shared_secret}
std::unique_ptr<BackupTable> psk_backup(net::PskTable& keys, std::function<store::KeyValue*()> store);
/// retained: {topic, payload, properties, qos, published_ms, expiry_s, from_clientid, from_username}
std::unique_ptr<BackupTable> retained_backup(broker::Core& core);

}  // namespace sb::management
