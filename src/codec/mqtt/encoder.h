// From packets to bytes. Each packet tells its size first; the caller provides that much room. All functions return the
// end of what they wrote.
#pragma once

#include "codec/mqtt/packets.h"

namespace sb::codec::mqtt {

/// The return code of a v3 CONNACK that stands for `reason`; encode() uses it.
std::uint8_t v3_connack_code(ReasonCode reason);

/// A refusal never tells of a session.
std::size_t size_of(const Connack& packet, ProtocolVersion version);
std::uint8_t* encode(std::uint8_t* out, const Connack& packet, ProtocolVersion version);

/// PUBACK, PUBREC, PUBREL, PUBCOMP: at most kAckSize bytes; Success takes the short form. v3 has no reason.
constexpr std::size_t kAckSize = 5;
std::uint8_t* encode_ack(std::uint8_t* out, PacketType type, PacketId id, ReasonCode reason, ProtocolVersion version);

/// SUBACK/UNSUBACK: one code a filter. v3: codes >= 0x80 become 0x80 in SUBACK; UNSUBACK carries none.
std::size_t size_of_suback(std::size_t codes, ProtocolVersion version);
std::uint8_t* encode_suback(std::uint8_t* out, PacketId id, const ReasonCode* codes, std::size_t count,
                            ProtocolVersion version);
std::size_t size_of_unsuback(std::size_t codes, ProtocolVersion version);
std::uint8_t* encode_unsuback(std::uint8_t* out, PacketId id, const ReasonCode* codes, std::size_t count,
                              ProtocolVersion version);

constexpr std::size_t kPingrespSize = 2;
std::uint8_t* encode_pingresp(std::uint8_t* out);

/// v5 only: a v3 connection is closed without DISCONNECT.
std::size_t size_of(const Disconnect& packet);
std::uint8_t* encode(std::uint8_t* out, const Disconnect& packet);
std::size_t size_of(const Auth& packet);
std::uint8_t* encode(std::uint8_t* out, const Auth& packet);

/// An outgoing PUBLISH, 3.3. The packet is [head][payload]; head ends right before the payload.
struct PublishHead {
  std::string_view topic{};
  ByteView properties{};  // forwardable, as on the wire
  std::size_t payload_size = 0;
  Qos qos = Qos::AtMostOnce;
  bool dup = false;
  bool retain = false;
  PacketId packet_id = 0;                          // written if qos > 0
  std::uint32_t message_expiry_s = kNeverExpires;  // v5
  std::uint16_t topic_alias = 0;                   // v5, 0 = none
  const std::uint32_t* subscription_ids = nullptr;
  std::size_t subscription_id_count = 0;
};
/// Size of the head; *total gets the size of the whole packet (to hold against Maximum Packet Size).
std::size_t size_of_publish_head(const PublishHead& head, ProtocolVersion version, std::size_t* total);
std::uint8_t* encode_publish_head(std::uint8_t* out, const PublishHead& head, ProtocolVersion version);
/// Where the packet id lies in a PUBLISH written by encode_publish_head, to patch copies of it: offset from the start.
std::size_t publish_packet_id_offset(const std::uint8_t* packet);

}  // namespace sb::codec::mqtt
