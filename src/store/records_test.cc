#include "store/records.h"

#include "store/tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace sb::store {
namespace {

struct Row {
  Table table;
  std::string key;
  std::string value;
  friend bool operator==(const Row&, const Row&) = default;
};

template <class Record>
Row encode(const Record& record) {
  Batch batch;
  put(batch, record);
  Row row{};
  batch.for_each([&](const Batch::Entry& e) { row = {e.table, std::string(e.key), std::string(e.value)}; });
  return row;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

MessageFields full_message() {
  return {.id = 0x0102030405060708,
          .topic = "a/\xC3\xA4",
          .payload = as_bytes(std::string_view("\0pay\xFF", 5)),
          .properties = as_bytes("props"),
          .qos = Qos::ExactlyOnce,
          .retain = true,
          .published_ms = 1'700'000'000'123,
          .expiry_s = 77,
          .client_id = "publisher",
          .username = "user",
          .peer_host = "10.0.0.1"};
}

void expect_full_message(const MessageFields& m) {
  const MessageFields want = full_message();
  EXPECT_EQ(m.id, want.id);
  EXPECT_EQ(m.topic, want.topic);
  EXPECT_EQ(as_text(m.payload), as_text(want.payload));
  EXPECT_EQ(as_text(m.properties), as_text(want.properties));
  EXPECT_EQ(m.qos, want.qos);
  EXPECT_EQ(m.retain, want.retain);
  EXPECT_EQ(m.published_ms, want.published_ms);
  EXPECT_EQ(m.expiry_s, want.expiry_s);
  EXPECT_EQ(m.client_id, want.client_id);
  EXPECT_EQ(m.username, want.username);
  EXPECT_EQ(m.peer_host, want.peer_host);
}

SessionRecord full_session() {
  return {.client_id = "device-1",
          .number = 42,
          .created_ms = 1'700'000'000'000,
          .expiry_interval_s = 3600,
          .disconnected_ms = 1'700'000'005'000,
          .clean_start = true,
          .version = ProtocolVersion::V311,
          .perhaps_sent_below = 65535,
          .username = "u",
          .peer_host = "::1",
          .zone = "default",
          .mountpoint = "m/",
          .will = WillFields{.topic = "w",
                             .payload = as_bytes("gone"),
                             .properties = as_bytes("pp"),
                             .qos = Qos::AtLeastOnce,
                             .retain = true,
                             .delay_s = 5,
                             .expiry_s = 60}};
}

constexpr std::array<std::uint32_t, 3> kIds = {1, 268'435'455, 7};

QueueRecord full_queued() {
  return {.session = 42,
          .sequence = 256,
          .message = 0x0102030405060708,
          .state = QueueState::PubrecReceived,
          .qos = Qos::ExactlyOnce,
          .retain = true,
          .packet_id = 0xABCD,
          .subscription_ids = std::span<const std::uint32_t>(kIds),
          .shared_group = "g"};
}

TEST(Records, KeepASession) {
  const Row row = encode(full_session());
  EXPECT_EQ(row.table, Table::Sessions);
  EXPECT_EQ(row.key, "device-1");
  const auto r = decode<SessionRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->client_id, "device-1");
  EXPECT_EQ(r->number, 42u);
  EXPECT_EQ(r->created_ms, 1'700'000'000'000);
  EXPECT_EQ(r->expiry_interval_s, 3600u);
  EXPECT_EQ(r->disconnected_ms, 1'700'000'005'000);
  EXPECT_TRUE(r->clean_start);
  EXPECT_EQ(r->version, ProtocolVersion::V311);
  EXPECT_EQ(r->perhaps_sent_below, 65535u);
  EXPECT_EQ(r->username, "u");
  EXPECT_EQ(r->peer_host, "::1");
  EXPECT_EQ(r->zone, "default");
  EXPECT_EQ(r->mountpoint, "m/");
  ASSERT_TRUE(r->will);
  EXPECT_EQ(r->will->topic, "w");
  EXPECT_EQ(as_text(r->will->payload), "gone");
  EXPECT_EQ(as_text(r->will->properties), "pp");
  EXPECT_EQ(r->will->qos, Qos::AtLeastOnce);
  EXPECT_TRUE(r->will->retain);
  EXPECT_EQ(r->will->delay_s, 5u);
  EXPECT_EQ(r->will->expiry_s, 60u);
}

TEST(Records, KeepASessionWithoutAWill) {
  SessionRecord session = full_session();
  session.will.reset();
  session.disconnected_ms = 0;
  const Row row = encode(session);
  const auto r = decode<SessionRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_FALSE(r->will);
  EXPECT_EQ(r->disconnected_ms, 0);
}

TEST(Records, KeepTheLastConnectionOfASession) {
  for (const bool will : {true, false}) {
    SessionRecord session = full_session();
    if (!will) session.will.reset();
    session.listener = "ssl:default";
    session.peer_port = 51722;
    session.keep_alive_s = 60;
    session.connected_ms = 1'700'000'000'123;
    const Row row = encode(session);
    const auto r = decode<SessionRecord>(row.key, row.value);
    ASSERT_TRUE(r) << r.error().what;
    EXPECT_EQ(r->listener, "ssl:default");
    EXPECT_EQ(r->peer_port, 51722);
    EXPECT_EQ(r->keep_alive_s, 60);
    EXPECT_EQ(r->connected_ms, 1'700'000'000'123);
    EXPECT_EQ(r->mountpoint, "m/");
    EXPECT_EQ(r->will.has_value(), will);
    if (will) {
      EXPECT_EQ(r->will->topic, "w");
      EXPECT_EQ(r->will->author, WillAuthorFields{});
    }
    for (std::size_t size = 0; size < row.value.size(); ++size)
      EXPECT_FALSE(decode<SessionRecord>(row.key, std::string_view(row.value).substr(0, size))) << size;
  }
}

TEST(Records, KeepASubscription) {
  const SubscriptionRecord record{.session = 42,
                                  .filter = "$share/g/a/+/#",
                                  .options = {.qos = Qos::ExactlyOnce,
                                              .no_local = true,
                                              .retain_as_published = true,
                                              .retain_handling = RetainHandling::DoNotSend,
                                              .subscription_id = 268'435'455},
                                  .flags = 0x81,
                                  .created_ms = 5};
  const Row row = encode(record);
  EXPECT_EQ(row.table, Table::Subscriptions);
  EXPECT_EQ(row.key, session_prefix(42) + "$share/g/a/+/#");
  const auto r = decode<SubscriptionRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->session, 42u);
  EXPECT_EQ(r->filter, record.filter);
  EXPECT_EQ(r->options, record.options);
  EXPECT_EQ(r->flags, 0x81);
  EXPECT_EQ(r->created_ms, 5);
}

