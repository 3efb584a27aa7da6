// What the server writes, byte by byte and read back by the client's decoder, which shares no code with the encoder.
#include "codec/mqtt/encoder.h"

#include "codec/mqtt/client.h"
#include "codec/mqtt/describe_test.h"

#include <gtest/gtest.h>

namespace sb::codec::mqtt {
namespace {

using testing::to_bytes;

constexpr auto kV31 = ProtocolVersion::V31;
constexpr auto kV311 = ProtocolVersion::V311;
constexpr auto kV5 = ProtocolVersion::V5;

template <class Packet, class... Version>
Buffer written(const Packet& packet, Version... version) {
  Buffer out(size_of(packet, version...));
  EXPECT_EQ(encode(out.data(), packet, version...), out.data() + out.size());
  return out;
}

Frame cut(const Buffer& bytes) {
  const auto frame = next_frame(bytes, 1 << 28);
  EXPECT_TRUE(frame && frame->size == bytes.size());
  return *frame;
}

TEST(EncodeConnack, WritesNothingThatIsNotSet) {
  EXPECT_EQ(written(Connack{}, kV5), to_bytes("20 { 00 00 {} }"));
  EXPECT_EQ(written(Connack{.session_present = true}, kV5), to_bytes("20 { 01 00 {} }"));
  EXPECT_EQ(written(Connack{.session_present = true}, kV311), to_bytes("20 { 01 00 }"));
  EXPECT_EQ(written(Connack{.session_present = true}, kV31), to_bytes("20 { 00 00 }"));
}

TEST(EncodeConnack, TellsOfNoSessionWhenItRefuses) {  // [MQTT-3.2.2-6]
  const Connack refusal{.session_present = true, .reason = ReasonCode::NotAuthorized};
  EXPECT_EQ(written(refusal, kV5), to_bytes("20 { 00 87 {} }"));
  EXPECT_EQ(written(refusal, kV311), to_bytes("20 { 00 05 }"));
}

TEST(EncodeConnack, MapsReasonsForOldClients) {
  const std::pair<unsigned, int> map[] = {{0x00, 0}, {0x80, 1}, {0x81, 1}, {0x82, 1}, {0x83, 1}, {0x84, 1}, {0x85, 2},
                                          {0x86, 4}, {0x87, 5}, {0x88, 3}, {0x89, 3}, {0x8A, 5}, {0x8B, 3}, {0x8C, 5},
                                          {0x90, 3}, {0x97, 3}, {0x9C, 3}, {0x9D, 3}, {0x9F, 3}};
  for (const auto& [reason, code] : map) EXPECT_EQ(v3_connack_code(static_cast<ReasonCode>(reason)), code) << reason;
}

TEST(EncodeConnack, IsReadBackWithEveryProperty) {
  const Buffer data{1, 2, 3};
  const Connack packet{.session_present = true,
                       .reason = ReasonCode::Success,
                       .session_expiry_s = 10,
                       .receive_maximum = 20,
                       .maximum_qos = 1,
                       .retain_available = false,
                       .maximum_packet_size = 1 << 20,
                       .assigned_client_id = "id",
                       .topic_alias_maximum = 65535,
                       .reason_string = "why",
                       .wildcard_subscription_available = true,
                       .subscription_id_available = false,
                       .shared_subscription_available = true,
                       .server_keep_alive_s = 30,
                       .response_information = "r/",
                       .server_reference = "other",
                       .authentication_method = "m",
                       .authentication_data = data};
  const Buffer bytes = written(packet, kV5);
  const auto read = decode_connack(cut(bytes), kV5);
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->session_present);
  EXPECT_EQ(read->session_expiry_s, 10u);
  EXPECT_EQ(read->receive_maximum, 20);
  EXPECT_EQ(read->maximum_qos, 1);
  EXPECT_EQ(read->retain_available, false);
  EXPECT_EQ(read->maximum_packet_size, 1u << 20);
  EXPECT_EQ(read->assigned_client_id, "id");
  EXPECT_EQ(read->topic_alias_maximum, 65535);
  EXPECT_EQ(read->reason_string, "why");
  EXPECT_EQ(read->wildcard_subscription_available, true);
  EXPECT_EQ(read->subscription_id_available, false);
  EXPECT_EQ(read->shared_subscription_available, true);
  EXPECT_EQ(read->server_keep_alive_s, 30);
  EXPECT_EQ(read->response_information, "r/");
  EXPECT_EQ(read->server_reference, "other");
  EXPECT_EQ(read->authentication_method, "m");
  EXPECT_EQ(as_text(read->authentication_data.value()), as_text(data));
}

TEST(EncodeAck, TakesTheShortFormForSuccess) {
  const auto ack = [](PacketType type, ReasonCode reason, ProtocolVersion version) {
    Buffer out;
    append_ack(out, type, 0x1234, reason, version);
    return out;
  };
  EXPECT_EQ(ack(PacketType::Puback, ReasonCode::Success, kV5), to_bytes("40 { 12 34 }"));
  EXPECT_EQ(ack(PacketType::Puback, ReasonCode::NoMatchingSubscribers, kV5), to_bytes("40 { 12 34 10 }"));
  EXPECT_EQ(ack(PacketType::Puback, ReasonCode::NoMatchingSubscribers, kV311), to_bytes("40 { 12 34 }"));
  EXPECT_EQ(ack(PacketType::Pubrec, ReasonCode::NotAuthorized, kV5), to_bytes("50 { 12 34 87 }"));
  EXPECT_EQ(ack(PacketType::Pubrel, ReasonCode::Success, kV5), to_bytes("62 { 12 34 }"));
  EXPECT_EQ(ack(PacketType::Pubcomp, ReasonCode::PacketIdentifierNotFound, kV5), to_bytes("70 { 12 34 92 }"));
}

TEST(EncodeSuback, FitsTheVersion) {
  const ReasonCode codes[] = {ReasonCode::Success, ReasonCode::GrantedQos2, ReasonCode::NotAuthorized};
  const auto suback = [&](ProtocolVersion version) {
    Buffer out(size_of_suback(3, version));
    EXPECT_EQ(encode_suback(out.data(), 7, codes, 3, version), out.data() + out.size());
    return out;
  };
  EXPECT_EQ(suback(kV5), to_bytes("90 { 00 07 {} 00 02 87 }"));
  EXPECT_EQ(suback(kV311), to_bytes("90 { 00 07 00 02 80 }"));
  const auto unsuback = [&](ProtocolVersion version) {
    Buffer out(size_of_unsuback(3, version));
    EXPECT_EQ(encode_unsuback(out.data(), 7, codes, 3, version), out.data() + out.size());
    return out;
  };
  EXPECT_EQ(unsuback(kV5), to_bytes("b0 { 00 07 {} 00 02 87 }"));
  EXPECT_EQ(unsuback(kV311), to_bytes("b0 { 00 07 }"));
  const Buffer bytes = suback(kV5);
  EXPECT_EQ(decode_suback(cut(bytes), kV5)->codes.size(), 3u);
}

TEST(EncodeDisconnect, IsAsShortAsItCan) {
  EXPECT_EQ(written(Disconnect{}), to_bytes("e0 {}"));
  EXPECT_EQ(written(Disconnect{.reason = ReasonCode::SessionTakenOver}), to_bytes("e0 { 8e }"));
  const Disconnect moved{.reason = ReasonCode::UseAnotherServer, .reason_string = "full", .server_reference = "b"};
  EXPECT_EQ(written(moved), to_bytes("e0 { 9c { 1f \"full\" 1c \"b\" } }"));
  const Buffer bytes = written(moved);
  EXPECT_EQ(decode_server_disconnect(cut(bytes))->server_reference, "b");
}

TEST(EncodeAuth, IsReadBack) {
  EXPECT_EQ(written(Auth{}), to_bytes("f0 {}"));
  const Buffer data{9};
  EXPECT_EQ(written(Auth{.reason = ReasonCode::ContinueAuthentication, .method = "m", .data = data}),
            to_bytes("f0 { 18 { 15 \"m\" 16 00 01 09 } }"));
}

TEST(EncodePublish, CrossesEveryLengthBorder) {
  for (const std::size_t payload : {0u, 100u, 122u, 123u, 124u, 16377u, 16378u, 16379u, 2097145u, 2097146u, 2097147u}) {
    for (const auto version : {kV311, kV5}) {
      PublishHead head{.topic = "t", .payload_size = payload, .qos = Qos::AtLeastOnce, .packet_id = 0xABCD};
      std::size_t total = 0;
      Buffer out(size_of_publish_head(head, version, &total));
      ASSERT_EQ(encode_publish_head(out.data(), head, version), out.data() + out.size());
      out.resize(out.size() + payload, 'x');
      ASSERT_EQ(out.size(), total);
      const std::size_t at = publish_packet_id_offset(out.data());
      EXPECT_EQ(out[at] << 8 | out[at + 1], 0xABCD);
      const auto view = decode_publish(cut(out), {version, true});
      ASSERT_TRUE(view.has_value()) << payload;
      EXPECT_EQ(view->payload.size(), payload);
      EXPECT_EQ(view->packet_id, 0xABCD);
    }
  }
}

TEST(EncodePublish, CopiesTopicsOfEveryLength) {
  for (std::size_t size = 1; size < 300; ++size) {
    std::string topic;
    for (std::size_t i = 0; i < size; ++i) topic += static_cast<char>('a' + i % 26);
    Buffer out;
    append_publish(out, {.topic = topic, .retain = true}, {}, kV5);
    const auto view = decode_publish(cut(out), {kV5, true});
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(view->topic, topic);
  }
}

TEST(EncodePublish, OrdersSubscriptionIdentifiers) {
  const std::uint32_t ids[] = {1, 127, 128, 268435455};
  Buffer out;
  append_publish(out, {.topic = "t", .subscription_ids = ids, .subscription_id_count = 4}, {}, kV5);
  EXPECT_EQ(subscription_ids(cut(out)), (std::vector<std::uint32_t>{1, 127, 128, 268435455}));
}

TEST(Client, WritesWhatTheServerReads) {
  ConnectView connect;
  connect.version = kV5;
  connect.client_id = "c";
  connect.keep_alive_s = 30;
  connect.session_expiry_s = 5;
  connect.receive_maximum = 9;
  connect.username = "u";
  connect.password = as_bytes("p");
  WillView& will = connect.will.emplace();
  will.topic = "w";
  will.payload = as_bytes("m");
  will.qos = Qos::ExactlyOnce;
  will.delay_s = 4;
  Buffer out;
  append_connect(out, connect);
  EXPECT_EQ(testing::describe(cut(out), kV5, true),
            "v5 id=c keepalive=30 will=w:m/q2 delay=4 user=u password=p session=5 receive=9");
  for (const auto version : {kV31, kV311}) {
    connect.version = version;
    out.clear();
    append_connect(out, connect);
    EXPECT_EQ(testing::describe(cut(out), version, true),
              "v" + std::to_string(static_cast<int>(version)) + " id=c keepalive=30 will=w:m/q2 user=u password=p");
  }

  out.clear();
  const SubscribeEntry entries[] = {{"a", {.qos = Qos::AtLeastOnce, .no_local = true}}, {"b", {}}};
  append_subscribe(out, 7, 200, entries, kV5);
  EXPECT_EQ(testing::describe(cut(out), kV5, true), "id=7 a:q1/nl/200 b:q0/200");
  out.clear();
  append_subscribe(out, 7, 0, entries, kV311);
  EXPECT_EQ(testing::describe(cut(out), kV311, true), "id=7 a:q1 b:q0");
  out.clear();
  const std::string_view filters[] = {"a", "b/#"};
  append_unsubscribe(out, 8, filters, kV5);
  EXPECT_EQ(testing::describe(cut(out), kV5, true), "id=8 a b/#");
  out.clear();
  append_pingreq(out);
  EXPECT_EQ(testing::describe(cut(out), kV5, true), "ok");
  out.clear();
  append_disconnect(out, {ReasonCode::DisconnectWithWillMessage, 60}, kV5);
  EXPECT_EQ(testing::describe(cut(out), kV5, true), "reason=04 session=60");
  out.clear();
  append_disconnect(out, {ReasonCode::DisconnectWithWillMessage, 60}, kV311);
  EXPECT_EQ(out, to_bytes("e0 {}"));
}

TEST(Client, ReadsOldConnacks) {
  const Buffer refused = to_bytes("20 { 00 05 }");
  EXPECT_EQ(decode_connack(cut(refused), kV311)->reason, ReasonCode::NotAuthorized);
  const Buffer unknown = to_bytes("20 { 00 06 }");
  EXPECT_EQ(decode_connack(cut(unknown), kV311).error(), ReasonCode::ProtocolError);
  const Buffer reserved = to_bytes("20 { 02 00 }");
  EXPECT_EQ(decode_connack(cut(reserved), kV311).error(), ReasonCode::MalformedPacket);
}

TEST(AnswerVersion, FollowsTheLevelByte) {
  const auto of = [](const char* notation) {
    const Buffer bytes = to_bytes(notation);
    return answer_version(cut(bytes));
  };
  EXPECT_EQ(of("10 { \"MQTT\" 05 }"), kV5);
  EXPECT_EQ(of("10 { \"MQTT\" 06 }"), kV5);
  EXPECT_EQ(of("10 { \"MQTT\" 85 }"), kV5);
  EXPECT_EQ(of("10 { \"MQTT\" 04 }"), kV311);
  EXPECT_EQ(of("10 { \"MQ\" }"), kV311);
}

TEST(IsValidUtf8, KnowsTheBordersOfTheTable) {  // Unicode table 3-7; controls are refused
  for (const std::string_view good :
       {"", "a", "0123456789abcdef", "\xC2\xA0", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "12345678\xC3\xA9",
        "\xC3\xA9"
        "12345678",
        "12345678abc\xE4\xBD\xA0zz"})
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  for (const std::string_view bad : {"\x80",
                                     "\xC1\xBF",
                                     "\xC2",
                                     "\xC2\x41",
                                     "\xE0\x9F\xBF",
                                     "\xED\xA0\x80",
                                     "\xED\xBF\xBF",
                                     "\xE2\x82",
                                     "\xF0\x8F\xBF\xBF",
                                     "\xF4\x90\x80\x80",
                                     "\xF5\x80\x80\x80",
                                     "\xFF",
                                     "\xF0\x9F\x98",
                                     "\x1F",
                                     "\x7F",
                                     "\xC2\x80",
                                     "\xC2\x9F",
                                     "01234567\x7F",
                                     "0123456\x1F"
                                     "8",
                                     "0123456789\n",
                                     "01234567890123\x7F"})
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
  EXPECT_FALSE(is_valid_utf8(std::string_view("\0", 1)));
  for (std::size_t at = 0; at < 20; ++at) {
    std::string text(20, ' ');
    EXPECT_TRUE(is_valid_utf8(text));
    text[at] = '\x1F';
    EXPECT_FALSE(is_valid_utf8(text)) << at;
  }
}

}  // namespace
}  // namespace sb::codec::mqtt
