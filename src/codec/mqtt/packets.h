// MQTT 3.1, 3.1.1 and 5.0 packets as values. Views point into the bytes they were decoded from, or, for encoding, into
// whatever the caller keeps alive; nothing here owns. Sockets and sessions are unknown here.
#pragma once

#include "base/bytes.h"
#include "base/mqtt_types.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sb::codec::mqtt {

/// 3.1.2.1
constexpr std::string_view protocol_name(ProtocolVersion version) {
  return version == ProtocolVersion::V31 ? "MQIsdp" : "MQTT";
}

/// 2.1.2
enum class PacketType : std::uint8_t {
  Connect = 1,
  Connack = 2,
  Publish = 3,
  Puback = 4,
  Pubrec = 5,
  Pubrel = 6,
  Pubcomp = 7,
  Subscribe = 8,
  Suback = 9,
  Unsubscribe = 10,
  Unsuback = 11,
  Pingreq = 12,
  Pingresp = 13,
  Disconnect = 14,
  Auth = 15,
};

/// 2.2.2.2
enum class PropertyId : std::uint8_t {
  PayloadFormatIndicator = 0x01,
  MessageExpiryInterval = 0x02,
  ContentType = 0x03,
  ResponseTopic = 0x08,
  CorrelationData = 0x09,
  SubscriptionIdentifier = 0x0B,
  SessionExpiryInterval = 0x11,
  AssignedClientIdentifier = 0x12,
  ServerKeepAlive = 0x13,
  AuthenticationMethod = 0x15,
  AuthenticationData = 0x16,
  RequestProblemInformation = 0x17,
  WillDelayInterval = 0x18,
  RequestResponseInformation = 0x19,
  ResponseInformation = 0x1A,
  ServerReference = 0x1C,
  ReasonString = 0x1F,
  ReceiveMaximum = 0x21,
  TopicAliasMaximum = 0x22,
  TopicAlias = 0x23,
  MaximumQos = 0x24,
  RetainAvailable = 0x25,
  UserProperty = 0x26,
  MaximumPacketSize = 0x27,
  WildcardSubscriptionAvailable = 0x28,
  SubscriptionIdentifierAvailable = 0x29,
  SharedSubscriptionAvailable = 0x2A,
};

/// One packet cut out of the stream.
struct Frame {
  std::uint8_t first_byte = 0;  // type and flags, 2.1.1
  ByteView body{};              // what Remaining Length counts
  std::size_t size = 0;         // whole packet, fixed header included
  PacketType type() const { return static_cast<PacketType>(first_byte >> 4); }
  std::uint8_t flags() const { return first_byte & 0x0F; }
};

/// Room for the rare PUBLISH or CONNECT whose forwardable properties do not lie next to each other: the decoder brings
/// them together here. One a shard is enough; a view into it lives until the next decode that is given the same one.
using PropertyScratch = std::vector<std::uint8_t>;

/// What the decoder must know of the connection.
struct DecodeOptions {
  ProtocolVersion version = ProtocolVersion::V311;
  /// mqtt.strict_mode. Without it, and only there, the specification is bent: strings are not checked for UTF-8, the
  /// reserved flags of the fixed header are ignored, packet id 0 passes, and so do Will QoS and Will Retain without
  /// Will Flag and (v3) a password without user name.
  bool strict = false;
  /// Without one a PUBLISH with scattered properties is refused with ImplementationSpecificError.
  PropertyScratch* scratch = nullptr;
};

struct WillView {
  std::string_view topic{};
  ByteView payload{};
  /// Forwardable properties as on the wire (no Will Delay, no Message Expiry).
  ByteView properties{};
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::uint32_t delay_s = 0;                       // 3.1.3.2.2
  std::uint32_t message_expiry_s = kNeverExpires;  // 3.1.3.2.4
};

