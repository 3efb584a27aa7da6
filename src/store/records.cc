#include "store/records.h"

#include "base/check.h"
#include "store/detail/fields.h"

namespace sb::store {

using detail::kLength;
using detail::Reader;
using detail::size_of;
using detail::Writer;

namespace {

/// First byte of every value. A record of another version is another layout under the same table.
constexpr std::uint8_t kVersion = 1;
/// Of records whose will tells more of its author than their first version can.
constexpr std::uint8_t kVersionAuthored = 2;
/// Of sessions that tell the connection that they were used over last.
constexpr std::uint8_t kVersionConnected = 3;

// ---- Message fields: shared by Messages, Retained, Delayed, Wills ----
//   id:u64 published:i64 expiry:u32 qos:u8 retain:u8 topic payload properties client_id username peer_host
std::size_t size_of(const MessageFields& m) {
  using detail::size_of;
  return 8 + 8 + 4 + 1 + 1 + size_of(m.topic) + size_of(m.payload) + size_of(m.properties) + size_of(m.client_id) +
         size_of(m.username) + size_of(m.peer_host);
}

void write(Writer& out, const MessageFields& m) {
  out.u64(m.id);
  out.i64(m.published_ms);
  out.u32(m.expiry_s);
  out.u8(to_int(m.qos));
  out.u8(m.retain);
  out.text(m.topic);
  out.bytes(m.payload);
  out.bytes(m.properties);
  out.text(m.client_id);
  out.text(m.username);
  out.text(m.peer_host);
}

MessageFields read_message(Reader& in) {
  MessageFields m;
  m.id = in.u64();
  m.published_ms = in.i64();
  m.expiry_s = in.u32();
  m.qos = in.qos();
  m.retain = in.flag();
  m.topic = in.text();
  m.payload = in.bytes();
  m.properties = in.bytes();
  m.client_id = in.text();
  m.username = in.text();
  m.peer_host = in.text();
  return m;
}

// ---- Will fields: qos:u8 retain:u8 delay:u32 expiry:u32 topic payload properties ----
std::size_t size_of(const WillFields& w) {
  using detail::size_of;
  return 1 + 1 + 4 + 4 + size_of(w.topic) + size_of(w.payload) + size_of(w.properties);
}

void write(Writer& out, const WillFields& w) {
  out.u8(to_int(w.qos));
  out.u8(w.retain);
  out.u32(w.delay_s);
  out.u32(w.expiry_s);
  out.text(w.topic);
  out.bytes(w.payload);
  out.bytes(w.properties);
}

WillFields read_will(Reader& in) {
  WillFields w;
  w.qos = in.qos();
  w.retain = in.flag();
  w.delay_s = in.u32();
  w.expiry_s = in.u32();
  w.topic = in.text();
  w.payload = in.bytes();
  w.properties = in.bytes();
  return w;
}

// ---- Author of a will: mount_size:u16 trusted:u8 [until:i64] common_name subject_dn protocol_name ----
// `trusted` is 0, 1: for good, or 2: until then.
constexpr std::uint8_t kTrustEnds = 2;
std::uint8_t trust_of(const WillAuthorFields& a) {
  if (!a.trusted) return 0;
  return a.trusted_until_ms == 0 ? 1 : kTrustEnds;
}

std::size_t size_of(const WillAuthorFields& a) {
  using detail::size_of;
  return 2 + 1 + (trust_of(a) == kTrustEnds ? 8 : 0) + size_of(a.common_name) + size_of(a.subject_dn) +
         size_of(a.protocol_name);
}

std::uint8_t version_with(const WillAuthorFields& a) {
  return a == WillAuthorFields{} ? kVersion : kVersionAuthored;
}

void write(Writer& out, const WillAuthorFields& a) {
  out.u16(a.mount_size);
  out.u8(trust_of(a));
  if (trust_of(a) == kTrustEnds) out.i64(a.trusted_until_ms);
  out.text(a.common_name);
  out.text(a.subject_dn);
  out.text(a.protocol_name);
}

WillAuthorFields read_author(Reader& in, std::uint8_t version) {
  WillAuthorFields a;
  if (version < kVersionAuthored) return a;
  a.mount_size = in.u16();
  const std::uint8_t trust = in.u8();
  in.fail_unless(trust <= kTrustEnds);
  a.trusted = trust != 0;
  if (trust == kTrustEnds) a.trusted_until_ms = in.i64();
  a.common_name = in.text();
  a.subject_dn = in.text();
  a.protocol_name = in.text();
  return a;
}

/// Space for one record and writers into it; checks on destruction that the announced sizes were met.
struct Record {
  Record(Batch& batch, Table table, std::size_t key_size, std::size_t value_size, std::uint8_t version = kVersion)
      : space(batch.put_space(table, key_size, 1 + value_size)),
        key(space.key),
        value(space.value),
        end(space.value + 1 + value_size) {
    value.u8(version);
  }
  Batch::Mark finish() {
    SB_CHECK(key.at() == space.value && value.at() == end, "record of another size than announced");
    return space.mark;
  }

