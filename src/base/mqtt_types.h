// Words of MQTT that broker/ and codec/ share without including each other.
#pragma once

#include <cstdint>
#include <string_view>

namespace sb {

/// 2.4 Reason Code. Names as the specification's tables give them.
enum class ReasonCode : std::uint8_t {
  Success = 0x00,  // also Normal disconnection, Granted QoS 0
  GrantedQos1 = 0x01,
  GrantedQos2 = 0x02,
  DisconnectWithWillMessage = 0x04,
  NoMatchingSubscribers = 0x10,
  NoSubscriptionExisted = 0x11,
  ContinueAuthentication = 0x18,
  ReAuthenticate = 0x19,
  UnspecifiedError = 0x80,
  MalformedPacket = 0x81,
  ProtocolError = 0x82,
  ImplementationSpecificError = 0x83,
  UnsupportedProtocolVersion = 0x84,
  ClientIdentifierNotValid = 0x85,
  BadUserNameOrPassword = 0x86,
  NotAuthorized = 0x87,
  ServerUnavailable = 0x88,
  ServerBusy = 0x89,
  Banned = 0x8A,
  ServerShuttingDown = 0x8B,
  BadAuthenticationMethod = 0x8C,
  KeepAliveTimeout = 0x8D,
  SessionTakenOver = 0x8E,
  TopicFilterInvalid = 0x8F,
  TopicNameInvalid = 0x90,
  PacketIdentifierInUse = 0x91,
  PacketIdentifierNotFound = 0x92,
  ReceiveMaximumExceeded = 0x93,
  TopicAliasInvalid = 0x94,
  PacketTooLarge = 0x95,
  MessageRateTooHigh = 0x96,
  QuotaExceeded = 0x97,
  AdministrativeAction = 0x98,
  PayloadFormatInvalid = 0x99,
  RetainNotSupported = 0x9A,
  QosNotSupported = 0x9B,
  UseAnotherServer = 0x9C,
  ServerMoved = 0x9D,
  SharedSubscriptionsNotSupported = 0x9E,
  ConnectionRateExceeded = 0x9F,
  MaximumConnectTime = 0xA0,
  SubscriptionIdentifiersNotSupported = 0xA1,
  WildcardSubscriptionsNotSupported = 0xA2,
};

/// The name EMQX uses in events and logs, e.g. "session_taken_over".
std::string_view to_string(ReasonCode code);

constexpr bool is_error(ReasonCode code) {
  return static_cast<std::uint8_t>(code) >= 0x80;
}

enum class Qos : std::uint8_t { AtMostOnce = 0, AtLeastOnce = 1, ExactlyOnce = 2 };
constexpr std::uint8_t to_int(Qos qos) {
  return static_cast<std::uint8_t>(qos);
}
constexpr Qos min(Qos a, Qos b) {
  return a < b ? a : b;
}
constexpr Qos max(Qos a, Qos b) {
  return a < b ? b : a;
}

/// 1..65535 on the wire; 0 means none. 2.2.1
using PacketId = std::uint16_t;

/// The level byte of CONNECT without the bridge bit. 3.1.2.2
enum class ProtocolVersion : std::uint8_t { V31 = 3, V311 = 4, V5 = 5 };

/// 3.8.3.1
enum class RetainHandling : std::uint8_t { Send = 0, SendIfNew = 1, DoNotSend = 2 };

/// 3.8.3.1 plus the Subscription Identifier of the packet (0 = none, else 1..268435455).
struct SubscribeOptions {
  Qos qos = Qos::AtMostOnce;
  bool no_local = false;
  bool retain_as_published = false;
  RetainHandling retain_handling = RetainHandling::Send;
  std::uint32_t subscription_id = 0;

  friend bool operator==(const SubscribeOptions&, const SubscribeOptions&) = default;
};

/// No expiry: Session Expiry Interval 0xFFFFFFFF (3.1.2.11.2), Message Expiry absent (3.3.2.3.3).
constexpr std::uint32_t kNeverExpires = 0xFFFFFFFF;

}  // namespace sb
