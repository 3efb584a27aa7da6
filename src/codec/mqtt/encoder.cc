// MQTT 3.1.1 and 5.0, chapters 2 and 3; numbers in comments are those of 5.0 unless they say otherwise.
#include "codec/mqtt/encoder.h"

#include "codec/mqtt/detail/writer.h"

namespace sb::codec::mqtt {
namespace {

using detail::properties_size;
using detail::PropertyWriter;
using detail::varint_size;
using detail::Writer;

constexpr std::uint8_t first_byte(PacketType type, unsigned flags = 0) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | flags);
}

constexpr std::size_t packet_size(std::size_t remaining) {
  return 1 + varint_size(remaining) + remaining;
}

/// 3.2.2.3
template <class Sink>
void list_properties(const Connack& packet, Sink& sink) {
  sink.u32(PropertyId::SessionExpiryInterval, packet.session_expiry_s);
  sink.u16(PropertyId::ReceiveMaximum, packet.receive_maximum);
  sink.flag(PropertyId::MaximumQos, packet.maximum_qos);
  sink.flag(PropertyId::RetainAvailable, packet.retain_available);
  sink.u32(PropertyId::MaximumPacketSize, packet.maximum_packet_size);
  sink.text(PropertyId::AssignedClientIdentifier, packet.assigned_client_id);
  sink.u16(PropertyId::TopicAliasMaximum, packet.topic_alias_maximum);
  sink.text(PropertyId::ReasonString, packet.reason_string);
  sink.flag(PropertyId::WildcardSubscriptionAvailable, packet.wildcard_subscription_available);
  sink.flag(PropertyId::SubscriptionIdentifierAvailable, packet.subscription_id_available);
  sink.flag(PropertyId::SharedSubscriptionAvailable, packet.shared_subscription_available);
  sink.u16(PropertyId::ServerKeepAlive, packet.server_keep_alive_s);
  sink.text(PropertyId::ResponseInformation, packet.response_information);
  sink.text(PropertyId::ServerReference, packet.server_reference);
  sink.text(PropertyId::AuthenticationMethod, packet.authentication_method);
  sink.binary(PropertyId::AuthenticationData, packet.authentication_data);
}

/// 3.14.2.2
template <class Sink>
void list_properties(const Disconnect& packet, Sink& sink) {
  sink.text(PropertyId::ReasonString, packet.reason_string);
  sink.text(PropertyId::ServerReference, packet.server_reference);
}

/// 3.15.2.2
template <class Sink>
void list_properties(const Auth& packet, Sink& sink) {
  sink.text(PropertyId::AuthenticationMethod, packet.method);
  sink.binary(PropertyId::AuthenticationData, packet.data);
}

template <class Packet>
std::size_t size_of_properties(const Packet& packet) {
  return properties_size([&](auto& sink) { list_properties(packet, sink); });
}

/// DISCONNECT and AUTH share their form: nothing, reason, or reason and properties.
std::size_t remaining_of(ReasonCode reason, std::size_t properties) {
  if (properties != 0) return 1 + varint_size(properties) + properties;
  return reason == ReasonCode::Success ? 0 : 1;
}

template <class Packet>
std::uint8_t* encode_reason_packet(std::uint8_t* out, PacketType type, const Packet& packet, std::size_t remaining,
                                   std::size_t properties) {
  Writer writer(out);
  writer.u8(first_byte(type));
  writer.varint(remaining);
  if (remaining >= 1) writer.u8(packet.reason);
  if (remaining >= 2) {
    writer.varint(properties);
    PropertyWriter sink(writer);
    list_properties(packet, sink);
  }
  return writer.at();
}

/// AUTH without properties still tells their length unless all is left out. 3.15.2.1
std::size_t remaining_of(const Auth& packet, std::size_t properties) {
  if (properties == 0) return packet.reason == ReasonCode::Success ? 0 : 2;
  return remaining_of(packet.reason, properties);
}

/// What follows the topic's length field; the sums of one PUBLISH.
struct PublishSizes {
  std::size_t properties;  // 0 for v3
  std::size_t head;        // of the variable header
  std::size_t remaining;
};

