// Frame, 5.2:  fin:1 rsv:3 opcode:4  masked:1 length:7  [length:16 or 64]  [mask:32]  payload
#include "codec/websocket/frames.h"

#include "codec/websocket/detail/utf8.h"

#include <algorithm>
#include <cstring>

namespace sb::codec::websocket {
namespace {

FrameEvent failed(CloseCode code, std::string_view reason) {
  FrameEvent event;
  event.kind = FrameEvent::Kind::Failed;
  event.close_code = code;
  event.reason = reason;
  return event;
}

FrameEvent protocol_error(std::string_view reason) {
  return failed(CloseCode::ProtocolError, reason);
}

bool is_control(Opcode opcode) {
  return (static_cast<unsigned>(opcode) & 0x08) != 0;
}

bool is_known(Opcode opcode) {
  switch (opcode) {
    case Opcode::Continuation:
    case Opcode::Text:
    case Opcode::Binary:
    case Opcode::Close:
    case Opcode::Ping:
    case Opcode::Pong:
      return true;
  }
  return false;
}

/// Codes that may stand in a frame. 7.4
bool is_close_code(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

std::uint64_t big_endian(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

}  // namespace

void apply_mask(std::span<std::uint8_t> bytes, const std::array<std::uint8_t, 4>& mask, std::size_t offset) {
  std::uint8_t turned[8];
  for (std::size_t i = 0; i < 8; ++i) turned[i] = mask[(offset + i) & 3];
  std::uint64_t wide = 0;
  std::memcpy(&wide, turned, sizeof wide);
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    word ^= wide;
    std::memcpy(bytes.data() + at, &word, sizeof word);
  }
  for (; at < bytes.size(); ++at) bytes[at] ^= turned[at & 7];
}

std::size_t FrameDecoder::header_size() const {
  if (header_have_ < 2) return 2;
  const unsigned length = header_[1] & 0x7Fu;
  return 2u + (length == 126 ? 2u : length == 127 ? 8u : 0u) + (header_[1] & 0x80 ? 4u : 0u);
}

void FrameDecoder::unmask(std::span<std::uint8_t> bytes) {
  if (!(header_[1] & 0x80)) return;
  apply_mask(bytes, mask_, mask_at_);
  mask_at_ = static_cast<std::uint8_t>((mask_at_ + bytes.size()) & 3);
}

FrameEvent FrameDecoder::take_header(std::span<std::uint8_t>& in, const FrameOptions& options) {
  while (header_have_ < header_size()) {
    if (in.empty()) return {};
    const std::size_t n = std::min(header_size() - header_have_, in.size());
    std::memcpy(header_.data() + header_have_, in.data(), n);
    header_have_ = static_cast<std::uint8_t>(header_have_ + n);
    in = in.subspan(n);
  }
  return begin_frame(options);
}

FrameEvent FrameDecoder::begin_frame(const FrameOptions& options) {
  const bool masked = (header_[1] & 0x80) != 0;
  const unsigned length = header_[1] & 0x7Fu;
  const unsigned reserved = header_[0] & 0x70u;
  const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  fin_ = (header_[0] & 0x80) != 0;
  opcode_ = static_cast<Opcode>(header_[0] & 0x0F);
  left_ = extended == 0 ? length : big_endian(header_.data() + 2, extended);
  if (masked) std::memcpy(mask_.data(), header_.data() + 2 + extended, 4);

  if (masked != (options.role == Role::Server)) return protocol_error("wrong masking");  // 5.1
  if (!is_known(opcode_)) return protocol_error("reserved opcode");
  if ((extended == 2 && left_ < 126) || (extended == 8 && (left_ < 65536 || left_ >> 63 != 0)))
    return protocol_error("length not in its shortest form");
  const bool starts_message = opcode_ == Opcode::Text || opcode_ == Opcode::Binary;
  // RSV1 belongs to permessage-deflate and to the first frame of a message. RFC 7692 6
  if (reserved != 0 && !(reserved == 0x40 && options.deflate && starts_message))
    return protocol_error("reserved bits set");

  if (is_control(opcode_)) {
    if (!fin_) return protocol_error("fragmented control frame");
    if (left_ > kControlMax) return protocol_error("control frame too long");
  } else if (opcode_ == Opcode::Continuation) {
    if (!in_message_) return protocol_error("continuation of nothing");
  } else {
    if (in_message_) return protocol_error("message within a message");
    if (opcode_ == Opcode::Text) return failed(CloseCode::UnsupportedData, "unexpected_ws_frame");
    compressed_ = reserved != 0;
    message_size_ = 0;
  }
  if (!is_control(opcode_)) {
    if (left_ > options.max_message_size || message_size_ > options.max_message_size - left_)
      return failed(CloseCode::TooBig, "frame_too_large");
    message_size_ += left_;
    in_message_ = !fin_;
  }
  header_have_ = 0;
  mask_at_ = 0;
  control_have_ = 0;
  in_frame_ = true;
  return {};
}

FrameEvent FrameDecoder::take_data(std::span<std::uint8_t>& in) {
  if (in.empty() && left_ > 0) return {};
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
  const std::span<std::uint8_t> piece = in.first(n);
  in = in.subspan(n);
  left_ -= n;
  unmask(piece);
  in_frame_ = left_ > 0;
  FrameEvent event;
  event.kind = FrameEvent::Kind::Data;
  event.compressed = compressed_;
  event.message_end = fin_ && left_ == 0;
  event.payload = piece;
  return event;
}

FrameEvent FrameDecoder::take_control(std::span<std::uint8_t>& in) {
  const auto size = static_cast<std::size_t>(left_);
  if (control_have_ == 0 && in.size() >= size) {
    const std::span<std::uint8_t> payload = in.first(size);
    in = in.subspan(size);
    unmask(payload);
    return control_event(payload);
  }
  if (in.empty()) return {};
  if (!control_) control_ = std::make_unique<std::array<std::uint8_t, kControlMax>>();
  const std::size_t n = std::min(size - control_have_, in.size());
  unmask(in.first(n));
  std::memcpy(control_->data() + control_have_, in.data(), n);
  control_have_ = static_cast<std::uint8_t>(control_have_ + n);
  in = in.subspan(n);
  if (control_have_ < size) return {};
  return control_event(ByteView(control_->data(), size));
}

FrameEvent FrameDecoder::control_event(ByteView payload) {
  in_frame_ = false;
  control_have_ = 0;
  left_ = 0;
  FrameEvent event;
  event.payload = payload;
  if (opcode_ != Opcode::Close) {
    event.kind = opcode_ == Opcode::Ping ? FrameEvent::Kind::Ping : FrameEvent::Kind::Pong;
    return event;
  }
  event.kind = FrameEvent::Kind::Close;
  if (payload.empty()) {
    event.close_code = CloseCode::NoStatus;
    return event;
  }
  const auto code = payload.size() < 2 ? 0u : static_cast<unsigned>(big_endian(payload.data(), 2));
  if (!is_close_code(code)) return protocol_error("bad close code");  // 7.4.2
  event.close_code = static_cast<CloseCode>(code);
  event.payload = payload.subspan(2);
  if (!detail::is_utf8(as_text(event.payload))) return failed(CloseCode::InvalidPayload, "close reason is not UTF-8");
  return event;
}

FrameEvent FrameDecoder::next(std::span<std::uint8_t>& in, const FrameOptions& options) {
  if (!in_frame_) {
    // The payload of a control frame that came in pieces was read by the caller since.
    if (control_) control_.reset();
    const FrameEvent event = take_header(in, options);
    if (event.kind == FrameEvent::Kind::Failed || !in_frame_) return event;
  }
  return is_control(opcode_) ? take_control(in) : take_data(in);
}

std::uint8_t* encode(std::uint8_t* out, const FrameHeader& header) {
  const std::uint64_t size = header.payload_size;
  const unsigned masked = header.mask != nullptr ? 0x80 : 0;
  *out++ = static_cast<std::uint8_t>((header.fin ? 0x80u : 0u) | (header.compressed ? 0x40u : 0u) |
                                     static_cast<unsigned>(header.opcode));
  if (size < 126) {
    *out++ = static_cast<std::uint8_t>(masked | size);
  } else if (size < 65536) {
    *out++ = static_cast<std::uint8_t>(masked | 126);
    *out++ = static_cast<std::uint8_t>(size >> 8);
    *out++ = static_cast<std::uint8_t>(size);
  } else {
    *out++ = static_cast<std::uint8_t>(masked | 127);
    for (int shift = 56; shift >= 0; shift -= 8) *out++ = static_cast<std::uint8_t>(size >> shift);
  }
  if (header.mask != nullptr) {
    std::memcpy(out, header.mask, 4);
    out += 4;
  }
  return out;
}

std::uint8_t* encode_close(std::uint8_t* out, CloseCode code, std::string_view reason) {
  if (code == CloseCode::NoStatus) return encode(out, {.opcode = Opcode::Close});
  std::size_t size = std::min(reason.size(), FrameDecoder::kControlMax - 2);
  // Not within a character.
  while (size > 0 && size < reason.size() && (static_cast<unsigned char>(reason[size]) & 0xC0) == 0x80) --size;
  out = encode(out, {.opcode = Opcode::Close, .payload_size = 2 + size});
  *out++ = static_cast<std::uint8_t>(static_cast<unsigned>(code) >> 8);
  *out++ = static_cast<std::uint8_t>(static_cast<unsigned>(code));
  if (size > 0) std::memcpy(out, reason.data(), size);
  return out + size;
}

}  // namespace sb::codec::websocket