  Batch::Space space;
  Writer key;
  Writer value;
  const std::uint8_t* end;
};

std::string printable(std::string_view key) {
  std::string out;
  for (const char c : key.substr(0, 64)) {
    if (c >= 0x20 && c < 0x7F)
      out += c;
    else
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return key.size() > 64 ? out + "..." : out;
}

[[gnu::cold]] tl::unexpected<Error> corrupt(Table table, std::string_view key, std::string_view value,
                                            bool version_known) {
  std::string_view why = "its fields do not check";
  if (value.empty())
    why = "it is empty";
  else if (!version_known)
    why = "its record version is not known";
  return fail(Errc::Corrupt,
              fmt::format("table {}, key '{}' ({} bytes): {}", to_string(table), printable(key), value.size(), why));
}

/// Reads the version, then `read(record, key reader, value reader)`, then demands that both are used up. Where `read`
/// takes the version as well there are several.
template <class T, class Read>
Result<T> decode_with(std::string_view key, std::string_view value, Read read) {
  Reader key_in(key);
  Reader in(value);
  T record;
  const std::uint8_t version = in.u8();
  constexpr bool kSeveral = std::is_invocable_v<Read, T&, Reader&, Reader&, std::uint8_t>;
  constexpr std::uint8_t kNewest = std::is_same_v<T, SessionRecord> ? kVersionConnected : kVersionAuthored;
  const bool known = version >= kVersion && version <= (kSeveral ? kNewest : kVersion);
  in.fail_unless(known);
  if constexpr (kSeveral)
    read(record, key_in, in, version);
  else
    read(record, key_in, in);
  if (!key_in.done() || !in.done()) [[unlikely]]
    return corrupt(table_of<T>, key, value, known);
  return record;
}

}  // namespace

// Sessions. key: client_id
//   number:u64 created:i64 expiry:u32 disconnected:i64 clean_start:u8 version:u8
//   perhaps_sent_below:u64 username peer_host zone mountpoint has_will:u8 [will] [author, version 2]
//   version 3: [will author] listener peer_port:u16 keep_alive:u16 connected:i64
Batch::Mark put(Batch& batch, const SessionRecord& r) {
  const std::size_t size = 8 + 8 + 4 + 8 + 1 + 1 + 8 + size_of(r.username) + size_of(r.peer_host) + size_of(r.zone) +
                           size_of(r.mountpoint) + 1;
  const std::uint8_t form = r.tells_connection() ? kVersionConnected : r.will ? version_with(r.will->author) : kVersion;
  const std::size_t author = r.will && form >= kVersionAuthored ? size_of(r.will->author) : 0;
  const std::size_t connection = form >= kVersionConnected ? size_of(r.listener) + 2 + 2 + 8 : 0;
  Record out(batch, Table::Sessions, r.client_id.size(), size + (r.will ? size_of(*r.will) : 0) + author + connection,
             form);
  out.key.raw(r.client_id.data(), r.client_id.size());
  out.value.u64(r.number);
  out.value.i64(r.created_ms);
  out.value.u32(r.expiry_interval_s);
  out.value.i64(r.disconnected_ms);
  out.value.u8(r.clean_start);
  out.value.u8(static_cast<std::uint8_t>(r.version));
  out.value.u64(r.perhaps_sent_below);
  out.value.text(r.username);
  out.value.text(r.peer_host);
  out.value.text(r.zone);
  out.value.text(r.mountpoint);
  out.value.u8(r.will.has_value());
  if (r.will) {
    write(out.value, *r.will);
    if (author != 0) write(out.value, r.will->author);
  }
  if (connection != 0) {
    out.value.text(r.listener);
    out.value.u16(r.peer_port);
    out.value.u16(r.keep_alive_s);
    out.value.i64(r.connected_ms);
  }
  return out.finish();
}

template <>
Result<SessionRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<SessionRecord>(key, value, [](SessionRecord& r, Reader& key_in, Reader& in, std::uint8_t form) {
    r.client_id = key_in.rest();
    r.number = in.u64();
    r.created_ms = in.i64();
    r.expiry_interval_s = in.u32();
    r.disconnected_ms = in.i64();
    r.clean_start = in.flag();
    const std::uint8_t version = in.u8();
    in.fail_unless(version >= 3 && version <= 5);
    r.version = static_cast<ProtocolVersion>(version);
    r.perhaps_sent_below = in.u64();
    r.username = in.text();
    r.peer_host = in.text();
    r.zone = in.text();
    r.mountpoint = in.text();
    if (in.flag()) {
      r.will = read_will(in);
      r.will->author = read_author(in, form);
    } else {
      in.fail_unless(form != kVersionAuthored);
    }
    if (form < kVersionConnected) return;
    r.listener = in.text();
    r.peer_port = in.u16();
    r.keep_alive_s = in.u16();
    r.connected_ms = in.i64();
    in.fail_unless(r.tells_connection());
  });
}

// Subscriptions. key: session:u64 filter
//   qos:u8 no_local:u8 retain_as_published:u8 retain_handling:u8 subscription_id:u32 flags:u8 created:i64
Batch::Mark put(Batch& batch, const SubscriptionRecord& r) {
  Record out(batch, Table::Subscriptions, 8 + r.filter.size(), 4 + 4 + 1 + 8);
  out.key.key(r.session);
  out.key.raw(r.filter.data(), r.filter.size());
  out.value.u8(to_int(r.options.qos));
  out.value.u8(r.options.no_local);
  out.value.u8(r.options.retain_as_published);
  out.value.u8(static_cast<std::uint8_t>(r.options.retain_handling));
  out.value.u32(r.options.subscription_id);
  out.value.u8(r.flags);
  out.value.i64(r.created_ms);
  return out.finish();
}

template <>
Result<SubscriptionRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<SubscriptionRecord>(key, value, [](SubscriptionRecord& r, Reader& key_in, Reader& in) {
    r.session = key_in.key<std::uint64_t>();
    r.filter = key_in.rest();
    r.options.qos = in.qos();
    r.options.no_local = in.flag();
    r.options.retain_as_published = in.flag();
    r.options.retain_handling = static_cast<RetainHandling>(in.in_range(in.u8(), std::uint8_t{2}));
    r.options.subscription_id = in.u32();
    r.flags = in.u8();
    r.created_ms = in.i64();
  });
}

