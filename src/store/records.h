// What the tables hold, as views: put() copies out of them, decode() points into the key and value it was given, so a
// record read by a scan lives until its visitor returns. Encodings: docs/storage.md.
// Session numbers and message ids are handed out by the broker and never reused. Times are wall milliseconds.
#pragma once

#include "base/bytes.h"
#include "base/mqtt_types.h"
#include "base/result.h"
#include "store/batch.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace sb::store {

using SessionNumber = std::uint64_t;
using MessageId = std::uint64_t;

/// What a message is, wherever it is kept.
struct MessageFields {
  MessageId id = 0;
  std::string_view topic{};
  ByteView payload{};
  ByteView properties{};  // forwardable, as on the wire; no Message Expiry
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::int64_t published_ms = 0;
  std::uint32_t expiry_s = kNeverExpires;  // 3.3.2.3.3, counted from published_ms
  std::string_view client_id{};            // the publisher
  std::string_view username{};
  std::string_view peer_host{};
};

/// What the permission to publish a will depends on beside its client's identity.
struct WillAuthorFields {
  std::uint16_t mount_size = 0;  // how much of the topic is mountpoint
  bool trusted = false;
  std::int64_t trusted_until_ms = 0;  // wall clock; 0: for good
  std::string_view common_name{};
  std::string_view subject_dn{};
  std::string_view protocol_name{};
  bool operator==(const WillAuthorFields&) const = default;
};

/// The will of a session, before it is due. 3.1.2.5
struct WillFields {
  std::string_view topic{};
  ByteView payload{};
  ByteView properties{};
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::uint32_t delay_s = 0;
  std::uint32_t expiry_s = kNeverExpires;
  WillAuthorFields author{};
};

struct SessionRecord {
  std::string_view client_id{};  // key
  SessionNumber number = 0;
  std::int64_t created_ms = 0;
  std::uint32_t expiry_interval_s = 0;  // kNeverExpires = for ever
  std::int64_t disconnected_ms = 0;     // 0 = connected (after a crash: was connected)
  bool clean_start = false;
  ProtocolVersion version = ProtocolVersion::V5;
  std::uint64_t perhaps_sent_below = 0;  // queued rows before this sequence may have gone out before a crash
  std::string_view username{};
  std::string_view peer_host{};
  std::string_view zone{};
  std::string_view mountpoint{};
  std::optional<WillFields> will{};
  // The connection that it was used over last; an older program stored none of it.
  std::string_view listener{};
  std::uint16_t peer_port = 0;
  std::uint16_t keep_alive_s = 0;
  std::int64_t connected_ms = 0;
  bool tells_connection() const { return !listener.empty(); }
};

struct SubscriptionRecord {
  SessionNumber session = 0;  // key
  std::string_view filter{};  // key: in full, with $share/group/ and the like
  SubscribeOptions options{};
  std::uint8_t flags = 0;  // the broker's
  std::int64_t created_ms = 0;
};

struct MessageRecord {
  MessageFields message{};  // key: message.id
};

enum class QueueState : std::uint8_t { Queued = 0, Sent = 1, PubrecReceived = 2 };

/// Subscription Identifiers of a delivery. A view: of the caller's numbers, or of stored bytes (which are not aligned).
class SubscriptionIds {
 public:
  static constexpr std::size_t kMax = 65535;  // further ones are left out

  SubscriptionIds() = default;
  SubscriptionIds(std::span<const std::uint32_t> ids)  // NOLINT: a view converts like a span
      : data_(ids.data()), size_(ids.size() < kMax ? ids.size() : kMax) {}
  /// `size` numbers in host byte order.
  SubscriptionIds(const void* data, std::size_t size) : data_(data), size_(size) {}

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::uint32_t operator[](std::size_t i) const {
    std::uint32_t id;
    std::memcpy(&id, static_cast<const std::uint8_t*>(data_) + i * sizeof id, sizeof id);
    return id;
  }
  const void* data() const { return data_; }