TEST(Records, KeepAMessage) {
  const Row row = encode(MessageRecord{full_message()});
  EXPECT_EQ(row.table, Table::Messages);
  EXPECT_EQ(hex(row.key), "0102030405060708");
  const auto r = decode<MessageRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  expect_full_message(r->message);
}

TEST(Records, KeepAQueuedMessage) {
  const Row row = encode(full_queued());
  EXPECT_EQ(row.table, Table::Queues);
  const auto r = decode<QueueRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->session, 42u);
  EXPECT_EQ(r->sequence, 256u);
  EXPECT_EQ(r->message, 0x0102030405060708u);
  EXPECT_EQ(r->state, QueueState::PubrecReceived);
  EXPECT_EQ(r->qos, Qos::ExactlyOnce);
  EXPECT_TRUE(r->retain);
  EXPECT_EQ(r->packet_id, 0xABCD);
  ASSERT_EQ(r->subscription_ids.size(), kIds.size());
  for (std::size_t i = 0; i < kIds.size(); ++i) EXPECT_EQ(r->subscription_ids[i], kIds[i]);
  EXPECT_EQ(r->shared_group, "g");
}

TEST(Records, KeepAnAwaitedPubrel) {
  const Row row = encode(AwaitingRelRecord{.session = 42, .packet_id = 258, .received_ms = 9});
  EXPECT_EQ(row.table, Table::AwaitingRel);
  EXPECT_EQ(hex(row.key), "000000000000002a0102");
  const auto r = decode<AwaitingRelRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->session, 42u);
  EXPECT_EQ(r->packet_id, 258);
  EXPECT_EQ(r->received_ms, 9);
}