// Messages. key: id:u64, value: message fields
Batch::Mark put(Batch& batch, const MessageRecord& r) {
  Record out(batch, Table::Messages, 8, size_of(r.message));
  out.key.key(r.message.id);
  write(out.value, r.message);
  return out.finish();
}

template <>
Result<MessageRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<MessageRecord>(key, value, [](MessageRecord& r, Reader& key_in, Reader& in) {
    r.message = read_message(in);
    in.fail_unless(key_in.key<std::uint64_t>() == r.message.id);
  });
}

// Queues. key: session:u64 sequence:u64
//   message:u64 state:u8 qos:u8 retain:u8 packet_id:u16 ids:u16 id:u32[ids] shared_group
Batch::Mark put(Batch& batch, const QueueRecord& r) {
  const std::size_t ids_size = r.subscription_ids.size() * 4;
  Record out(batch, Table::Queues, 8 + 8, 8 + 3 + 2 + 2 + ids_size + size_of(r.shared_group));
  out.key.key(r.session);
  out.key.key(r.sequence);
  out.value.u64(r.message);
  out.value.u8(static_cast<std::uint8_t>(r.state));
  out.value.u8(to_int(r.qos));
  out.value.u8(r.retain);
  out.value.u16(r.packet_id);
  out.value.u16(static_cast<std::uint16_t>(r.subscription_ids.size()));
  out.value.raw(r.subscription_ids.data(), ids_size);
  out.value.text(r.shared_group);
  return out.finish();
}

template <>
Result<QueueRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<QueueRecord>(key, value, [](QueueRecord& r, Reader& key_in, Reader& in) {
    r.session = key_in.key<std::uint64_t>();
    r.sequence = key_in.key<std::uint64_t>();
    r.message = in.u64();
    r.state = static_cast<QueueState>(in.in_range(in.u8(), std::uint8_t{2}));
    r.qos = in.qos();
    r.retain = in.flag();
    r.packet_id = in.u16();
    const std::size_t ids = in.u16();
    const std::string_view raw = in.take(ids * 4);
    r.subscription_ids = SubscriptionIds(raw.data(), raw.size() / 4);
    r.shared_group = in.text();
  });
}

