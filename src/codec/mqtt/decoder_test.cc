#include "codec/mqtt/decoder.h"

#include "codec/mqtt/encoder.h"

#include <gtest/gtest.h>

#include <vector>

namespace sb::codec::mqtt {
namespace {

using Bytes = std::vector<std::uint8_t>;

Frame cut(const Bytes& bytes) {
  const auto frame = next_frame(bytes, 1 << 20);
  EXPECT_TRUE(frame.has_value());
  EXPECT_EQ(frame->size, bytes.size());
  return *frame;
}

TEST(NextFrame, TellsHowManyBytesThePacketTakes) {
  std::size_t want = 1;
  const Bytes begin{0x30, 0x81};
  EXPECT_EQ(next_frame(begin, 1000, &want)->size, 0u);
  EXPECT_EQ(want, 0u);
  const Bytes more{0x30, 0x81, 0x01, 0x00};
  EXPECT_EQ(next_frame(more, 1000, &want)->size, 0u);
  EXPECT_EQ(want, 3u + 129);
  EXPECT_EQ(next_frame(more, 128, &want).error(), ReasonCode::PacketTooLarge);
  const Bytes endless{0x30, 0x80, 0x80, 0x80, 0x80, 0x01};
  EXPECT_EQ(next_frame(endless, 1000, &want).error(), ReasonCode::MalformedPacket);
}

TEST(DecodeConnect, ReadsWillAndCredentials) {
  const Bytes packet{0x10, 0x25, 0, 4, 'M', 'Q', 'T', 'T', 5,   0xEE, 0, 60,  3, 0x21, 0,   7, 0, 1,  'c',
                     5,    0x18, 0, 0, 0,   9,   0,   1,   't', 0,    1, 'p', 0, 1,    'u', 0, 1, 'w'};
  Bytes sized = packet;
  sized[1] = static_cast<std::uint8_t>(packet.size() - 2);
  const auto view = decode_connect(cut(sized), true);
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->version, ProtocolVersion::V5);
  EXPECT_TRUE(view->clean_start);
  EXPECT_EQ(view->keep_alive_s, 60);
  EXPECT_EQ(view->receive_maximum, 7);
  EXPECT_EQ(view->client_id, "c");
  ASSERT_TRUE(view->will.has_value());
  EXPECT_EQ(view->will->delay_s, 9u);
  EXPECT_EQ(view->will->topic, "t");
  EXPECT_EQ(view->will->qos, Qos::AtLeastOnce);
  EXPECT_TRUE(view->will->retain);
  EXPECT_EQ(view->username, "u");
  EXPECT_EQ(as_text(view->password.value()), "w");
}

TEST(DecodePublish, BringsScatteredPropertiesTogether) {
  // Payload Format 1, Topic Alias 5, Content Type "x", Subscription Identifier 3, User Property a=b
  const Bytes properties{0x01, 1, 0x23, 0, 5, 0x03, 0, 1, 'x', 0x0B, 3, 0x26, 0, 1, 'a', 0, 1, 'b'};
  Bytes packet{0x30, 0, 0, 1, 't', static_cast<std::uint8_t>(properties.size())};
  packet.insert(packet.end(), properties.begin(), properties.end());
  packet.push_back('P');
  packet[1] = static_cast<std::uint8_t>(packet.size() - 2);
  PropertyScratch scratch;
  const auto view = decode_publish(cut(packet), {ProtocolVersion::V5, false, &scratch});
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(Bytes(view->properties.begin(), view->properties.end()),
            (Bytes{0x01, 1, 0x03, 0, 1, 'x', 0x26, 0, 1, 'a', 0, 1, 'b'}));
  EXPECT_EQ(view->topic_alias, 5);
  EXPECT_TRUE(view->has_subscription_id);
  EXPECT_EQ(as_text(view->payload), "P");
  EXPECT_EQ(decode_publish(cut(packet), {ProtocolVersion::V5}).error(), ReasonCode::ImplementationSpecificError);
}

TEST(EncodePublish, IsReadBackByTheDecoder) {
  const Bytes properties{0x03, 0, 1, 'x'};
  const std::uint32_t ids[] = {1, 200};
  const PublishHead head{.topic = "a/b",
                         .properties = properties,
                         .payload_size = 2,
                         .qos = Qos::AtLeastOnce,
                         .retain = true,
                         .packet_id = 0x1234,
                         .message_expiry_s = 77,
                         .topic_alias = 9,
                         .subscription_ids = ids,
                         .subscription_id_count = 2};
  std::size_t total = 0;
  Bytes out(size_of_publish_head(head, ProtocolVersion::V5, &total));
  ASSERT_EQ(encode_publish_head(out.data(), head, ProtocolVersion::V5), out.data() + out.size());
  out.push_back('h');
  out.push_back('i');
  ASSERT_EQ(out.size(), total);
  const auto view = decode_publish(cut(out), {ProtocolVersion::V5, true});
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->topic, "a/b");
  EXPECT_EQ(view->packet_id, 0x1234);
  EXPECT_EQ(view->message_expiry_s, 77u);
  EXPECT_EQ(view->topic_alias, 9);
  EXPECT_EQ(as_text(view->properties), as_text(properties));
  EXPECT_EQ(as_text(view->payload), "hi");
  const std::size_t at = publish_packet_id_offset(out.data());
  EXPECT_EQ(out[at] << 8 | out[at + 1], 0x1234);
}

TEST(DecodeSubscribe, WalksItsFilters) {
  const Bytes packet{0x82, 16, 0, 1, 2, 0x0B, 4, 0, 1, 'a', 0x2D, 0, 1, 'b', 0x00, 0, 0, 2};
  const auto view = decode_subscribe(cut(packet), {ProtocolVersion::V5, true});
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->count, 3u);
  FilterCursor cursor(*view, ProtocolVersion::V5);
  std::string_view filter;
  SubscribeOptions options;
  ASSERT_TRUE(cursor.next(filter, &options));
  EXPECT_EQ(filter, "a");
  EXPECT_EQ(options, (SubscribeOptions{Qos::AtLeastOnce, true, true, RetainHandling::DoNotSend, 4}));
  ASSERT_TRUE(cursor.next(filter, &options));
  ASSERT_TRUE(cursor.next(filter, &options));
  EXPECT_EQ(filter, "");
  EXPECT_FALSE(cursor.next(filter, &options));
}

}  // namespace
}  // namespace sb::codec::mqtt