TEST(Records, KeepARetainedMessage) {
  const Row row = encode(RetainedRecord{.message = full_message(), .deadline_ms = 99});
  EXPECT_EQ(row.table, Table::Retained);
  EXPECT_EQ(row.key, full_message().topic);
  const auto r = decode<RetainedRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->deadline_ms, 99);
  expect_full_message(r->message);
}

TEST(Records, KeepADelayedMessage) {
  const Row row = encode(DelayedRecord{.due_ms = 1'700'000'009'000, .message = full_message()});
  EXPECT_EQ(row.table, Table::Delayed);
  const auto r = decode<DelayedRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->due_ms, 1'700'000'009'000);
  expect_full_message(r->message);
}

TEST(Records, KeepAWill) {
  const Row row = encode(WillRecord{.owner = "device-1", .due_ms = 3, .message = full_message()});
  EXPECT_EQ(row.table, Table::Wills);
  EXPECT_EQ(row.key, "device-1");
  const auto r = decode<WillRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->owner, "device-1");
  EXPECT_EQ(r->due_ms, 3);
  expect_full_message(r->message);
}

TEST(Records, KeepTheAuthorOfAWill) {
  const WillAuthorFields author{.mount_size = 2,
                                .trusted = true,
                                .trusted_until_ms = 1'900'000'000'000,
                                .common_name = "device-7",
                                .subject_dn = "CN=device-7",
                                .protocol_name = "MQTT"};
  const Row row = encode(WillRecord{.owner = "device-1", .message = full_message(), .author = author});
  const auto r = decode<WillRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->author, author);
  WillAuthorFields for_good = author;
  for_good.trusted_until_ms = 0;
  const Row shorter = encode(WillRecord{.owner = "device-1", .message = full_message(), .author = for_good});
  EXPECT_EQ(shorter.value.size() + 8, row.value.size());
  EXPECT_EQ(decode<WillRecord>(shorter.key, shorter.value)->author, for_good);
  SessionRecord session = full_session();
  session.will->author = author;
  const Row stored = encode(session);
  const auto s = decode<SessionRecord>(stored.key, stored.value);
  ASSERT_TRUE(s) << s.error().what;
  EXPECT_EQ(s->will->author, author);
  EXPECT_EQ(s->will->topic, "w");
  // What an older program wrote tells of no author, and is still read.
  const Row old = encode(full_session());
  EXPECT_EQ(old.value[0], 1);
  EXPECT_EQ(decode<SessionRecord>(old.key, old.value)->will->author, WillAuthorFields{});
}

TEST(Records, KeepABan) {
  const Row row =
      encode(BannedRecord{.as = "clientid", .who = "bad", .by = "admin", .reason = "why", .at_ms = 1, .until_ms = 2});
  EXPECT_EQ(row.table, Table::Banned);
  const auto r = decode<BannedRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->as, "clientid");
  EXPECT_EQ(r->who, "bad");
  EXPECT_EQ(r->by, "admin");
  EXPECT_EQ(r->reason, "why");
  EXPECT_EQ(r->at_ms, 1);
  EXPECT_EQ(r->until_ms, 2);
}

TEST(Records, KeepAnAdmin) {
  const Row row =
      encode(AdminRecord{.username = "admin", .role = 1, .password = "h", .description = "d", .initial = true});
  EXPECT_EQ(row.table, Table::Admins);
  const auto r = decode<AdminRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->username, "admin");
  EXPECT_EQ(r->role, 1);
  EXPECT_EQ(r->password, "h");
  EXPECT_EQ(r->description, "d");
  EXPECT_TRUE(r->initial);
  EXPECT_FALSE(decode<AdminRecord>(encode(AdminRecord{.username = "x", .role = 2}).key,
                                   encode(AdminRecord{.username = "x", .role = 2}).value));
}