// AwaitingRel. key: session:u64 packet_id:u16, value: received:i64
Batch::Mark put(Batch& batch, const AwaitingRelRecord& r) {
  Record out(batch, Table::AwaitingRel, 8 + 2, 8);
  out.key.key(r.session);
  out.key.key(r.packet_id);
  out.value.i64(r.received_ms);
  return out.finish();
}

template <>
Result<AwaitingRelRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<AwaitingRelRecord>(key, value, [](AwaitingRelRecord& r, Reader& key_in, Reader& in) {
    r.session = key_in.key<std::uint64_t>();
    r.packet_id = key_in.key<std::uint16_t>();
    r.received_ms = in.i64();
  });
}

// Retained. key: topic, value: deadline:i64 message fields
Batch::Mark put(Batch& batch, const RetainedRecord& r) {
  Record out(batch, Table::Retained, r.message.topic.size(), 8 + size_of(r.message));
  out.key.raw(r.message.topic.data(), r.message.topic.size());
  out.value.i64(r.deadline_ms);
  write(out.value, r.message);
  return out.finish();
}

template <>
Result<RetainedRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<RetainedRecord>(key, value, [](RetainedRecord& r, Reader& key_in, Reader& in) {
    r.deadline_ms = in.i64();
    r.message = read_message(in);
    in.fail_unless(key_in.rest() == r.message.topic);
  });
}

// Delayed. key: due:u64 id:u64, value: message fields. Due times are never negative.
Batch::Mark put(Batch& batch, const DelayedRecord& r) {
  Record out(batch, Table::Delayed, 8 + 8, size_of(r.message));
  out.key.key(static_cast<std::uint64_t>(r.due_ms));
  out.key.key(r.message.id);
  write(out.value, r.message);
  return out.finish();
}

template <>
Result<DelayedRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<DelayedRecord>(key, value, [](DelayedRecord& r, Reader& key_in, Reader& in) {
    r.due_ms = static_cast<std::int64_t>(key_in.key<std::uint64_t>());
    r.message = read_message(in);
    in.fail_unless(key_in.key<std::uint64_t>() == r.message.id);
  });
}

// Wills. key: client_id, value: due:i64 message fields [author, version 2]
Batch::Mark put(Batch& batch, const WillRecord& r) {
  const std::uint8_t form = version_with(r.author);
  const std::size_t author = form >= kVersionAuthored ? size_of(r.author) : 0;
  Record out(batch, Table::Wills, r.owner.size(), 8 + size_of(r.message) + author, form);
  out.key.raw(r.owner.data(), r.owner.size());
  out.value.i64(r.due_ms);
  write(out.value, r.message);
  if (author != 0) write(out.value, r.author);
  return out.finish();
}

template <>
Result<WillRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<WillRecord>(key, value, [](WillRecord& r, Reader& key_in, Reader& in, std::uint8_t form) {
    r.owner = key_in.rest();
    r.due_ms = in.i64();
    r.message = read_message(in);
    r.author = read_author(in, form);
  });
}

// Banned. key: as 0x00 who, value: at:i64 until:i64 by reason
Batch::Mark put(Batch& batch, const BannedRecord& r) {
  Record out(batch, Table::Banned, r.as.size() + 1 + r.who.size(), 8 + 8 + size_of(r.by) + size_of(r.reason));
  out.key.raw(r.as.data(), r.as.size());
  out.key.u8(0);
  out.key.raw(r.who.data(), r.who.size());
  out.value.i64(r.at_ms);
  out.value.i64(r.until_ms);
  out.value.text(r.by);
  out.value.text(r.reason);
  return out.finish();
}

template <>
Result<BannedRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<BannedRecord>(key, value, [](BannedRecord& r, Reader& key_in, Reader& in) {
    const std::string_view whole = key_in.rest();
    const std::size_t split = whole.find('\0');
    in.fail_unless(split != std::string_view::npos);
    if (split == std::string_view::npos) return;
    r.as = whole.substr(0, split);
    r.who = whole.substr(split + 1);
    r.at_ms = in.i64();
    r.until_ms = in.i64();
    r.by = in.text();
    r.reason = in.text();
  });
}

