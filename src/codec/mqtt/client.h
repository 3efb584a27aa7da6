// The client's half of the protocol, for the load tool, bridges and tests: packets are appended to a buffer, answers
// of a server are decoded. PUBLISH, PUBACK to PUBCOMP and AUTH are decoded by decoder.h, which serves both ends.
#pragma once

#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"

#include <span>
#include <vector>

namespace sb::codec::mqtt {

using Buffer = std::vector<std::uint8_t>;

struct SubscribeEntry {
  std::string_view filter;
  SubscribeOptions options;  // subscription_id is that of the packet, not of the entry
};

/// Writes exactly what the view says; values that equal the defaults of ConnectView are left out.
void append_connect(Buffer& out, const ConnectView& packet);
void append_publish(Buffer& out, const PublishHead& head, ByteView payload, ProtocolVersion version);
void append_ack(Buffer& out, PacketType type, PacketId id, ReasonCode reason, ProtocolVersion version);
/// subscription_id 0: none.
void append_subscribe(Buffer& out, PacketId id, std::uint32_t subscription_id, std::span<const SubscribeEntry> entries,
                      ProtocolVersion version);
void append_unsubscribe(Buffer& out, PacketId id, std::span<const std::string_view> filters, ProtocolVersion version);
void append_pingreq(Buffer& out);
/// v3 has neither reason nor expiry.
void append_disconnect(Buffer& out, const DisconnectView& packet, ProtocolVersion version);
void append_auth(Buffer& out, const Auth& packet);

/// v3 return codes come as the reason codes of 5.0 that are nearest to them.
[[nodiscard]] Decoded<Connack> decode_connack(const Frame& frame, ProtocolVersion version);

struct SubackView {
  PacketId packet_id = 0;
  ByteView codes;  // one a filter; empty for UNSUBACK of v3
};
/// SUBACK and UNSUBACK.
[[nodiscard]] Decoded<SubackView> decode_suback(const Frame& frame, ProtocolVersion version);

/// DISCONNECT of a server, 5.0.
[[nodiscard]] Decoded<Disconnect> decode_server_disconnect(const Frame& frame);

/// Subscription Identifiers of a PUBLISH of 5.0 that decode_publish() has accepted, in their order.
std::vector<std::uint32_t> subscription_ids(const Frame& publish);

}  // namespace sb::codec::mqtt
