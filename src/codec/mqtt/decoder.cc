// MQTT 3.1.1 and 5.0, chapters 2 and 3; numbers in comments are those of 5.0 unless they say otherwise.
// Common shape: read the parts in their order, refuse what is cut off or left over with MalformedPacket.
#include "codec/mqtt/decoder.h"

#include "codec/mqtt/detail/properties.h"
#include "codec/mqtt/detail/reader.h"

namespace sb::codec::mqtt {
namespace {

using detail::Collector;
using detail::Property;
using detail::read_properties;
using detail::Reader;
using detail::ScratchArea;

constexpr ReasonCode kOk = ReasonCode::Success;
constexpr ReasonCode kMalformed = ReasonCode::MalformedPacket;
constexpr ReasonCode kProtocolError = ReasonCode::ProtocolError;

/// [MQTT-1.5.5-1]: 5.0 wants Remaining Length in its shortest form.
bool has_shortest_length(const Frame& frame) {
  const std::size_t length_bytes = frame.size - frame.body.size() - 1;
  return length_bytes <= 1 || (frame.body.size() >> (7 * (length_bytes - 1))) != 0;
}

/// What all packets after CONNECT share: length form, and in strict mode the reserved flags. [MQTT-2.1.3-1]
bool has_good_header(const Frame& frame, const DecodeOptions& options, std::uint8_t flags) {
  if (options.strict && frame.flags() != flags) return false;
  return options.version != ProtocolVersion::V5 || has_shortest_length(frame);
}

bool read_text(Reader& in, bool strict, std::string_view& out) {
  ByteView bytes;
  if (!in.sized(bytes)) return false;
  out = as_text(bytes);
  return !strict || is_valid_utf8(out);
}

bool has_wildcard(ByteView topic) {
  return as_text(topic).find_first_of("+#") != std::string_view::npos;
}

/// Properties that travel with the message; `forwarded` collects them. Others are the caller's.
bool is_forwardable(PropertyId id) {
  return id == PropertyId::UserProperty || id == PropertyId::PayloadFormatIndicator || id == PropertyId::ContentType ||
         id == PropertyId::ResponseTopic || id == PropertyId::CorrelationData;
}

ReasonCode forward(const Property& property, Collector& forwarded) {
  if (property.id == PropertyId::ResponseTopic && has_wildcard(property.value)) return kProtocolError;  // 3.3.2-14
  return forwarded.add(property.wire);
}

template <class View, class Parse>
Decoded<View> decode(Parse&& parse) {
  Decoded<View> result(tl::in_place);
  const ReasonCode code = parse(*result);
  if (code != kOk) [[unlikely]]
    result = refuse(code);
  return result;
}

// --- CONNECT, 3.1: name level flags keep_alive [properties] client_id [will] [username] [password]

constexpr std::uint8_t kReservedFlag = 0x01;
constexpr std::uint8_t kCleanStartFlag = 0x02;
constexpr std::uint8_t kWillFlag = 0x04;
constexpr std::uint8_t kWillRetainFlag = 0x20;
constexpr std::uint8_t kPasswordFlag = 0x40;
constexpr std::uint8_t kUsernameFlag = 0x80;
constexpr std::uint8_t kBridgeBit = 0x80;

ReasonCode read_version(Reader& in, ConnectView& view, bool& wrong_name) {
  ByteView name;
  std::uint8_t level = 0;
  if (!in.sized(name)) return kMalformed;
  const bool old_name = as_text(name) == protocol_name(ProtocolVersion::V31);
  if (!old_name && as_text(name) != protocol_name(ProtocolVersion::V5)) {
    wrong_name = true;
    return kMalformed;
  }
  if (!in.u8(level)) return kMalformed;
  view.bridge = (level & kBridgeBit) != 0;
  level &= static_cast<std::uint8_t>(~kBridgeBit);
  if (old_name ? level != 3 : (level != 4 && level != 5)) return ReasonCode::UnsupportedProtocolVersion;
  view.version = static_cast<ProtocolVersion>(level);
  return kOk;
}

ReasonCode check_connect_flags(std::uint8_t flags, bool strict) {
  if (flags & kReservedFlag) return kMalformed;  // [MQTT-3.1.2-3]
  const int will_qos = flags >> 3 & 3;
  if (flags & kWillFlag) return will_qos == 3 ? kMalformed : kOk;  // [MQTT-3.1.2-12]
  if (!strict) return kOk;
  if (will_qos != 0 || (flags & kWillRetainFlag)) return kMalformed;  // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
  return kOk;
}

ReasonCode take_connect_property(const Property& property, ConnectView& view, Collector& user) {
  switch (property.id) {
    case PropertyId::SessionExpiryInterval:
      view.session_expiry_s = property.number;
      return kOk;
    case PropertyId::ReceiveMaximum:
      view.receive_maximum = static_cast<std::uint16_t>(property.number);
      return property.number == 0 ? kProtocolError : kOk;  // 3.1.2.11.3
    case PropertyId::MaximumPacketSize:
      view.maximum_packet_size = property.number;
      return property.number == 0 ? kProtocolError : kOk;  // 3.1.2.11.4
    case PropertyId::TopicAliasMaximum:
      view.topic_alias_maximum = static_cast<std::uint16_t>(property.number);
      return kOk;
    case PropertyId::RequestResponseInformation:
      view.request_response_information = property.number != 0;
      return kOk;
    case PropertyId::RequestProblemInformation:
      view.request_problem_information = property.number != 0;
      return kOk;
    case PropertyId::AuthenticationMethod:
      view.authentication_method = as_text(property.value);
      return kOk;
    case PropertyId::AuthenticationData:
      view.authentication_data = property.value;
      return kOk;
    default:
      return user.add(property.wire);
  }
}

ReasonCode read_will(Reader& in, std::uint8_t flags, bool strict, ScratchArea& area, ConnectView& view) {
  WillView& will = view.will.emplace();
  will.qos = static_cast<Qos>(flags >> 3 & 3);
  will.retain = (flags & kWillRetainFlag) != 0;
  if (view.version == ProtocolVersion::V5) {
    Collector forwarded(area);
    const ReasonCode code = read_properties(in, detail::kWill, strict, [&](const Property& property) {
      if (is_forwardable(property.id)) return forward(property, forwarded);
      (property.id == PropertyId::WillDelayInterval ? will.delay_s : will.message_expiry_s) = property.number;
      return kOk;
    });
    if (code != kOk) return code;
    will.properties = forwarded.view();
  }
  if (!read_text(in, strict, will.topic) || !in.sized(will.payload)) return kMalformed;
  return kOk;
}

ReasonCode read_credentials(Reader& in, std::uint8_t flags, bool strict, ConnectView& view) {
  if (flags & kUsernameFlag) {
    if (!read_text(in, strict, view.username.emplace())) return kMalformed;
  } else if (strict && (flags & kPasswordFlag) && view.version != ProtocolVersion::V5) {
    return kMalformed;  // 3.1.1 [MQTT-3.1.2-22]
  }
  if (flags & kPasswordFlag) {
    if (!in.sized(view.password.emplace())) return kMalformed;
  }
  return kOk;
}

ReasonCode parse_connect(const Frame& frame, bool strict, PropertyScratch* scratch, bool& wrong_name,
                         ConnectView& view) {
  Reader in(frame.body);
  ScratchArea area{scratch, frame.body.size()};
  if (const ReasonCode code = read_version(in, view, wrong_name); code != kOk) return code;
  if (!has_good_header(frame, {view.version, strict}, 0)) return kMalformed;
  std::uint8_t flags = 0;
  if (!in.u8(flags) || !in.u16(view.keep_alive_s)) return kMalformed;
  if (const ReasonCode code = check_connect_flags(flags, strict); code != kOk) return code;
  view.clean_start = (flags & kCleanStartFlag) != 0;
  if (view.version == ProtocolVersion::V5) {
    Collector user(area);
    const ReasonCode code =
        read_properties(in, detail::mask_of(PacketType::Connect), strict,
                        [&](const Property& property) { return take_connect_property(property, view, user); });
    if (code != kOk) return code;
    if (view.authentication_data && !view.authentication_method) return kProtocolError;  // 3.1.2.11.10
    view.user_properties = user.view();
  }
  if (!read_text(in, strict, view.client_id)) return kMalformed;
  if (flags & kWillFlag) {
    if (const ReasonCode code = read_will(in, flags, strict, area, view); code != kOk) return code;
  }
  if (const ReasonCode code = read_credentials(in, flags, strict, view); code != kOk) return code;
  return in.left() == 0 ? kOk : kMalformed;
}

// --- PUBLISH, 3.3: topic [packet_id if qos > 0] [properties] payload

ReasonCode take_publish_property(const Property& property, PublishView& view, Collector& forwarded) {
  switch (property.id) {
    case PropertyId::MessageExpiryInterval:
      view.message_expiry_s = property.number;
      return kOk;
    case PropertyId::TopicAlias:
      view.topic_alias = static_cast<std::uint16_t>(property.number);
      return property.number == 0 ? ReasonCode::TopicAliasInvalid : kOk;  // [MQTT-3.3.2-8]
    case PropertyId::SubscriptionIdentifier:
      view.has_subscription_id = true;
      return property.number == 0 ? kProtocolError : kOk;  // 3.3.2.3.8
    case PropertyId::ResponseTopic:
      view.response_topic = as_text(property.value);
      view.has_response_topic = true;
      return forward(property, forwarded);
    default:
      return forward(property, forwarded);
  }
}

/// Kept out of line: what it needs of stack and registers would burden every PUBLISH without properties.
[[gnu::noinline]] ReasonCode read_publish_properties(Reader& in, const Frame& frame, const DecodeOptions& options,
                                                     PublishView& view) {
  ScratchArea area{options.scratch, frame.body.size()};
  Collector forwarded(area);
  const ReasonCode code =
      read_properties(in, detail::mask_of(PacketType::Publish), options.strict,
                      [&](const Property& property) { return take_publish_property(property, view, forwarded); });
  view.properties = forwarded.view();
  return code;
}

ReasonCode parse_publish(const Frame& frame, const DecodeOptions& options, PublishView& view) {
  const unsigned flags = frame.first_byte;
  const unsigned qos = flags >> 1 & 3;
  if (qos == 3) [[unlikely]]
    return kMalformed;  // [MQTT-3.3.1-4]
  view.qos = static_cast<Qos>(qos);
  view.retain = (flags & 1) != 0;
  view.dup = (flags & 8) != 0 && qos != 0;
  Reader in(frame.body);
  ByteView topic;
  if (!in.sized(topic)) [[unlikely]]
    return kMalformed;
  view.topic = as_text(topic);
  if (qos != 0 && !in.u16(view.packet_id)) [[unlikely]]
    return kMalformed;
  if (options.strict) {
    if ((flags & 8) && qos == 0) return kMalformed;          // [MQTT-3.3.1-2]
    if (qos != 0 && view.packet_id == 0) return kMalformed;  // [MQTT-2.2.1-3]
    if (!is_valid_utf8(view.topic)) return kMalformed;       // [MQTT-3.3.2-1]
  }
  if (options.version == ProtocolVersion::V5) {
    if (!has_shortest_length(frame)) [[unlikely]]
      return kMalformed;
    if (in.left() > 0 && *in.at() == 0) [[likely]] {
      std::uint8_t no_properties = 0;
      (void)in.u8(no_properties);
    } else if (const ReasonCode code = read_publish_properties(in, frame, options, view); code != kOk) {
      return code;
    }
  }
  if (topic.empty() && !view.topic_alias) [[unlikely]]
    return kProtocolError;  // 3.3.2.3.4, 3.1.1 [MQTT-4.7.3-1]
  view.payload = in.rest();
  return kOk;
}

// --- PUBACK, PUBREC, PUBREL, PUBCOMP, 3.4 to 3.7: packet_id [reason [properties]]

bool is_ack_reason(PacketType type, std::uint8_t reason) {
  if (reason == 0x00) return true;
  if (type == PacketType::Pubrel || type == PacketType::Pubcomp) return reason == 0x92;  // tables 3-6, 3-7
  switch (static_cast<ReasonCode>(reason)) {                                             // tables 3-4, 3-5
    case ReasonCode::NoMatchingSubscribers:
    case ReasonCode::UnspecifiedError:
    case ReasonCode::ImplementationSpecificError:
    case ReasonCode::NotAuthorized:
    case ReasonCode::TopicNameInvalid:
    case ReasonCode::PacketIdentifierInUse:
    case ReasonCode::QuotaExceeded:
    case ReasonCode::PayloadFormatInvalid:
      return true;
    default:
      return false;
  }
}

/// Reason String and User Property of a client interest nobody, but must be well formed.
[[gnu::noinline]] ReasonCode skip_properties(Reader& in, PacketType type, bool strict) {
  return read_properties(in, detail::mask_of(type), strict, [](const Property&) { return kOk; });
}

ReasonCode parse_ack(const Frame& frame, const DecodeOptions& options, AckView& view) {
  const PacketType type = frame.type();
  if (!has_good_header(frame, options, type == PacketType::Pubrel ? 0x02 : 0x00)) return kMalformed;
  Reader in(frame.body);
  if (!in.u16(view.packet_id)) return kMalformed;
  if (options.strict && view.packet_id == 0) return kMalformed;
  if (in.left() == 0) return kOk;
  if (options.version != ProtocolVersion::V5) return kMalformed;
  std::uint8_t reason = 0;
  (void)in.u8(reason);
  if (!is_ack_reason(type, reason)) return kProtocolError;
  view.reason = static_cast<ReasonCode>(reason);
  if (in.left() == 0) return kOk;  // 3.4.2.2.1
  const ReasonCode code = skip_properties(in, type, options.strict);
  if (code != kOk) return code;
  return in.left() == 0 ? kOk : kMalformed;
}

// --- SUBSCRIBE, 3.8: packet_id [properties] ( filter options )+    UNSUBSCRIBE, 3.10: without options

/// Options of 5.0: 7-6 reserved, 5-4 retain handling, 3 retain as published, 2 no local, 1-0 QoS. 3.1.1: QoS alone.
ReasonCode check_subscribe_options(std::uint8_t bits, ProtocolVersion version) {
  if (version != ProtocolVersion::V5) return bits > 2 ? kMalformed : kOk;  // 3.1.1 [MQTT-3-8.3-4]
  if (bits & 0xC0) return kMalformed;                                      // [MQTT-3.8.3-5]
  return (bits & 3) == 3 || (bits & 0x30) == 0x30 ? kProtocolError : kOk;  // 3.8.3.1
}

ReasonCode check_filters(Reader in, const DecodeOptions& options, bool with_options, std::size_t& count) {
  if (in.left() == 0) return kProtocolError;  // [MQTT-3.8.3-2] [MQTT-3.10.3-2]
  while (in.left() > 0) {
    std::string_view filter;
    std::uint8_t bits = 0;
    if (!read_text(in, options.strict, filter)) return kMalformed;
    if (with_options) {
      if (!in.u8(bits)) return kMalformed;
      if (const ReasonCode code = check_subscribe_options(bits, options.version); code != kOk) return code;
    }
    ++count;
  }
  return kOk;
}

ReasonCode parse_subscribe(const Frame& frame, const DecodeOptions& options, SubscribeView& view) {
  if (!has_good_header(frame, options, 0x02)) return kMalformed;  // [MQTT-3.8.1-1]
  Reader in(frame.body);
  if (!in.u16(view.packet_id)) return kMalformed;
  if (options.strict && view.packet_id == 0) return kMalformed;
  if (options.version == ProtocolVersion::V5) {
    const ReasonCode code =
        read_properties(in, detail::mask_of(PacketType::Subscribe), options.strict, [&](const Property& property) {
          if (property.id != PropertyId::SubscriptionIdentifier) return kOk;
          view.subscription_id = property.number;
          return property.number == 0 ? kProtocolError : kOk;  // 3.8.2.1.2
        });
    if (code != kOk) return code;
  }
  view.filters = in.rest();
  return check_filters(in, options, true, view.count);
}

ReasonCode parse_unsubscribe(const Frame& frame, const DecodeOptions& options, UnsubscribeView& view) {
  if (!has_good_header(frame, options, 0x02)) return kMalformed;  // [MQTT-3.10.1-1]
  Reader in(frame.body);
  if (!in.u16(view.packet_id)) return kMalformed;
  if (options.strict && view.packet_id == 0) return kMalformed;
  if (options.version == ProtocolVersion::V5) {
    const ReasonCode code = skip_properties(in, PacketType::Unsubscribe, options.strict);
    if (code != kOk) return code;
  }
  view.filters = in.rest();
  return check_filters(in, options, false, view.count);
}

// --- DISCONNECT, 3.14: [reason [properties]]    AUTH, 3.15: [reason properties]

/// Table 3-10, the codes that a client may send.
bool is_client_disconnect_reason(std::uint8_t reason) {
  return reason == 0x00 || reason == 0x04 || (reason >= 0x80 && reason <= 0x83) || reason == 0x90 ||
         (reason >= 0x93 && reason <= 0x99);
}

ReasonCode parse_disconnect(const Frame& frame, const DecodeOptions& options, DisconnectView& view) {
  if (!has_good_header(frame, options, 0x00)) return kMalformed;  // [MQTT-3.14.1-1]
  Reader in(frame.body);
  std::uint8_t reason = 0;
  if (!in.u8(reason)) return kOk;
  if (options.version != ProtocolVersion::V5) return kMalformed;
  if (!is_client_disconnect_reason(reason)) return kProtocolError;  // [MQTT-3.14.2-1]
  view.reason = static_cast<ReasonCode>(reason);
  if (in.left() == 0) return kOk;  // 3.14.2.2.1
  const ReasonCode code =
      read_properties(in, detail::mask_of(PacketType::Disconnect), options.strict, [&](const Property& property) {
        if (property.id == PropertyId::SessionExpiryInterval) view.session_expiry_s = property.number;
        // Only a server refers to another one, 3.14.2.2.5.
        return property.id == PropertyId::ServerReference ? kProtocolError : kOk;
      });
  if (code != kOk) return code;
  return in.left() == 0 ? kOk : kMalformed;
}

ReasonCode parse_auth(const Frame& frame, const DecodeOptions& options, AuthView& view) {
  if (options.version != ProtocolVersion::V5) return kProtocolError;  // type 15 is reserved there
  if (!has_good_header(frame, options, 0x00)) return kMalformed;      // [MQTT-3.15.1-1]
  Reader in(frame.body);
  std::uint8_t reason = 0;
  if (!in.u8(reason)) return kOk;                                                 // 3.15.2.1
  if (reason != 0x00 && reason != 0x18 && reason != 0x19) return kProtocolError;  // [MQTT-3.15.2-1]
  view.reason = static_cast<ReasonCode>(reason);
  if (in.left() == 0) return kProtocolError;  // no method, 3.15.2.2.2
  const ReasonCode code =
      read_properties(in, detail::mask_of(PacketType::Auth), options.strict, [&](const Property& property) {
        if (property.id == PropertyId::AuthenticationMethod) view.method = as_text(property.value);
        if (property.id == PropertyId::AuthenticationData) view.data = property.value;
        return kOk;
      });
  if (code != kOk) return code;
  if (in.left() != 0) return kMalformed;
  return view.method ? kOk : kProtocolError;  // 3.15.2.2.2
}

}  // namespace

Decoded<Frame> detail::next_long_frame(ByteView in, std::uint32_t max_packet_size, std::size_t* want) {
  if (want != nullptr) *want = 0;
  if (in.empty()) return Frame{};
  if (in[0] < 0x10) return refuse(kMalformed);  // packet type 0 is forbidden, 2.1.2
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    if (in.size() <= 1 + i) return Frame{};
    length |= static_cast<std::uint32_t>(in[1 + i] & 0x7F) << (7 * i);
    if (in[1 + i] & 0x80) continue;
    if (length > max_packet_size) return refuse(ReasonCode::PacketTooLarge);
    const std::size_t header = 2 + i;
    if (in.size() - header < length) {
      if (want != nullptr) *want = header + length;
      return Frame{};
    }
    return Frame{in[0], in.subspan(header, length), header + length};
  }
  return refuse(kMalformed);
}