// Exclusive. key: topic, value: client_id
Batch::Mark put(Batch& batch, const UserRecord& r) {
  Record out(batch, Table::Users, r.group.size() + 1 + r.user_id.size(),
             1 + size_of(r.hash) + size_of(r.salt) + size_of(r.server_key) + size_of(r.algorithm) + 4);
  out.key.raw(r.group.data(), r.group.size());
  out.key.u8(0);
  out.key.raw(r.user_id.data(), r.user_id.size());
  out.value.u8(r.superuser);
  out.value.text(r.hash);
  out.value.text(r.salt);
  out.value.text(r.server_key);
  out.value.text(r.algorithm);
  out.value.u32(r.iterations);
  return out.finish();
}

template <>
Result<UserRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<UserRecord>(key, value, [](UserRecord& r, Reader& key_in, Reader& in) {
    const std::string_view whole = key_in.rest();
    const std::size_t split = whole.find('\0');
    in.fail_unless(split != std::string_view::npos);
    if (split == std::string_view::npos) return;
    r.group = whole.substr(0, split);
    r.user_id = whole.substr(split + 1);
    r.superuser = in.flag();
    r.hash = in.text();
    r.salt = in.text();
    r.server_key = in.text();
    r.algorithm = in.text();
    r.iterations = in.u32();
  });
}

Batch::Mark put(Batch& batch, const AuthzRulesRecord& r) {
  Record out(batch, Table::AuthzRules, r.holder.size() + 1 + r.who.size(), size_of(r.rules));
  out.key.raw(r.holder.data(), r.holder.size());
  out.key.u8(0);
  out.key.raw(r.who.data(), r.who.size());
  out.value.text(r.rules);
  return out.finish();
}

template <>
Result<AuthzRulesRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<AuthzRulesRecord>(key, value, [](AuthzRulesRecord& r, Reader& key_in, Reader& in) {
    const std::string_view whole = key_in.rest();
    const std::size_t split = whole.find('\0');
    in.fail_unless(split != std::string_view::npos);
    if (split == std::string_view::npos) return;
    r.holder = whole.substr(0, split);
    r.who = whole.substr(split + 1);
    r.rules = in.text();
  });
}
Batch::Mark put(Batch& batch, const AdminRecord& r) {
  Record out(batch, Table::Admins, r.username.size(), 1 + size_of(r.password) + size_of(r.description) + 1);
  out.key.raw(r.username.data(), r.username.size());
  out.value.u8(r.role);
  out.value.text(r.password);
  out.value.text(r.description);
  out.value.u8(r.initial);
  return out.finish();
}

template <>
Result<AdminRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<AdminRecord>(key, value, [](AdminRecord& r, Reader& key_in, Reader& in) {
    r.username = key_in.rest();
    r.role = in.in_range(in.u8(), std::uint8_t{1});
    r.password = in.text();
    r.description = in.text();
    r.initial = in.flag();
  });
}

Batch::Mark put(Batch& batch, const ApiKeyRecord& r) {
  Record out(batch, Table::ApiKeys, r.name.size(),
             size_of(r.key) + size_of(r.secret) + 1 + 1 + size_of(r.description) + 8 + 8);
  out.key.raw(r.name.data(), r.name.size());
  out.value.text(r.key);
  out.value.text(r.secret);
  out.value.u8(r.role);
  out.value.u8(r.enable);
  out.value.text(r.description);
  out.value.i64(r.created_ms);
  out.value.i64(r.expires_ms);
  return out.finish();
}

template <>
Result<ApiKeyRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<ApiKeyRecord>(key, value, [](ApiKeyRecord& r, Reader& key_in, Reader& in) {
    r.name = key_in.rest();
    r.key = in.text();
    r.secret = in.text();
    r.role = in.in_range(in.u8(), std::uint8_t{2});
    r.enable = in.flag();
    r.description = in.text();
    r.created_ms = in.i64();
    r.expires_ms = in.i64();
  });
}

Batch::Mark put(Batch& batch, const LoginTokenRecord& r) {
  Record out(batch, Table::LoginTokens, r.hash.size(), size_of(r.username) + 8);
  out.key.raw(r.hash.data(), r.hash.size());
  out.value.text(r.username);
  out.value.i64(r.expires_ms);
  return out.finish();
}

template <>
Result<LoginTokenRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<LoginTokenRecord>(key, value, [](LoginTokenRecord& r, Reader& key_in, Reader& in) {
    r.hash = key_in.rest();
    r.username = in.text();
    r.expires_ms = in.i64();
  });
}