TEST(Records, KeepAnApiKey) {
  const Row row = encode(ApiKeyRecord{.name = "ci",
                                      .key = "k",
                                      .secret = "s",
                                      .role = 2,
                                      .enable = false,
                                      .description = "d",
                                      .created_ms = 5,
                                      .expires_ms = 6});
  EXPECT_EQ(row.table, Table::ApiKeys);
  const auto r = decode<ApiKeyRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->name, "ci");
  EXPECT_EQ(r->key, "k");
  EXPECT_EQ(r->secret, "s");
  EXPECT_EQ(r->role, 2);
  EXPECT_FALSE(r->enable);
  EXPECT_EQ(r->description, "d");
  EXPECT_EQ(r->created_ms, 5);
  EXPECT_EQ(r->expires_ms, 6);
}

TEST(Records, KeepALoginTokenAndAnAuditEntry) {
  const Row token = encode(LoginTokenRecord{.hash = "hash", .username = "admin", .expires_ms = 7});
  EXPECT_EQ(token.table, Table::LoginTokens);
  const auto t = decode<LoginTokenRecord>(token.key, token.value);
  ASSERT_TRUE(t) << t.error().what;
  EXPECT_EQ(t->hash, "hash");
  EXPECT_EQ(t->username, "admin");
  EXPECT_EQ(t->expires_ms, 7);
  const Row row = encode(AuditRecord{.created_us = 8, .sequence = 9, .entry = "{}"});
  EXPECT_EQ(row.table, Table::Audit);
  const auto a = decode<AuditRecord>(row.key, row.value);
  ASSERT_TRUE(a) << a.error().what;
  EXPECT_EQ(a->created_us, 8);
  EXPECT_EQ(a->sequence, 9U);
  EXPECT_EQ(a->entry, "{}");
}

TEST(Records, KeepAUser) {
  const Row row = encode(UserRecord{.group = "mqtt:global/x",
                                    .user_id = "joe",
                                    .superuser = true,
                                    .hash = "h",
                                    .salt = "s",
                                    .server_key = "k",
                                    .algorithm = "sha256",
                                    .iterations = 4096});
  EXPECT_EQ(row.table, Table::Users);
  const auto r = decode<UserRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->group, "mqtt:global/x");
  EXPECT_EQ(r->user_id, "joe");
  EXPECT_TRUE(r->superuser);
  EXPECT_EQ(r->hash, "h");
  EXPECT_EQ(r->salt, "s");
  EXPECT_EQ(r->server_key, "k");
  EXPECT_EQ(r->algorithm, "sha256");
  EXPECT_EQ(r->iterations, 4096U);
}

TEST(Records, OfRulesAndPreSharedKeysComeBack) {
  const Row rules = encode(AuthzRulesRecord{"clientid", "joe", "[]"});
  EXPECT_EQ(rules.table, Table::AuthzRules);
  const auto r = decode<AuthzRulesRecord>(rules.key, rules.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->holder, "clientid");
  EXPECT_EQ(r->who, "joe");
  EXPECT_EQ(r->rules, "[]");
  EXPECT_FALSE(decode<AuthzRulesRecord>("no holder", rules.value));
  const Row key = encode(PskIdentityRecord{"device", "secret"});
  EXPECT_EQ(key.table, Table::PskIdentities);
  const auto p = decode<PskIdentityRecord>(key.key, key.value);
  ASSERT_TRUE(p) << p.error().what;
  EXPECT_EQ(p->identity, "device");
  EXPECT_EQ(p->secret, "secret");
}

TEST(Records, KeepAnExclusiveClaim) {
  const Row row = encode(ExclusiveRecord{.topic = "t/1", .client_id = "c"});
  EXPECT_EQ(row.table, Table::Exclusive);
  const auto r = decode<ExclusiveRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->topic, "t/1");
  EXPECT_EQ(r->client_id, "c");
}