ProtocolVersion answer_version(const Frame& connect) {
  ByteView name;
  std::uint8_t level = 0;
  Reader in(connect.body);
  if (!in.sized(name) || !in.u8(level)) return ProtocolVersion::V311;
  return (level & ~kBridgeBit) >= 5 ? ProtocolVersion::V5 : ProtocolVersion::V311;
}

Decoded<ConnectView> decode_connect(const Frame& frame, bool strict, bool* wrong_name, PropertyScratch* scratch) {
  bool other_name = false;
  auto result =
      decode<ConnectView>([&](ConnectView& view) { return parse_connect(frame, strict, scratch, other_name, view); });
  if (wrong_name != nullptr) *wrong_name = other_name;
  return result;
}

Decoded<PublishView> decode_publish(const Frame& frame, DecodeOptions options) {
  return decode<PublishView>([&](PublishView& view) { return parse_publish(frame, options, view); });
}

Decoded<AckView> decode_ack(const Frame& frame, DecodeOptions options) {
  // The usual four bytes, put together in a register.
  if (frame.size == 4 && frame.body.size() == 2 && !options.strict) [[likely]]
    return AckView{static_cast<PacketId>(frame.body[0] << 8 | frame.body[1]), kOk};
  return decode<AckView>([&](AckView& view) { return parse_ack(frame, options, view); });
}

