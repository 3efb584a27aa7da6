// From bytes to packets. No allocation, no copy, no exception; a bad packet is one ReasonCode.
#pragma once

#include "base/result.h"
#include "codec/mqtt/packets.h"

namespace sb::codec::mqtt {

namespace detail {
/// The general case: Remaining Length of more than one byte, too large, or cut off.
[[nodiscard]] Decoded<Frame> next_long_frame(ByteView in, std::uint32_t max_packet_size, std::size_t* want);
}  // namespace detail

/// Cuts the next packet off `in`. Success with size 0: more bytes are needed (`want` then holds how many the whole
/// packet takes, 0 while unknown). Errors: MalformedPacket (packet type 0; length of more than 4 bytes, 2.1.4),
/// PacketTooLarge (Remaining Length > max_packet_size, told before the body has arrived).
/// A length that is not in its shortest form is cut here (3.1.1 allows it) and refused by the decoders of 5.0.
[[nodiscard]] inline Decoded<Frame> next_frame(ByteView in, std::uint32_t max_packet_size,
                                               std::size_t* want = nullptr) {
  if (in.size() >= 2 && in[1] < 0x80 && in.size() - 2 >= in[1] && in[1] <= max_packet_size && in[0] >= 0x10) [[likely]]
    return Frame{in[0], in.subspan(2, in[1]), std::size_t{2} + in[1]};
  return detail::next_long_frame(in, max_packet_size, want);
}

/// `strict` as in DecodeOptions. UnsupportedProtocolVersion for a right name with an unknown level; ProtocolName other
/// than MQIsdp/MQTT: MalformedPacket with *wrong_name set (closed without CONNACK). `scratch` as in DecodeOptions.
[[nodiscard]] Decoded<ConnectView> decode_connect(const Frame& frame, bool strict, bool* wrong_name = nullptr,
                                                  PropertyScratch* scratch = nullptr);
/// The form in which to answer a CONNECT that decode_connect() refused: V5 if its level byte says 5 or more, else V311.
[[nodiscard]] ProtocolVersion answer_version(const Frame& connect);
/// The Topic Name of a PUBLISH, unchecked; empty: none (an alias), cut off, or another packet. A hint for what comes.
[[nodiscard]] inline std::string_view topic_of_publish(const Frame& frame) {
  if (frame.type() != PacketType::Publish || frame.body.size() < 2) return {};
  const std::size_t size = std::size_t{frame.body[0]} << 8 | frame.body[1];
  if (size > frame.body.size() - 2) return {};
  return {reinterpret_cast<const char*>(frame.body.data()) + 2, size};
}
[[nodiscard]] Decoded<PublishView> decode_publish(const Frame& frame, DecodeOptions options);
[[nodiscard]] Decoded<AckView> decode_ack(const Frame& frame, DecodeOptions options);
[[nodiscard]] Decoded<SubscribeView> decode_subscribe(const Frame& frame, DecodeOptions options);
[[nodiscard]] Decoded<UnsubscribeView> decode_unsubscribe(const Frame& frame, DecodeOptions options);
[[nodiscard]] Decoded<DisconnectView> decode_disconnect(const Frame& frame, DecodeOptions options);
[[nodiscard]] Decoded<AuthView> decode_auth(const Frame& frame, DecodeOptions options);
/// PINGREQ and others without content.
[[nodiscard]] Decoded<> decode_empty(const Frame& frame, DecodeOptions options);

/// Walks the filters of a SUBSCRIBE (with options) or UNSUBSCRIBE (without).
class FilterCursor {
 public:
  FilterCursor(const SubscribeView& packet, ProtocolVersion version)
      : rest_(packet.filters), subscription_id_(packet.subscription_id), version_(version), with_options_(true) {}
  explicit FilterCursor(const UnsubscribeView& packet) : rest_(packet.filters) {}
  /// False at the end. `options` may be null for UNSUBSCRIBE.
  bool next(std::string_view& filter, SubscribeOptions* options);
  /// Bytes behind the last filter.
  std::size_t left() const { return rest_.size(); }

 private:
  ByteView rest_;
  std::uint32_t subscription_id_ = 0;
  ProtocolVersion version_ = ProtocolVersion::V311;
  bool with_options_ = false;
};

/// Well formed UTF-8 without surrogates, U+0000-001F, 007F-009F (strict mode). 1.5.4
bool is_valid_utf8(std::string_view text);

}  // namespace sb::codec::mqtt
