#include "codec/mqtt/detail/properties.h"

namespace sb::codec::mqtt::detail {
namespace {

constexpr PacketMask kConnect = mask_of(PacketType::Connect);
constexpr PacketMask kConnack = mask_of(PacketType::Connack);
constexpr PacketMask kPublish = mask_of(PacketType::Publish);
constexpr PacketMask kSubscribe = mask_of(PacketType::Subscribe);
constexpr PacketMask kUnsubscribe = mask_of(PacketType::Unsubscribe);
constexpr PacketMask kDisconnect = mask_of(PacketType::Disconnect);
constexpr PacketMask kAuth = mask_of(PacketType::Auth);
constexpr PacketMask kPacketAcks = mask_of(PacketType::Puback) | mask_of(PacketType::Pubrec) |
                                   mask_of(PacketType::Pubrel) | mask_of(PacketType::Pubcomp) |
                                   mask_of(PacketType::Suback) | mask_of(PacketType::Unsuback);

constexpr std::array<PropertyRule, kPropertyIds> make_rules() {
  std::array<PropertyRule, kPropertyIds> rules{};
  auto set = [&](PropertyId id, ValueKind kind, unsigned packets) {
    rules[static_cast<std::size_t>(id)] = {kind, static_cast<PacketMask>(packets)};
  };
  set(PropertyId::PayloadFormatIndicator, ValueKind::Flag, kPublish | kWill);
  set(PropertyId::MessageExpiryInterval, ValueKind::U32, kPublish | kWill);
  set(PropertyId::ContentType, ValueKind::Text, kPublish | kWill);
  set(PropertyId::ResponseTopic, ValueKind::Text, kPublish | kWill);
  set(PropertyId::CorrelationData, ValueKind::Binary, kPublish | kWill);
  set(PropertyId::SubscriptionIdentifier, ValueKind::Varint, kPublish | kSubscribe);
  set(PropertyId::SessionExpiryInterval, ValueKind::U32, kConnect | kConnack | kDisconnect);
  set(PropertyId::AssignedClientIdentifier, ValueKind::Text, kConnack);
  set(PropertyId::ServerKeepAlive, ValueKind::U16, kConnack);
  set(PropertyId::AuthenticationMethod, ValueKind::Text, kConnect | kConnack | kAuth);
  set(PropertyId::AuthenticationData, ValueKind::Binary, kConnect | kConnack | kAuth);
  set(PropertyId::RequestProblemInformation, ValueKind::Flag, kConnect);
  set(PropertyId::WillDelayInterval, ValueKind::U32, kWill);
  set(PropertyId::RequestResponseInformation, ValueKind::Flag, kConnect);
  set(PropertyId::ResponseInformation, ValueKind::Text, kConnack);
  set(PropertyId::ServerReference, ValueKind::Text, kConnack | kDisconnect);
  set(PropertyId::ReasonString, ValueKind::Text, kConnack | kPacketAcks | kDisconnect | kAuth);
  set(PropertyId::ReceiveMaximum, ValueKind::U16, kConnect | kConnack);
  set(PropertyId::TopicAliasMaximum, ValueKind::U16, kConnect | kConnack);
  set(PropertyId::TopicAlias, ValueKind::U16, kPublish);
  set(PropertyId::MaximumQos, ValueKind::Flag, kConnack);
  set(PropertyId::RetainAvailable, ValueKind::Flag, kConnack);
  set(PropertyId::UserProperty, ValueKind::TextPair,
      kConnect | kConnack | kPublish | kWill | kPacketAcks | kSubscribe | kUnsubscribe | kDisconnect | kAuth);
  set(PropertyId::MaximumPacketSize, ValueKind::U32, kConnect | kConnack);
  set(PropertyId::WildcardSubscriptionAvailable, ValueKind::Flag, kConnack);
  set(PropertyId::SubscriptionIdentifierAvailable, ValueKind::Flag, kConnack);
  set(PropertyId::SharedSubscriptionAvailable, ValueKind::Flag, kConnack);
  return rules;
}

bool read_number(Reader& in, ValueKind kind, std::uint32_t& number) {
  std::uint8_t byte = 0;
  std::uint16_t word = 0;
  switch (kind) {
    case ValueKind::Byte:
    case ValueKind::Flag:
      if (!in.u8(byte)) return false;
      number = byte;
      return true;
    case ValueKind::U16:
      if (!in.u16(word)) return false;
      number = word;
      return true;
    case ValueKind::U32:
      return in.u32(number);
    default:
      return in.varint(number);
  }
}

}  // namespace

constexpr std::array<PropertyRule, kPropertyIds> kRules = make_rules();
const std::array<PropertyRule, kPropertyIds> kPropertyRules = kRules;

ReasonCode read_property(Reader& in, PacketMask packet, bool strict, std::uint64_t& seen, Property& property) {
  const std::uint8_t* const begin = in.at();
  std::uint32_t id = 0;
  if (!in.varint(id) || id >= kPropertyIds) return ReasonCode::MalformedPacket;
  const PropertyRule rule = kRules[id];
  if (!(rule.packets & packet)) return ReasonCode::MalformedPacket;  // 2.2.2.2, unknown identifiers included
  property.id = static_cast<PropertyId>(id);

  const std::uint64_t bit = std::uint64_t{1} << id;
  const bool repeatable = property.id == PropertyId::UserProperty ||
                          (property.id == PropertyId::SubscriptionIdentifier && packet == mask_of(PacketType::Publish));
  if ((seen & bit) && !repeatable) return ReasonCode::ProtocolError;
  seen |= bit;

  switch (rule.kind) {
    case ValueKind::Text:
    case ValueKind::Binary:
      if (!in.sized(property.value)) return ReasonCode::MalformedPacket;
      if (strict && rule.kind == ValueKind::Text && !is_valid_utf8(as_text(property.value)))
        return ReasonCode::MalformedPacket;
      break;
    case ValueKind::TextPair:
      if (!in.sized(property.value) || !in.sized(property.second)) return ReasonCode::MalformedPacket;
      if (strict && !(is_valid_utf8(as_text(property.value)) && is_valid_utf8(as_text(property.second))))
        return ReasonCode::MalformedPacket;
      break;
    default:
      if (!read_number(in, rule.kind, property.number)) return ReasonCode::MalformedPacket;
      if (rule.kind == ValueKind::Flag && property.number > 1) return ReasonCode::ProtocolError;
      break;
  }
  property.wire = {begin, static_cast<std::size_t>(in.at() - begin)};
  return ReasonCode::Success;
}

ReasonCode Collector::copy(ByteView entry) {
  // Without room to bring the entries together the caller would get a list with foreign entries in it.
  if (area_.buffer == nullptr) return ReasonCode::ImplementationSpecificError;
  PropertyScratch& buffer = *area_.buffer;
  if (!area_.used) {
    buffer.clear();
    buffer.reserve(area_.bound);  // views given out stay valid while more is added
    area_.used = true;
  }
  if (!copied_) {
    const std::size_t start = buffer.size();
    buffer.insert(buffer.end(), view_.begin(), view_.end());
    view_ = {buffer.data() + start, view_.size()};
    copied_ = true;
  }
  buffer.insert(buffer.end(), entry.begin(), entry.end());
  view_ = {view_.data(), view_.size() + entry.size()};
  return ReasonCode::Success;
}

}  // namespace sb::codec::mqtt::detail
