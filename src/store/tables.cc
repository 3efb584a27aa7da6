#include "store/tables.h"

#include "store/detail/fields.h"

namespace sb::store {

using detail::Writer;

namespace {

/// Unreferenced messages are erased in batches of this many.
constexpr std::size_t kSweepBatch = 4096;

Batch::Mark erase_numbered(Batch& batch, Table table, std::uint64_t first, std::uint64_t second) {
  const Batch::Space at = batch.erase_space(table, 16);
  Writer key(at.key);
  key.key(first);
  key.key(second);
  return at.mark;
}

Batch::Mark erase_numbered(Batch& batch, Table table, std::uint64_t number, std::string_view text) {
  const Batch::Space at = batch.erase_space(table, 8 + text.size());
  Writer key(at.key);
  key.key(number);
  key.raw(text.data(), text.size());
  return at.mark;
}

/// A key of two texts with a NUL between them.
Batch::Mark erase_pair(Batch& batch, Table table, std::string_view first, std::string_view second) {
  const Batch::Space at = batch.erase_space(table, first.size() + 1 + second.size());
  Writer key(at.key);
  key.raw(first.data(), first.size());
  key.u8(0);
  key.raw(second.data(), second.size());
  return at.mark;
}

}  // namespace

Batch::Mark erase_session(Batch& batch, std::string_view client_id) {
  return batch.erase(Table::Sessions, client_id);
}

Batch::Mark erase_subscription(Batch& batch, SessionNumber session, std::string_view filter) {
  return erase_numbered(batch, Table::Subscriptions, session, filter);
}

Batch::Mark erase_message(Batch& batch, MessageId id) {
  return erase_numbered(batch, Table::Messages, id, "");
}

Batch::Mark erase_queued(Batch& batch, SessionNumber session, std::uint64_t sequence) {
  return erase_numbered(batch, Table::Queues, session, sequence);
}

Batch::Mark erase_awaiting_rel(Batch& batch, SessionNumber session, PacketId packet_id) {
  const Batch::Space at = batch.erase_space(Table::AwaitingRel, 8 + 2);
  Writer key(at.key);
  key.key(session);
  key.key(packet_id);
  return at.mark;
}

Batch::Mark erase_retained(Batch& batch, std::string_view topic) {
  return batch.erase(Table::Retained, topic);
}

Batch::Mark erase_delayed(Batch& batch, std::int64_t due_ms, MessageId id) {
  return erase_numbered(batch, Table::Delayed, static_cast<std::uint64_t>(due_ms), id);
}

Batch::Mark erase_will(Batch& batch, std::string_view client_id) {
  return batch.erase(Table::Wills, client_id);
}

Batch::Mark erase_banned(Batch& batch, std::string_view as, std::string_view who) {
  return erase_pair(batch, Table::Banned, as, who);
}

Batch::Mark erase_user(Batch& batch, std::string_view group, std::string_view user_id) {
  return erase_pair(batch, Table::Users, group, user_id);
}

Batch::Mark erase_authz_rules(Batch& batch, std::string_view holder, std::string_view who) {
  return erase_pair(batch, Table::AuthzRules, holder, who);
}

Batch::Mark erase_admin(Batch& batch, std::string_view username) {
  return batch.erase(Table::Admins, username);
}

Batch::Mark erase_api_key(Batch& batch, std::string_view name) {
  return batch.erase(Table::ApiKeys, name);
}

Batch::Mark erase_login_token(Batch& batch, std::string_view hash) {
  return batch.erase(Table::LoginTokens, hash);
}

namespace {
std::string audit_key(std::int64_t created_us, std::uint64_t sequence) {
  std::string key(16, '\0');
  Writer out(reinterpret_cast<std::uint8_t*>(key.data()));
  out.key(static_cast<std::uint64_t>(created_us));
  out.key(sequence);
  return key;
}
}  // namespace

Batch::Mark erase_audit(Batch& batch, std::int64_t created_us, std::uint64_t sequence) {
  return batch.erase(Table::Audit, audit_key(created_us, sequence));
}

Result<std::string> load_audit(const KeyValue& store, std::int64_t created_us, std::uint64_t sequence) {
  const std::string key = audit_key(created_us, sequence);
  SB_TRY(const std::string value, store.get(Table::Audit, key));
  SB_TRY(const AuditRecord record, decode<AuditRecord>(key, value));
  return std::string(record.entry);
}

Batch::Mark erase_psk_identity(Batch& batch, std::string_view identity) {
  return batch.erase(Table::PskIdentities, identity);
}

Batch::Mark erase_exclusive(Batch& batch, std::string_view topic) {
  return batch.erase(Table::Exclusive, topic);
}

Batch::Mark erase_alarm(Batch& batch, std::int64_t activated_ms, std::string_view name) {
  return erase_numbered(batch, Table::Alarms, static_cast<std::uint64_t>(activated_ms), name);
}

std::string monitor_key(std::int64_t time_ms) {
  std::string key(8, '\0');
  Writer(reinterpret_cast<std::uint8_t*>(key.data())).key(static_cast<std::uint64_t>(time_ms));
  return key;
}

Batch::Mark erase_monitor(Batch& batch, std::int64_t time_ms) {
  return batch.erase(Table::Monitor, monitor_key(time_ms));
}

std::string session_prefix(SessionNumber session) {
  std::string prefix(8, '\0');
  Writer(reinterpret_cast<std::uint8_t*>(prefix.data())).key(session);
  return prefix;
}

void erase_session_rows(Batch& batch, SessionNumber session) {
  const std::string prefix = session_prefix(session);
  for (const Table table : {Table::Subscriptions, Table::Queues, Table::AwaitingRel}) batch.erase_prefix(table, prefix);
}

void erase_queue(Batch& batch, SessionNumber session) {
  batch.erase_prefix(Table::Queues, session_prefix(session));
}

Result<NodeRecord> load_node(const KeyValue& store) {
  SB_TRY(const std::string value, store.get(Table::Meta, kNodeKey));
  return decode<NodeRecord>(kNodeKey, value);
}

Result<> load_message(const KeyValue& store, MessageId id, const std::function<Result<>(const MessageRecord&)>& visit) {
  const std::string key = session_prefix(id);
  SB_TRY(const std::string value, store.get(Table::Messages, key));
  SB_TRY(const MessageRecord record, decode<MessageRecord>(key, value));
  return visit(record);
}

Result<std::uint64_t> erase_unreferenced(KeyValue& store, const std::function<bool(MessageId)>& is_referenced) {
  Batch batch;
  std::uint64_t erased = 0;
  SB_CHECKED(scan<MessageRecord>(store, [&](const MessageRecord& record) -> Result<> {
    if (is_referenced(record.message.id)) return {};
    erase_message(batch, record.message.id);
    ++erased;
    if (batch.count() < kSweepBatch) return {};
    Result<> written = store.commit_wait(std::move(batch));
    batch.clear();
    return written;
  }));
  if (!batch.empty()) SB_CHECKED(store.commit_wait(std::move(batch)));
  return erased;
}

}  // namespace sb::store
