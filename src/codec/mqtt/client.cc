#include "codec/mqtt/client.h"

#include "codec/mqtt/detail/properties.h"
#include "codec/mqtt/detail/reader.h"
#include "codec/mqtt/detail/writer.h"

namespace sb::codec::mqtt {
namespace {

using detail::mask_of;
using detail::properties_size;
using detail::Property;
using detail::PropertyWriter;
using detail::read_properties;
using detail::Reader;
using detail::sized_size;
using detail::varint_size;
using detail::Writer;

constexpr ReasonCode kOk = ReasonCode::Success;

std::uint8_t first_byte(PacketType type, unsigned flags = 0) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | flags);
}

/// Makes room for a packet and writes its fixed header; the returned writer stands at the body.
Writer begin(Buffer& out, PacketType type, unsigned flags, std::size_t remaining) {
  const std::size_t start = out.size();
  out.resize(start + 1 + varint_size(remaining) + remaining);
  Writer writer(out.data() + start);
  writer.u8(first_byte(type, flags));
  writer.varint(remaining);
  return writer;
}

template <class T>
std::optional<T> unless(T value, T absent) {
  return value == absent ? std::nullopt : std::optional<T>(value);
}

template <class Sink>
void list_connect(const ConnectView& packet, Sink& sink) {
  sink.u32(PropertyId::SessionExpiryInterval, packet.session_expiry_s);
  sink.u16(PropertyId::ReceiveMaximum, unless<std::uint16_t>(packet.receive_maximum, 65535));
  sink.u32(PropertyId::MaximumPacketSize, unless<std::uint32_t>(packet.maximum_packet_size, 0));
  sink.u16(PropertyId::TopicAliasMaximum, unless<std::uint16_t>(packet.topic_alias_maximum, 0));
  sink.flag(PropertyId::RequestResponseInformation, unless(packet.request_response_information, false));
  sink.flag(PropertyId::RequestProblemInformation, unless(packet.request_problem_information, true));
  sink.text(PropertyId::AuthenticationMethod, packet.authentication_method);
  sink.binary(PropertyId::AuthenticationData, packet.authentication_data);
}

template <class Sink>
void list_will(const WillView& will, Sink& sink) {
  sink.u32(PropertyId::WillDelayInterval, unless<std::uint32_t>(will.delay_s, 0));
  sink.u32(PropertyId::MessageExpiryInterval, unless<std::uint32_t>(will.message_expiry_s, kNeverExpires));
}

std::size_t with_length(std::size_t properties) {
  return varint_size(properties) + properties;
}

std::uint8_t connect_flags(const ConnectView& packet) {
  unsigned flags = packet.clean_start ? 0x02 : 0;
  if (packet.will)
    flags |= 0x04u | static_cast<unsigned>(to_int(packet.will->qos) << 3) | (packet.will->retain ? 0x20u : 0);
  if (packet.password) flags |= 0x40;
  if (packet.username) flags |= 0x80;
  return static_cast<std::uint8_t>(flags);
}

/// One pass over a server packet's properties with a setter per identifier.
template <class Take>
ReasonCode take_properties(Reader& in, PacketType type, Take&& take) {
  return read_properties(in, mask_of(type), false, [&](const Property& property) {
    take(property);
    return kOk;
  });
}

void take_connack_property(const Property& property, Connack& packet) {
  const auto word = static_cast<std::uint16_t>(property.number);
  const bool yes = property.number != 0;
  switch (property.id) {
    case PropertyId::SessionExpiryInterval:
      packet.session_expiry_s = property.number;
      break;
    case PropertyId::ReceiveMaximum:
      packet.receive_maximum = word;
      break;
    case PropertyId::MaximumQos:
      packet.maximum_qos = static_cast<std::uint8_t>(property.number);
      break;
    case PropertyId::RetainAvailable:
      packet.retain_available = yes;
      break;
    case PropertyId::MaximumPacketSize:
      packet.maximum_packet_size = property.number;
      break;
    case PropertyId::AssignedClientIdentifier:
      packet.assigned_client_id = as_text(property.value);
      break;
    case PropertyId::TopicAliasMaximum:
      packet.topic_alias_maximum = word;
      break;
    case PropertyId::ReasonString:
      packet.reason_string = as_text(property.value);
      break;
    case PropertyId::WildcardSubscriptionAvailable:
      packet.wildcard_subscription_available = yes;
      break;
    case PropertyId::SubscriptionIdentifierAvailable:
      packet.subscription_id_available = yes;
      break;
    case PropertyId::SharedSubscriptionAvailable:
      packet.shared_subscription_available = yes;
      break;
    case PropertyId::ServerKeepAlive:
      packet.server_keep_alive_s = word;
      break;
    case PropertyId::ResponseInformation:
      packet.response_information = as_text(property.value);
      break;
    case PropertyId::ServerReference:
      packet.server_reference = as_text(property.value);
      break;
    case PropertyId::AuthenticationMethod:
      packet.authentication_method = as_text(property.value);
      break;
    case PropertyId::AuthenticationData:
      packet.authentication_data = property.value;
      break;
    default:
      break;
  }
}

