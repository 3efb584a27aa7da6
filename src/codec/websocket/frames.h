// Frames of RFC 6455, chapter 5: a decoder that unmasks in place and keeps nothing but what a frame has left, and the
// frame header for sending. A quiet connection costs sizeof(FrameDecoder), at most 64 bytes.
#pragma once

#include "base/bytes.h"

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>

namespace sb::codec::websocket {

/// 5.2
enum class Opcode : std::uint8_t { Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };

/// 7.4.1
enum class CloseCode : std::uint16_t {
  Normal = 1000,
  GoingAway = 1001,
  ProtocolError = 1002,
  UnsupportedData = 1003,
  NoStatus = 1005,  // never on the wire
  InvalidPayload = 1007,
  PolicyViolation = 1008,
  TooBig = 1009,
  InternalError = 1011,
};

enum class Role : std::uint8_t { Server, Client };  // ours

struct FrameOptions {
  Role role = Role::Server;
  bool deflate = false;  // permessage-deflate was agreed on
  /// Bound of a message: its frames together, as they are on the wire.
  std::uint64_t max_message_size = std::numeric_limits<std::uint64_t>::max();
};

/// What the decoder found. Payloads lie in the input, unmasked, except those of control frames that came in pieces.
struct FrameEvent {
  enum class Kind : std::uint8_t {
    NeedMore,  // all input is used
    Data,      // a piece of a binary message, possibly empty; pieces come as they arrive
    Ping,      // to be answered with its payload
    Pong,
    Close,   // close_code and payload (the reason); answer and close
    Failed,  // close with close_code; `reason` says why, for logs
  };
  Kind kind = Kind::NeedMore;
  bool compressed = false;   // Data: goes through the Inflater
  bool message_end = false;  // Data: the last piece of its message
  CloseCode close_code = CloseCode::Normal;
  ByteView payload{};  // valid until the next call
  std::string_view reason{};
};

class FrameDecoder {
 public:
  static constexpr std::size_t kControlMax = 125;  // 5.5

  /// Takes the next event off the front of `in`, which it overwrites with unmasked bytes. After Failed or Close it must
  /// not be called again.
  FrameEvent next(std::span<std::uint8_t>& in, const FrameOptions& options);

 private:
  static constexpr std::size_t kHeaderMax = 14;
  FrameEvent take_header(std::span<std::uint8_t>& in, const FrameOptions& options);
  FrameEvent begin_frame(const FrameOptions& options);
  FrameEvent take_data(std::span<std::uint8_t>& in);
  FrameEvent take_control(std::span<std::uint8_t>& in);
  FrameEvent control_event(ByteView payload);
  std::size_t header_size() const;
  void unmask(std::span<std::uint8_t> bytes);

  std::uint64_t left_ = 0;                                          // of the payload of the current frame
  std::uint64_t message_size_ = 0;                                  // of the message so far
  std::unique_ptr<std::array<std::uint8_t, kControlMax>> control_;  // only while a control frame is in pieces
  std::array<std::uint8_t, kHeaderMax> header_{};
  std::array<std::uint8_t, 4> mask_{};
  std::uint8_t header_have_ = 0;
  std::uint8_t mask_at_ = 0;
  std::uint8_t control_have_ = 0;
  Opcode opcode_ = Opcode::Binary;
  bool in_frame_ = false;
  bool in_message_ = false;  // a data frame without FIN has begun one
  bool compressed_ = false;
  bool fin_ = false;
};
static_assert(sizeof(FrameDecoder) <= 64);

/// At most this many bytes, mask included.
constexpr std::size_t kFrameHeaderMax = 14;

struct FrameHeader {
  Opcode opcode = Opcode::Binary;
  bool fin = true;
  bool compressed = false;
  std::uint64_t payload_size = 0;
  const std::uint8_t* mask = nullptr;  // 4 bytes; clients only
};
/// Returns the end of what it wrote. 5.2
std::uint8_t* encode(std::uint8_t* out, const FrameHeader& header);

/// A whole close frame of a server, at most 2 + 125 bytes; a reason too long is cut. 5.5.1
std::uint8_t* encode_close(std::uint8_t* out, CloseCode code, std::string_view reason = {});
constexpr std::size_t kCloseFrameMax = 2 + FrameDecoder::kControlMax;

/// XOR with the mask, `offset` bytes into the payload. 5.3
void apply_mask(std::span<std::uint8_t> bytes, const std::array<std::uint8_t, 4>& mask, std::size_t offset);

}  // namespace sb::codec::websocket
