// Typed access to the tables beside put() and decode(): erasing by key, reading one, scanning all.
#pragma once

#include "store/key_value.h"
#include "store/records.h"

#include <algorithm>
#include <concepts>
#include <span>
#include <string>
#include <string_view>

namespace sb::store {

Batch::Mark erase_session(Batch& batch, std::string_view client_id);
Batch::Mark erase_subscription(Batch& batch, SessionNumber session, std::string_view filter);
Batch::Mark erase_message(Batch& batch, MessageId id);
Batch::Mark erase_queued(Batch& batch, SessionNumber session, std::uint64_t sequence);
Batch::Mark erase_awaiting_rel(Batch& batch, SessionNumber session, PacketId packet_id);
Batch::Mark erase_retained(Batch& batch, std::string_view topic);
Batch::Mark erase_delayed(Batch& batch, std::int64_t due_ms, MessageId id);
Batch::Mark erase_will(Batch& batch, std::string_view client_id);
Batch::Mark erase_banned(Batch& batch, std::string_view as, std::string_view who);
Batch::Mark erase_user(Batch& batch, std::string_view group, std::string_view user_id);
Batch::Mark erase_authz_rules(Batch& batch, std::string_view holder, std::string_view who);
Batch::Mark erase_admin(Batch& batch, std::string_view username);
Batch::Mark erase_api_key(Batch& batch, std::string_view name);
Batch::Mark erase_login_token(Batch& batch, std::string_view hash);
Batch::Mark erase_audit(Batch& batch, std::int64_t created_us, std::uint64_t sequence);
Batch::Mark erase_psk_identity(Batch& batch, std::string_view identity);
Batch::Mark erase_exclusive(Batch& batch, std::string_view topic);
Batch::Mark erase_alarm(Batch& batch, std::int64_t activated_ms, std::string_view name);
Batch::Mark erase_monitor(Batch& batch, std::int64_t time_ms);
/// Key of the monitor's row of a time, for scans from there on.
std::string monitor_key(std::int64_t time_ms);

/// Everything that hangs at a session number: subscriptions, queue, awaited PUBRELs. Three prefix erases: where few
/// rows are left, erase those instead (see Batch::erase_prefix). Messages and the session's own row are not touched.
void erase_session_rows(Batch& batch, SessionNumber session);
void erase_queue(Batch& batch, SessionNumber session);

/// Key prefix of the rows of one session in Subscriptions, Queues and AwaitingRel.
std::string session_prefix(SessionNumber session);

/// Visits the records of a table in key order; `visit(const Record&)` returns Result<>. A record that does not check
/// ends the scan with its Errc::Corrupt: a store is read whole or not at all.
template <class Record, class Visitor>
[[nodiscard]] Result<> scan(const KeyValue& store, std::string_view prefix, Visitor&& visit) {
  return store.scan(table_of<Record>, prefix, [&visit](std::string_view key, std::string_view value) -> Result<bool> {
    SB_TRY(const Record record, decode<Record>(key, value));
    SB_CHECKED(visit(record));
    return true;
  });
}
template <class Record, class Visitor>
[[nodiscard]] Result<> scan(const KeyValue& store, Visitor&& visit) {
  return scan<Record>(store, std::string_view{}, std::forward<Visitor>(visit));
}

/// Commits `records` so many at a time, and waits: no batch grows with their number. Parts that were committed stay
/// when a later one fails.
template <class Record>
[[nodiscard]] Result<> commit_in_parts(KeyValue& store, std::span<const Record> records, std::size_t part) {
  while (!records.empty()) {
    Batch batch;
    const auto now = records.first(std::min(std::max<std::size_t>(part, 1), records.size()));
    for (const Record& one : now) put(batch, one);
    SB_CHECKED(store.commit_wait(std::move(batch)));
    records = records.subspan(now.size());
  }
  return {};
}

/// The node's own row; a fresh store has none: Errc::NotFound.
[[nodiscard]] Result<NodeRecord> load_node(const KeyValue& store);

/// The text of one audit record. Errc::NotFound.
[[nodiscard]] Result<std::string> load_audit(const KeyValue& store, std::int64_t created_us, std::uint64_t sequence);

/// Reads one message: `visit(const MessageRecord&)` sees views that live until it returns.
[[nodiscard]] Result<> load_message(const KeyValue& store, MessageId id,
                                    const std::function<Result<>(const MessageRecord&)>& visit);

/// Start-up, after the queues were read: erases the messages that `is_referenced` does not know, in bounded batches.
/// Returns how many.
[[nodiscard]] Result<std::uint64_t> erase_unreferenced(KeyValue& store,
                                                       const std::function<bool(MessageId)>& is_referenced);

}  // namespace sb::store