/// 3.1.1, table 3.1
Decoded<ReasonCode> from_v3_connack(std::uint8_t code) {
  constexpr ReasonCode kCodes[] = {
      ReasonCode::Success,           ReasonCode::UnsupportedProtocolVersion, ReasonCode::ClientIdentifierNotValid,
      ReasonCode::ServerUnavailable, ReasonCode::BadUserNameOrPassword,      ReasonCode::NotAuthorized};
  if (code >= std::size(kCodes)) return refuse(ReasonCode::ProtocolError);
  return kCodes[code];
}

}  // namespace

void append_connect(Buffer& out, const ConnectView& packet) {
  const bool v5 = packet.version == ProtocolVersion::V5;
  const std::string_view name = protocol_name(packet.version);
  const std::size_t properties =
      packet.user_properties.size() + properties_size([&](auto& sink) { list_connect(packet, sink); });
  const std::size_t will_properties =
      packet.will ? packet.will->properties.size() + properties_size([&](auto& sink) { list_will(*packet.will, sink); })
                  : 0;
  std::size_t remaining = sized_size(name.size()) + 4 + sized_size(packet.client_id.size());
  if (v5) remaining += with_length(properties);
  if (packet.will) {
    remaining += sized_size(packet.will->topic.size()) + sized_size(packet.will->payload.size());
    if (v5) remaining += with_length(will_properties);
  }
  if (packet.username) remaining += sized_size(packet.username->size());
  if (packet.password) remaining += sized_size(packet.password->size());

  Writer writer = begin(out, PacketType::Connect, 0, remaining);
  PropertyWriter sink(writer);
  writer.text(name);
  writer.u8(static_cast<unsigned>(packet.version) | (packet.bridge ? 0x80u : 0u));
  writer.u8(connect_flags(packet));
  writer.u16(packet.keep_alive_s);
  if (v5) {
    writer.varint(properties);
    list_connect(packet, sink);
    writer.raw(packet.user_properties);
  }
  writer.text(packet.client_id);
  if (packet.will) {
    if (v5) {
      writer.varint(will_properties);
      list_will(*packet.will, sink);
      writer.raw(packet.will->properties);
    }
    writer.text(packet.will->topic);
    writer.sized(packet.will->payload);
  }
  if (packet.username) writer.text(*packet.username);
  if (packet.password) writer.sized(*packet.password);
}

void append_publish(Buffer& out, const PublishHead& head, ByteView payload, ProtocolVersion version) {
  PublishHead whole = head;
  whole.payload_size = payload.size();
  const std::size_t start = out.size();
  out.resize(start + size_of_publish_head(whole, version, nullptr));
  encode_publish_head(out.data() + start, whole, version);
  out.insert(out.end(), payload.begin(), payload.end());
}

void append_ack(Buffer& out, PacketType type, PacketId id, ReasonCode reason, ProtocolVersion version) {
  const std::size_t start = out.size();
  out.resize(start + kAckSize);
  const std::uint8_t* const end = encode_ack(out.data() + start, type, id, reason, version);
  out.resize(static_cast<std::size_t>(end - out.data()));
}

void append_subscribe(Buffer& out, PacketId id, std::uint32_t subscription_id, std::span<const SubscribeEntry> entries,
                      ProtocolVersion version) {
  const bool v5 = version == ProtocolVersion::V5;
  const std::size_t properties = subscription_id == 0 ? 0 : 1 + varint_size(subscription_id);
  std::size_t remaining = 2 + (v5 ? with_length(properties) : 0);
  for (const SubscribeEntry& entry : entries) remaining += sized_size(entry.filter.size()) + 1;
  Writer writer = begin(out, PacketType::Subscribe, 0x02, remaining);
  writer.u16(id);
  if (v5) {
    writer.varint(properties);
    if (subscription_id != 0) {
      writer.u8(static_cast<unsigned>(PropertyId::SubscriptionIdentifier));
      writer.varint(subscription_id);
    }
  }
  for (const SubscribeEntry& entry : entries) {
    const SubscribeOptions& options = entry.options;
    unsigned bits = to_int(options.qos);
    if (v5)
      bits |= (options.no_local ? 0x04u : 0u) | (options.retain_as_published ? 0x08u : 0u) |
              static_cast<unsigned>(options.retain_handling) << 4;
    writer.text(entry.filter);
    writer.u8(bits);
  }
}