PublishSizes sizes_of(const PublishHead& head, ProtocolVersion version) {
  PublishSizes sizes{0, 2 + head.topic.size(), 0};
  if (head.qos != Qos::AtMostOnce) sizes.head += 2;
  if (version == ProtocolVersion::V5) {
    sizes.properties = head.properties.size();
    if (head.message_expiry_s != kNeverExpires) sizes.properties += 5;
    if (head.topic_alias != 0) sizes.properties += 3;
    for (std::size_t i = 0; i < head.subscription_id_count; ++i)
      sizes.properties += 1 + varint_size(head.subscription_ids[i]);
    sizes.head += varint_size(sizes.properties) + sizes.properties;
  }
  sizes.remaining = sizes.head + head.payload_size;
  return sizes;
}

}  // namespace

std::uint8_t v3_connack_code(ReasonCode reason) {
  switch (reason) {
    case ReasonCode::Success:
      return 0;
    case ReasonCode::ClientIdentifierNotValid:
      return 2;
    case ReasonCode::BadUserNameOrPassword:
      return 4;
    case ReasonCode::NotAuthorized:
    case ReasonCode::Banned:
    case ReasonCode::BadAuthenticationMethod:
      return 5;
    case ReasonCode::ServerUnavailable:
    case ReasonCode::ServerBusy:
    case ReasonCode::ServerShuttingDown:
    case ReasonCode::TopicNameInvalid:
    case ReasonCode::QuotaExceeded:
    case ReasonCode::UseAnotherServer:
    case ReasonCode::ServerMoved:
    case ReasonCode::ConnectionRateExceeded:
      return 3;
    default:
      return 1;
  }
}

std::size_t size_of(const Connack& packet, ProtocolVersion version) {
  if (version != ProtocolVersion::V5) return 4;
  const std::size_t properties = size_of_properties(packet);
  return packet_size(2 + varint_size(properties) + properties);
}

std::uint8_t* encode(std::uint8_t* out, const Connack& packet, ProtocolVersion version) {
  Writer writer(out);
  const bool v5 = version == ProtocolVersion::V5;
  const std::size_t properties = v5 ? size_of_properties(packet) : 0;
  const bool present = packet.session_present && packet.reason == ReasonCode::Success;  // [MQTT-3.2.2-6]
  writer.u8(first_byte(PacketType::Connack));
  writer.varint(v5 ? 2 + varint_size(properties) + properties : 2);
  // 3.1 reserves the byte of Session Present.
  writer.u8(present && version != ProtocolVersion::V31 ? 1u : 0u);
  if (!v5) {
    writer.u8(v3_connack_code(packet.reason));
    return writer.at();
  }
  writer.u8(packet.reason);
  writer.varint(properties);
  PropertyWriter sink(writer);
  list_properties(packet, sink);
  return writer.at();
}

std::uint8_t* encode_ack(std::uint8_t* out, PacketType type, PacketId id, ReasonCode reason, ProtocolVersion version) {
  const bool with_reason = version == ProtocolVersion::V5 && reason != ReasonCode::Success;
  out[0] = first_byte(type, type == PacketType::Pubrel ? 0x02 : 0x00);
  out[1] = with_reason ? 3 : 2;
  out[2] = static_cast<std::uint8_t>(id >> 8);
  out[3] = static_cast<std::uint8_t>(id);
  if (!with_reason) return out + 4;
  out[4] = static_cast<std::uint8_t>(reason);
  return out + 5;
}

std::size_t size_of_suback(std::size_t codes, ProtocolVersion version) {
  return packet_size((version == ProtocolVersion::V5 ? 3 : 2) + codes);
}