Decoded<SubscribeView> decode_subscribe(const Frame& frame, DecodeOptions options) {
  return decode<SubscribeView>([&](SubscribeView& view) { return parse_subscribe(frame, options, view); });
}

Decoded<UnsubscribeView> decode_unsubscribe(const Frame& frame, DecodeOptions options) {
  return decode<UnsubscribeView>([&](UnsubscribeView& view) { return parse_unsubscribe(frame, options, view); });
}

Decoded<DisconnectView> decode_disconnect(const Frame& frame, DecodeOptions options) {
  return decode<DisconnectView>([&](DisconnectView& view) { return parse_disconnect(frame, options, view); });
}

Decoded<AuthView> decode_auth(const Frame& frame, DecodeOptions options) {
  return decode<AuthView>([&](AuthView& view) { return parse_auth(frame, options, view); });
}

Decoded<> decode_empty(const Frame& frame, DecodeOptions options) {
  if (!has_good_header(frame, options, 0x00) || !frame.body.empty()) return refuse(kMalformed);
  return {};
}

bool FilterCursor::next(std::string_view& filter, SubscribeOptions* options) {
  Reader in(rest_);
  ByteView bytes;
  std::uint8_t bits = 0;
  if (!in.sized(bytes) || (with_options_ && !in.u8(bits))) return false;
  filter = as_text(bytes);
  if (options != nullptr) {
    *options = {};
    options->qos = static_cast<Qos>(bits & 3);
    if (version_ == ProtocolVersion::V5) {
      options->no_local = (bits & 0x04) != 0;
      options->retain_as_published = (bits & 0x08) != 0;
      options->retain_handling = static_cast<RetainHandling>(bits >> 4 & 3);
      options->subscription_id = subscription_id_;
    }
  }
  rest_ = in.rest();
  return true;
}

}  // namespace sb::codec::mqtt