void append_unsubscribe(Buffer& out, PacketId id, std::span<const std::string_view> filters, ProtocolVersion version) {
  const bool v5 = version == ProtocolVersion::V5;
  std::size_t remaining = v5 ? 3 : 2;
  for (const std::string_view filter : filters) remaining += sized_size(filter.size());
  Writer writer = begin(out, PacketType::Unsubscribe, 0x02, remaining);
  writer.u16(id);
  if (v5) writer.u8(0u);
  for (const std::string_view filter : filters) writer.text(filter);
}

void append_pingreq(Buffer& out) {
  begin(out, PacketType::Pingreq, 0, 0);
}

void append_disconnect(Buffer& out, const DisconnectView& packet, ProtocolVersion version) {
  const bool plain = packet.reason == kOk && !packet.session_expiry_s;
  if (plain || version != ProtocolVersion::V5) {
    begin(out, PacketType::Disconnect, 0, 0);
    return;
  }
  Writer writer = begin(out, PacketType::Disconnect, 0, packet.session_expiry_s ? 7 : 2);
  PropertyWriter sink(writer);
  writer.u8(packet.reason);
  writer.varint(packet.session_expiry_s ? 5 : 0);
  sink.u32(PropertyId::SessionExpiryInterval, packet.session_expiry_s);
}

void append_auth(Buffer& out, const Auth& packet) {
  const std::size_t start = out.size();
  out.resize(start + size_of(packet));
  encode(out.data() + start, packet);
}

Decoded<Connack> decode_connack(const Frame& frame, ProtocolVersion version) {
  Reader in(frame.body);
  Connack packet;
  std::uint8_t flags = 0;
  std::uint8_t code = 0;
  if (!in.u8(flags) || !in.u8(code) || flags > 1) return refuse(ReasonCode::MalformedPacket);
  packet.session_present = flags != 0;
  if (version != ProtocolVersion::V5) {
    SB_TRY(packet.reason, from_v3_connack(code));
  } else {
    packet.reason = static_cast<ReasonCode>(code);
    const ReasonCode bad = take_properties(in, PacketType::Connack,
                                           [&](const Property& property) { take_connack_property(property, packet); });
    if (bad != kOk) return refuse(bad);
  }
  if (in.left() != 0) return refuse(ReasonCode::MalformedPacket);
  return packet;
}

Decoded<SubackView> decode_suback(const Frame& frame, ProtocolVersion version) {
  Reader in(frame.body);
  SubackView view;
  if (!in.u16(view.packet_id)) return refuse(ReasonCode::MalformedPacket);
  if (version == ProtocolVersion::V5) {
    const ReasonCode bad = take_properties(in, frame.type(), [](const Property&) {});
    if (bad != kOk) return refuse(bad);
  }
  view.codes = in.rest();
  return view;
}

Decoded<Disconnect> decode_server_disconnect(const Frame& frame) {
  Reader in(frame.body);
  Disconnect packet;
  std::uint8_t reason = 0;
  if (in.u8(reason)) packet.reason = static_cast<ReasonCode>(reason);
  if (in.left() == 0) return packet;
  const ReasonCode bad = take_properties(in, PacketType::Disconnect, [&](const Property& property) {
    if (property.id == PropertyId::ReasonString) packet.reason_string = as_text(property.value);
    if (property.id == PropertyId::ServerReference) packet.server_reference = as_text(property.value);
  });
  if (bad != kOk) return refuse(bad);
  if (in.left() != 0) return refuse(ReasonCode::MalformedPacket);
  return packet;
}

std::vector<std::uint32_t> subscription_ids(const Frame& publish) {
  std::vector<std::uint32_t> ids;
  Reader in(publish.body);
  ByteView topic;
  PacketId id = 0;
  if (!in.sized(topic) || ((publish.first_byte & 0x06) != 0 && !in.u16(id))) return ids;
  const ReasonCode bad = take_properties(in, PacketType::Publish, [&](const Property& property) {
    if (property.id == PropertyId::SubscriptionIdentifier) ids.push_back(property.number);
  });
  if (bad != kOk) ids.clear();
  return ids;
}

}  // namespace sb::codec::mqtt