TEST(Records, KeepAnAlarm) {
  const Row row =
      encode(AlarmRecord{.activated_ms = 10, .name = "disk", .deactivated_ms = 11, .message = "full", .details = "{}"});
  EXPECT_EQ(row.table, Table::Alarms);
  const auto r = decode<AlarmRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->activated_ms, 10);
  EXPECT_EQ(r->name, "disk");
  EXPECT_EQ(r->deactivated_ms, 11);
  EXPECT_EQ(r->message, "full");
  EXPECT_EQ(r->details, "{}");
}

TEST(Records, KeepTheNode) {
  const Row row =
      encode(NodeRecord{.home_seed = 1, .last_wall_ms = 2, .session_floor = 3, .message_floor = 4, .clean_stop = true});
  EXPECT_EQ(row.table, Table::Meta);
  EXPECT_EQ(row.key, kNodeKey);
  const auto r = decode<NodeRecord>(row.key, row.value);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->home_seed, 1u);
  EXPECT_EQ(r->last_wall_ms, 2);
  EXPECT_EQ(r->session_floor, 3u);
  EXPECT_EQ(r->message_floor, 4u);
  EXPECT_TRUE(r->clean_stop);
}

/// Stored bytes do not change by accident: docs/storage.md describes these.
TEST(Records, HaveTheDocumentedBytes) {
  const Row row = encode(full_queued());
  EXPECT_EQ(hex(row.key),
            "000000000000002a"
            "0000000000000100");
  EXPECT_EQ(hex(row.value),
            "01"
            "0807060504030201"
            "02"
            "02"
            "01"
            "cdab"
            "0300"
            "01000000"
            "ffffff0f"
            "07000000"
            "01000000"
            "67");
}