std::uint8_t* encode_suback(std::uint8_t* out, PacketId id, const ReasonCode* codes, std::size_t count,
                            ProtocolVersion version) {
  Writer writer(out);
  const bool v5 = version == ProtocolVersion::V5;
  writer.u8(first_byte(PacketType::Suback));
  writer.varint((v5 ? 3 : 2) + count);
  writer.u16(id);
  if (v5) writer.u8(0u);
  for (std::size_t i = 0; i < count; ++i)
    writer.u8(!v5 && is_error(codes[i]) ? ReasonCode::UnspecifiedError : codes[i]);
  return writer.at();
}

std::size_t size_of_unsuback(std::size_t codes, ProtocolVersion version) {
  return version == ProtocolVersion::V5 ? packet_size(3 + codes) : 4;
}

std::uint8_t* encode_unsuback(std::uint8_t* out, PacketId id, const ReasonCode* codes, std::size_t count,
                              ProtocolVersion version) {
  Writer writer(out);
  const bool v5 = version == ProtocolVersion::V5;
  writer.u8(first_byte(PacketType::Unsuback));
  writer.varint(v5 ? 3 + count : 2);
  writer.u16(id);
  if (!v5) return writer.at();
  writer.u8(0u);
  for (std::size_t i = 0; i < count; ++i) writer.u8(codes[i]);
  return writer.at();
}

std::uint8_t* encode_pingresp(std::uint8_t* out) {
  out[0] = first_byte(PacketType::Pingresp);
  out[1] = 0;
  return out + 2;
}

std::size_t size_of(const Disconnect& packet) {
  return packet_size(remaining_of(packet.reason, size_of_properties(packet)));
}

std::uint8_t* encode(std::uint8_t* out, const Disconnect& packet) {
  const std::size_t properties = size_of_properties(packet);
  return encode_reason_packet(out, PacketType::Disconnect, packet, remaining_of(packet.reason, properties), properties);
}

std::size_t size_of(const Auth& packet) {
  return packet_size(remaining_of(packet, size_of_properties(packet)));
}

std::uint8_t* encode(std::uint8_t* out, const Auth& packet) {
  const std::size_t properties = size_of_properties(packet);
  return encode_reason_packet(out, PacketType::Auth, packet, remaining_of(packet, properties), properties);
}

std::size_t size_of_publish_head(const PublishHead& head, ProtocolVersion version, std::size_t* total) {
  const PublishSizes sizes = sizes_of(head, version);
  const std::size_t fixed = 1 + varint_size(sizes.remaining);
  if (total != nullptr) *total = fixed + sizes.remaining;
  return fixed + sizes.head;
}

std::uint8_t* encode_publish_head(std::uint8_t* out, const PublishHead& head, ProtocolVersion version) {
  const PublishSizes sizes = sizes_of(head, version);
  Writer writer(out);
  const unsigned dup = head.dup ? 8 : 0;
  writer.u8(
      first_byte(PacketType::Publish, dup | static_cast<unsigned>(to_int(head.qos) << 1) | (head.retain ? 1 : 0)));
  writer.varint(sizes.remaining);
  writer.text(head.topic);
  if (head.qos != Qos::AtMostOnce) writer.u16(head.packet_id);
  if (version != ProtocolVersion::V5) return writer.at();
  writer.varint(sizes.properties);
  if (sizes.properties == 0) return writer.at();
  if (head.message_expiry_s != kNeverExpires) {
    writer.u8(static_cast<unsigned>(PropertyId::MessageExpiryInterval));
    writer.u32(head.message_expiry_s);
  }
  if (head.topic_alias != 0) {
    writer.u8(static_cast<unsigned>(PropertyId::TopicAlias));
    writer.u16(head.topic_alias);
  }
  for (std::size_t i = 0; i < head.subscription_id_count; ++i) {
    writer.u8(static_cast<unsigned>(PropertyId::SubscriptionIdentifier));
    writer.varint(head.subscription_ids[i]);
  }
  writer.raw(head.properties);
  return writer.at();
}

std::size_t publish_packet_id_offset(const std::uint8_t* packet) {
  std::size_t at = 1;
  while (packet[at] & 0x80) ++at;
  ++at;
  return at + 2 + (std::size_t{packet[at]} << 8 | packet[at + 1]);
}

}  // namespace sb::codec::mqtt