/// 3.1
struct ConnectView {
  ProtocolVersion version = ProtocolVersion::V311;
  bool bridge = false;  // 0x80 of the level byte
  bool clean_start = false;
  std::uint16_t keep_alive_s = 0;
  std::string_view client_id{};
  std::optional<std::string_view> username{};
  std::optional<ByteView> password{};
  std::optional<WillView> will{};
  std::optional<std::uint32_t> session_expiry_s{};  // v5
  std::uint16_t receive_maximum = 65535;            // 0 is refused by the decoder with ProtocolError
  std::uint32_t maximum_packet_size = 0;            // 0 = no limit
  std::uint16_t topic_alias_maximum = 0;
  bool request_response_information = false;
  bool request_problem_information = true;
  std::optional<std::string_view> authentication_method{};
  std::optional<ByteView> authentication_data{};
  ByteView user_properties{};  // as on the wire, User Property entries only
};

/// 3.3. `topic` is empty when an alias stands for it.
struct PublishView {
  /// User-provided so that making one sets the members only: GCC clears an aggregate first, with a slow `rep stos`.
  PublishView() noexcept {}  // NOLINT(modernize-use-equals-default)

  std::string_view topic{};
  ByteView payload{};
  /// Payload-Format, Response-Topic, Correlation-Data, User-Property, Content-Type as on the wire, in their order: what
  /// a receiver gets; alias, expiry and subscription identifiers are taken out.
  ByteView properties{};
  std::string_view response_topic{};
  Qos qos = Qos::AtMostOnce;
  bool dup = false;
  bool retain = false;
  PacketId packet_id = 0;
  std::optional<std::uint16_t> topic_alias{};
  std::uint32_t message_expiry_s = kNeverExpires;
  bool has_subscription_id = false;  // a client must not send one, 3.3.4-6
  bool has_response_topic = false;   // perhaps an empty one, which is no topic name
};

/// PUBACK, PUBREC, PUBREL, PUBCOMP. 3.4 to 3.7
struct AckView {
  PacketId packet_id = 0;
  ReasonCode reason = ReasonCode::Success;
};

/// 3.8; filters are walked with FilterCursor.
struct SubscribeView {
  PacketId packet_id = 0;
  std::uint32_t subscription_id = 0;
  ByteView filters{};  // checked as a whole by decode_subscribe: next() cannot fail afterwards
  std::size_t count = 0;
};
struct UnsubscribeView {
  PacketId packet_id = 0;
  ByteView filters{};
  std::size_t count = 0;
};

/// 3.14
struct DisconnectView {
  ReasonCode reason = ReasonCode::Success;
  std::optional<std::uint32_t> session_expiry_s{};
};

/// 3.15
struct AuthView {
  ReasonCode reason = ReasonCode::Success;
  std::optional<std::string_view> method{};
  std::optional<ByteView> data{};
};

/// 3.2, to be encoded. Unset optionals are left out.
struct Connack {
  bool session_present = false;
  ReasonCode reason = ReasonCode::Success;
  std::optional<std::uint32_t> session_expiry_s{};
  std::optional<std::uint16_t> receive_maximum{};
  std::optional<std::uint8_t> maximum_qos{};
  std::optional<bool> retain_available{};
  std::optional<std::uint32_t> maximum_packet_size{};
  std::optional<std::string_view> assigned_client_id{};
  std::optional<std::uint16_t> topic_alias_maximum{};
  std::optional<std::string_view> reason_string{};
  std::optional<bool> wildcard_subscription_available{};
  std::optional<bool> subscription_id_available{};
  std::optional<bool> shared_subscription_available{};
  std::optional<std::uint16_t> server_keep_alive_s{};
  std::optional<std::string_view> response_information{};
  std::optional<std::string_view> server_reference{};
  std::optional<std::string_view> authentication_method{};
  std::optional<ByteView> authentication_data{};
};

struct Disconnect {
  ReasonCode reason = ReasonCode::Success;
  std::optional<std::string_view> reason_string{};
  std::optional<std::string_view> server_reference{};
};

struct Auth {
  ReasonCode reason = ReasonCode::Success;
  std::optional<std::string_view> method{};
  std::optional<ByteView> data{};
};

}  // namespace sb::codec::mqtt