 private:
  const void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// One message owed to one session.
struct QueueRecord {
  SessionNumber session = 0;   // key
  std::uint64_t sequence = 0;  // key: order in the session
  MessageId message = 0;
  QueueState state = QueueState::Queued;
  Qos qos = Qos::AtLeastOnce;
  bool retain = false;
  PacketId packet_id = 0;  // 0 while Queued
  SubscriptionIds subscription_ids{};
  std::string_view shared_group{};  // empty: not a shared subscription's
};

/// An inbound QoS 2 packet id between PUBREC and PUBREL. 4.3.3
struct AwaitingRelRecord {
  SessionNumber session = 0;  // key
  PacketId packet_id = 0;     // key
  std::int64_t received_ms = 0;
};

struct RetainedRecord {
  MessageFields message{};       // key: message.topic
  std::int64_t deadline_ms = 0;  // 0 = none; the earlier of message expiry and the retainer's
};

/// `$delayed`.
struct DelayedRecord {
  std::int64_t due_ms = 0;  // key, with message.id: due order
  MessageFields message{};
};

/// A will after its client was lost, until it is due or the client is back. 3.1.3.2.2
struct WillRecord {
  std::string_view owner{};  // key: client id
  std::int64_t due_ms = 0;
  MessageFields message{};
  WillAuthorFields author{};
};

struct BannedRecord {
  std::string_view as{};   // key: clientid, username, peerhost, ...
  std::string_view who{};  // key
  std::string_view by{};
  std::string_view reason{};
  std::int64_t at_ms = 0;
  std::int64_t until_ms = 0;  // 0 = for ever
};

/// A user of a built-in authentication database.
struct UserRecord {
  std::string_view group{};    // key: chain and authenticator
  std::string_view user_id{};  // key
  bool superuser = false;
  std::string_view hash{};
  std::string_view salt{};
  std::string_view server_key{};  // scram
  std::string_view algorithm{};   // scram
  std::uint32_t iterations = 0;   // scram
};

/// What one client id, one username or everybody may do, in the built-in authorization database.
struct AuthzRulesRecord {
  std::string_view holder{};  // key: clientid, username, all
  std::string_view who{};     // key
  std::string_view rules{};   // JSON, as the management interface has it
};

/// Somebody who logs in to the dashboard.
struct AdminRecord {
  std::string_view username{};  // key
  std::uint8_t role = 0;        // 0 administrator, 1 viewer
  std::string_view password{};  // hash
  std::string_view description{};
  bool initial = false;  // still has the password that the world knows
};

struct ApiKeyRecord {
  std::string_view name{};  // key
  std::string_view key{};
  std::string_view secret{};  // hash
  std::uint8_t role = 0;      // 0 administrator, 1 viewer, 2 publisher
  bool enable = true;
  std::string_view description{};
  std::int64_t created_ms = 0;
  std::int64_t expires_ms = 0;  // 0 = never
};

/// The token itself is not kept.
struct LoginTokenRecord {
  std::string_view hash{};  // key
  std::string_view username{};
  std::int64_t expires_ms = 0;
};

/// One management call.
struct AuditRecord {
  std::int64_t created_us = 0;  // key
  std::uint64_t sequence = 0;   // key
  std::string_view entry{};     // JSON text
};

/// A pre-shared key of TLS.
struct PskIdentityRecord {
  std::string_view identity{};  // key
  std::string_view secret{};
};

struct ExclusiveRecord {
  std::string_view topic{};  // key
  std::string_view client_id{};
};

struct AlarmRecord {
  std::int64_t activated_ms = 0;    // key, with name: order of history
  std::string_view name{};          // key
  std::int64_t deactivated_ms = 0;  // 0 = active
  std::string_view message{};
  std::string_view details{};  // JSON text
};

/// What the node did in one interval, and how much it held at its end.
struct MonitorRecord {
  std::int64_t time_ms = 0;  // key: start of the interval, a multiple of its length
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t dropped = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t topics = 0;
  std::uint64_t connections = 0;
  std::uint64_t live_connections = 0;
};

/// Key of the node's row in Meta; "format" and "guard" are the store's own.
constexpr std::string_view kNodeKey = "node";

/// One row about the node itself.
struct NodeRecord {
  std::uint64_t home_seed = 0;      // of hash(client id) -> shard
  std::int64_t last_wall_ms = 0;    // the newest wall time seen: a clock that is behind it stepped back
  SessionNumber session_floor = 0;  // numbers below were handed out
  MessageId message_floor = 0;
  bool clean_stop = false;  // the last run ended in order
};

// Adding. The batch grows; nothing is read.
Batch::Mark put(Batch& batch, const SessionRecord& record);
Batch::Mark put(Batch& batch, const SubscriptionRecord& record);
Batch::Mark put(Batch& batch, const MessageRecord& record);
Batch::Mark put(Batch& batch, const QueueRecord& record);
Batch::Mark put(Batch& batch, const AwaitingRelRecord& record);
Batch::Mark put(Batch& batch, const RetainedRecord& record);
Batch::Mark put(Batch& batch, const DelayedRecord& record);
Batch::Mark put(Batch& batch, const WillRecord& record);
Batch::Mark put(Batch& batch, const BannedRecord& record);
Batch::Mark put(Batch& batch, const UserRecord& record);
Batch::Mark put(Batch& batch, const AuthzRulesRecord& record);
Batch::Mark put(Batch& batch, const AdminRecord& record);
Batch::Mark put(Batch& batch, const ApiKeyRecord& record);
Batch::Mark put(Batch& batch, const LoginTokenRecord& record);
Batch::Mark put(Batch& batch, const AuditRecord& record);
Batch::Mark put(Batch& batch, const PskIdentityRecord& record);
Batch::Mark put(Batch& batch, const ExclusiveRecord& record);
Batch::Mark put(Batch& batch, const AlarmRecord& record);
Batch::Mark put(Batch& batch, const MonitorRecord& record);
Batch::Mark put(Batch& batch, const NodeRecord& record);

// Reading. Errc::Corrupt, naming table and key, when the bytes do not check: too short, too long, a value out of its
// range, an unknown record version.
template <class Record>
[[nodiscard]] Result<Record> decode(std::string_view key, std::string_view value) = delete;
template <>
[[nodiscard]] Result<SessionRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<SubscriptionRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<MessageRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<QueueRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<AwaitingRelRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<RetainedRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<DelayedRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<WillRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<BannedRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<UserRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<AuthzRulesRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<AdminRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<ApiKeyRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<LoginTokenRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<AuditRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<PskIdentityRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<ExclusiveRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<AlarmRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<MonitorRecord> decode(std::string_view key, std::string_view value);
template <>
[[nodiscard]] Result<NodeRecord> decode(std::string_view key, std::string_view value);

/// The table of a record type.
template <class Record>
constexpr Table table_of = Table::Meta;
template <>
inline constexpr Table table_of<SessionRecord> = Table::Sessions;
template <>
inline constexpr Table table_of<SubscriptionRecord> = Table::Subscriptions;
template <>
inline constexpr Table table_of<MessageRecord> = Table::Messages;
template <>
inline constexpr Table table_of<QueueRecord> = Table::Queues;
template <>
inline constexpr Table table_of<AwaitingRelRecord> = Table::AwaitingRel;
template <>
inline constexpr Table table_of<RetainedRecord> = Table::Retained;
template <>
inline constexpr Table table_of<DelayedRecord> = Table::Delayed;
template <>
inline constexpr Table table_of<WillRecord> = Table::Wills;
template <>
inline constexpr Table table_of<BannedRecord> = Table::Banned;
template <>
inline constexpr Table table_of<UserRecord> = Table::Users;
template <>
inline constexpr Table table_of<AuthzRulesRecord> = Table::AuthzRules;
template <>
inline constexpr Table table_of<AdminRecord> = Table::Admins;
template <>
inline constexpr Table table_of<ApiKeyRecord> = Table::ApiKeys;
template <>
inline constexpr Table table_of<LoginTokenRecord> = Table::LoginTokens;
template <>
inline constexpr Table table_of<AuditRecord> = Table::Audit;
template <>
inline constexpr Table table_of<PskIdentityRecord> = Table::PskIdentities;
template <>
inline constexpr Table table_of<ExclusiveRecord> = Table::Exclusive;
template <>
inline constexpr Table table_of<AlarmRecord> = Table::Alarms;
template <>
inline constexpr Table table_of<MonitorRecord> = Table::Monitor;

}  // namespace sb::store