/// One full record of each kind.
template <class Check>
void for_each_kind(Check check) {
  check(full_session());
  check(SubscriptionRecord{.session = 1, .filter = "a/b", .options = {}});
  check(MessageRecord{full_message()});
  check(full_queued());
  check(AwaitingRelRecord{.session = 1, .packet_id = 2, .received_ms = 3});
  check(RetainedRecord{.message = full_message(), .deadline_ms = 1});
  check(DelayedRecord{.due_ms = 1, .message = full_message()});
  check(WillRecord{.owner = "c", .due_ms = 1, .message = full_message()});
  check(WillRecord{.owner = "c", .message = full_message(), .author = {.mount_size = 1, .protocol_name = "MQTT"}});
  check(BannedRecord{.as = "username", .who = "w", .by = "b", .reason = "r"});
  check(UserRecord{.group = "g", .user_id = "u", .hash = "h", .salt = "s"});
  check(ExclusiveRecord{.topic = "t", .client_id = "c"});
  check(AlarmRecord{.activated_ms = 1, .name = "n", .message = "m", .details = "d"});
  check(MonitorRecord{.time_ms = 10'000, .received = 1, .live_connections = 7});
  check(NodeRecord{.home_seed = 1});
}

TEST(Records, AreRefusedWhenCutAtAnyByte) {
  for_each_kind([](const auto& record) {
    using Record = std::decay_t<decltype(record)>;
    const Row row = encode(record);
    ASSERT_TRUE(decode<Record>(row.key, row.value));
    for (std::size_t size = 0; size < row.value.size(); ++size) {
      const std::string cut = row.value.substr(0, size);  // a copy of its own: the sanitizer sees a read past it
      const auto decoded = decode<Record>(row.key, cut);
      ASSERT_FALSE(decoded) << to_string(row.table) << " cut to " << size;
      EXPECT_EQ(decoded.error().code, Errc::Corrupt);
      EXPECT_THAT(decoded.error().what, ::testing::HasSubstr(std::string(to_string(row.table))));
    }
  });
}

TEST(Records, AreRefusedWithBytesLeftOver) {
  for_each_kind([](const auto& record) {
    using Record = std::decay_t<decltype(record)>;
    const Row row = encode(record);
    EXPECT_FALSE(decode<Record>(row.key, row.value + '\0')) << to_string(row.table);
  });
}

TEST(Records, AreRefusedInAnUnknownVersion) {
  for_each_kind([](const auto& record) {
    using Record = std::decay_t<decltype(record)>;
    Row row = encode(record);
    row.value[0] = 4;
    const auto decoded = decode<Record>(row.key, row.value);
    ASSERT_FALSE(decoded) << to_string(row.table);
    EXPECT_THAT(decoded.error().what, ::testing::HasSubstr("version"));
  });
}

TEST(Records, AreRefusedUnderAKeyOfAnotherShape) {
  const Row session_row = encode(full_queued());
  EXPECT_FALSE(decode<QueueRecord>(session_row.key.substr(1), session_row.value));
  EXPECT_FALSE(decode<QueueRecord>(session_row.key + "x", session_row.value));
  const Row message = encode(MessageRecord{full_message()});
  EXPECT_FALSE(decode<MessageRecord>(session_prefix(1), message.value));
  const Row retained = encode(RetainedRecord{.message = full_message()});
  EXPECT_FALSE(decode<RetainedRecord>("another/topic", retained.value));
  const Row banned = encode(BannedRecord{.as = "a", .who = "b"});
  EXPECT_FALSE(decode<BannedRecord>("ab", banned.value));
}

TEST(Records, AreRefusedWithAValueOutOfItsRange) {
  Row row = encode(full_queued());
  row.value[9] = 3;  // state
  const auto decoded = decode<QueueRecord>(row.key, row.value);
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().what, ::testing::HasSubstr("key '\\x00"));  // readable
  row = encode(full_queued());
  row.value[10] = 3;  // qos
  EXPECT_FALSE(decode<QueueRecord>(row.key, row.value));
  row = encode(full_queued());
  row.value[11] = 2;  // retain
  EXPECT_FALSE(decode<QueueRecord>(row.key, row.value));
}

/// No bytes may make a decoder read outside them (the sanitizer build says) or accept what it did not write.
TEST(Records, SurviveAnyByteBeingFlipped) {
  for_each_kind([](const auto& record) {
    using Record = std::decay_t<decltype(record)>;
    const Row row = encode(record);
    for (std::size_t at = 0; at < row.value.size(); ++at)
      for (int bit = 0; bit < 8; ++bit) {
        Row bad = row;
        bad.value[at] = static_cast<char>(bad.value[at] ^ (1 << bit));
        if (const auto decoded = decode<Record>(bad.key, bad.value)) {
          EXPECT_EQ(encode(*decoded), bad) << to_string(row.table) << " byte " << at;
        }
      }
  });
}

TEST(Keys, SortByNumberAndTime) {
  EXPECT_LT(session_prefix(255), session_prefix(256));
  EXPECT_LT(encode(QueueRecord{.session = 1, .sequence = 0xFFFF}).key,
            encode(QueueRecord{.session = 1, .sequence = 0x10000}).key);
  EXPECT_LT(encode(QueueRecord{.session = 1, .sequence = ~0ull}).key, encode(QueueRecord{.session = 2}).key);
  EXPECT_LT(encode(DelayedRecord{.due_ms = 1000, .message = {.id = 9}}).key,
            encode(DelayedRecord{.due_ms = 1001, .message = {.id = 1}}).key);
}

TEST(Keys, OfErasesAreThoseOfPuts) {
  Batch batch;
  erase_session(batch, "device-1");
  erase_subscription(batch, 42, "a/b");
  erase_message(batch, 0x0102030405060708);
  erase_queued(batch, 42, 256);
  erase_awaiting_rel(batch, 42, 258);
  erase_retained(batch, "r/t");
  erase_delayed(batch, 77, 5);
  erase_will(batch, "device-1");
  erase_banned(batch, "clientid", "bad");
  erase_user(batch, "g", "joe");
  erase_exclusive(batch, "t/1");
  erase_alarm(batch, 10, "disk");
  erase_monitor(batch, 10'000);
  std::vector<Row> erased;
  batch.for_each([&](const Batch::Entry& e) {
    EXPECT_EQ(e.op, Batch::Op::Erase);
    erased.push_back({e.table, std::string(e.key), ""});
  });
  std::vector<Row> written = {
      encode(full_session()),
      encode(SubscriptionRecord{.session = 42, .filter = "a/b"}),
      encode(MessageRecord{full_message()}),
      encode(full_queued()),
      encode(AwaitingRelRecord{.session = 42, .packet_id = 258}),
      encode(RetainedRecord{.message = {.topic = "r/t"}}),
      encode(DelayedRecord{.due_ms = 77, .message = {.id = 5}}),
      encode(WillRecord{.owner = "device-1"}),
      encode(BannedRecord{.as = "clientid", .who = "bad"}),
      encode(UserRecord{.group = "g", .user_id = "joe"}),
      encode(ExclusiveRecord{.topic = "t/1"}),
      encode(AlarmRecord{.activated_ms = 10, .name = "disk"}),
      encode(MonitorRecord{.time_ms = 10'000}),
  };
  for (Row& row : written) row.value.clear();
  EXPECT_EQ(erased, written);
}

TEST(Tables, EraseAllRowsOfASessionAndNoOthers) {
  const auto store = make_memory();
  Batch batch;
  for (const SessionNumber session : {1u, 2u, 3u}) {
    put(batch, SubscriptionRecord{.session = session, .filter = "f"});
    put(batch, QueueRecord{.session = session, .sequence = 1});
    put(batch, AwaitingRelRecord{.session = session, .packet_id = 1});
  }
  erase_session_rows(batch, 2);
  ASSERT_TRUE(store->commit_wait(std::move(batch)));
  std::vector<SessionNumber> left;
  const auto note = [&](const auto& record) -> Result<> {
    left.push_back(record.session);
    return {};
  };
  ASSERT_TRUE(scan<SubscriptionRecord>(*store, note));
  ASSERT_TRUE(scan<QueueRecord>(*store, note));
  ASSERT_TRUE(scan<AwaitingRelRecord>(*store, note));
  EXPECT_EQ(left, (std::vector<SessionNumber>{1, 3, 1, 3, 1, 3}));
  left.clear();
  ASSERT_TRUE(scan<QueueRecord>(*store, session_prefix(3), note));
  EXPECT_EQ(left, std::vector<SessionNumber>{3});
}

TEST(Tables, StopAScanAtARecordThatDoesNotCheck) {
  const auto store = make_memory();
  Batch batch;
  put(batch, ExclusiveRecord{.topic = "a", .client_id = "c"});
  batch.put(Table::Exclusive, "b", "rubbish");
  ASSERT_TRUE(store->commit_wait(std::move(batch)));
  const auto scanned = scan<ExclusiveRecord>(*store, [](const ExclusiveRecord&) -> Result<> { return {}; });
  ASSERT_FALSE(scanned);
  EXPECT_EQ(scanned.error().code, Errc::Corrupt);
  EXPECT_THAT(scanned.error().what, ::testing::HasSubstr("table exclusive, key 'b'"));
}

TEST(BatchTest, KeepsItsBufferWhenClearedAndGivesBackALargeOne) {
  Batch batch;
  put(batch, MessageRecord{full_message()});
  const Batch::Space warm = batch.put_space(Table::Meta, 1, 1);
  batch.clear();
  EXPECT_TRUE(batch.empty());
  const Batch::Space again = batch.put_space(Table::Meta, 1, 1);
  EXPECT_LT(again.key, warm.key);  // same buffer, from its beginning
  EXPECT_GT(again.key + 4096, warm.key);
  const std::string large(Batch::kKeptBytes + 1, 'x');
  batch.put(Table::Meta, "k", large);
  batch.clear();
  EXPECT_EQ(batch.bytes(), 0u);
  batch.put(Table::Meta, "k", "v");
  int seen = 0;
  batch.for_each([&](const Batch::Entry& e) {
    EXPECT_EQ(e.value, "v");
    ++seen;
  });
  EXPECT_EQ(seen, 1);
}

TEST(BatchTest, LeavesTheSourceOfAMoveEmpty) {
  Batch from;
  from.put(Table::Meta, "k", "v");
  Batch to = std::move(from);
  EXPECT_EQ(to.count(), 1u);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): promised
  from.put(Table::Meta, "x", "y");
  to = std::move(from);
  EXPECT_EQ(to.count(), 1u);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): promised
}

}  // namespace
}  // namespace sb::store