Batch::Mark put(Batch& batch, const AuditRecord& r) {
  Record out(batch, Table::Audit, 8 + 8, size_of(r.entry));
  out.key.key(static_cast<std::uint64_t>(r.created_us));
  out.key.key(r.sequence);
  out.value.text(r.entry);
  return out.finish();
}

template <>
Result<AuditRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<AuditRecord>(key, value, [](AuditRecord& r, Reader& key_in, Reader& in) {
    r.created_us = static_cast<std::int64_t>(key_in.key<std::uint64_t>());
    r.sequence = key_in.key<std::uint64_t>();
    r.entry = in.text();
  });
}

Batch::Mark put(Batch& batch, const PskIdentityRecord& r) {
  Record out(batch, Table::PskIdentities, r.identity.size(), size_of(r.secret));
  out.key.raw(r.identity.data(), r.identity.size());
  out.value.text(r.secret);
  return out.finish();
}

template <>
Result<PskIdentityRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<PskIdentityRecord>(key, value, [](PskIdentityRecord& r, Reader& key_in, Reader& in) {
    r.identity = key_in.rest();
    r.secret = in.text();
  });
}

Batch::Mark put(Batch& batch, const ExclusiveRecord& r) {
  Record out(batch, Table::Exclusive, r.topic.size(), size_of(r.client_id));
  out.key.raw(r.topic.data(), r.topic.size());
  out.value.text(r.client_id);
  return out.finish();
}

template <>
Result<ExclusiveRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<ExclusiveRecord>(key, value, [](ExclusiveRecord& r, Reader& key_in, Reader& in) {
    r.topic = key_in.rest();
    r.client_id = in.text();
  });
}

// Alarms. key: activated:u64 name, value: deactivated:i64 message details
Batch::Mark put(Batch& batch, const AlarmRecord& r) {
  Record out(batch, Table::Alarms, 8 + r.name.size(), 8 + size_of(r.message) + size_of(r.details));
  out.key.key(static_cast<std::uint64_t>(r.activated_ms));
  out.key.raw(r.name.data(), r.name.size());
  out.value.i64(r.deactivated_ms);
  out.value.text(r.message);
  out.value.text(r.details);
  return out.finish();
}

template <>
Result<AlarmRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<AlarmRecord>(key, value, [](AlarmRecord& r, Reader& key_in, Reader& in) {
    r.activated_ms = static_cast<std::int64_t>(key_in.key<std::uint64_t>());
    r.name = key_in.rest();
    r.deactivated_ms = in.i64();
    r.message = in.text();
    r.details = in.text();
  });
}

// Monitor. key: time:u64, value: seven counts, each u64
Batch::Mark put(Batch& batch, const MonitorRecord& r) {
  Record out(batch, Table::Monitor, 8, 7 * 8);
  out.key.key(static_cast<std::uint64_t>(r.time_ms));
  for (const std::uint64_t count :
       {r.received, r.sent, r.dropped, r.subscriptions, r.topics, r.connections, r.live_connections})
    out.value.u64(count);
  return out.finish();
}

template <>
Result<MonitorRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<MonitorRecord>(key, value, [](MonitorRecord& r, Reader& key_in, Reader& in) {
    r.time_ms = static_cast<std::int64_t>(key_in.key<std::uint64_t>());
    for (std::uint64_t* count :
         {&r.received, &r.sent, &r.dropped, &r.subscriptions, &r.topics, &r.connections, &r.live_connections})
      *count = in.u64();
  });
}

// Meta, key "node": home_seed:u64 last_wall:i64 session_floor:u64 message_floor:u64 clean_stop:u8
Batch::Mark put(Batch& batch, const NodeRecord& r) {
  Record out(batch, Table::Meta, kNodeKey.size(), 8 + 8 + 8 + 8 + 1);
  out.key.raw(kNodeKey.data(), kNodeKey.size());
  out.value.u64(r.home_seed);
  out.value.i64(r.last_wall_ms);
  out.value.u64(r.session_floor);
  out.value.u64(r.message_floor);
  out.value.u8(r.clean_stop);
  return out.finish();
}

template <>
Result<NodeRecord> decode(std::string_view key, std::string_view value) {
  return decode_with<NodeRecord>(key, value, [](NodeRecord& r, Reader& key_in, Reader& in) {
    in.fail_unless(key_in.rest() == kNodeKey);
    r.home_seed = in.u64();
    r.last_wall_ms = in.i64();
    r.session_floor = in.u64();
    r.message_floor = in.u64();
    r.clean_stop = in.flag();
  });
}

}  // namespace sb::store
