#include "net/detail/websocket_layer.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <limits>

namespace sb::net {

std::unique_ptr<Layer> make_websocket_layer(std::shared_ptr<const WebSocketOptions> options,
                                            std::unique_ptr<Layer> below, WebSocketAdmission admission) {
  return std::make_unique<detail::WebSocketLayer>(std::move(options), std::move(below), admission);
}

namespace detail {

namespace ws = codec::websocket;

void WebSocketLayer::enter(LayerScratch* scratch) {
  scratch_ = scratch;
  if (below_) below_->enter(scratch);
  if (!compression_) return;
  ws::ZlibPool* const pool = scratch ? &scratch->zlib() : nullptr;
  compression_->inflater.use(pool);
  compression_->deflater.use(pool);
}

ssize_t WebSocketLayer::fail_with(std::string_view reason, std::string detail) {
  failed_ = true;
  error_ = std::make_unique<StreamError>(StreamError{reason, std::move(detail)});
  return kFailed;
}

ssize_t WebSocketLayer::check_wire() {
  if (!wire_.failed() || failed_) return 0;
  return wire_.error() > 0 ? fail_with("sock_error", std::strerror(wire_.error()))
                           : fail_with(below_->error().reason, below_->error().detail);
}

bool WebSocketLayer::drained() const {
  return drained_ && !held_ && !over_ && !failed_ && (!below_ || below_->drained());
}

/// Bytes of the wire; ends and failures are noted.
ssize_t WebSocketLayer::receive_wire(int fd, std::uint8_t* out, std::size_t room) {
  const ssize_t n = below_ ? below_->read(fd, out, room) : receive(fd, out, room);
  if (n > 0) {
    active_ = true;
    drained_ = below_ || static_cast<std::size_t>(n) < room;
    return n;
  }
  drained_ = true;
  if (n == kWouldBlock) return n;
  if (n == kFailed) {
    return below_ ? fail_with(below_->error().reason, below_->error().detail)
                  : fail_with("sock_error", std::strerror(errno));
  }
  over_ = true;
  error_ = std::make_unique<StreamError>(below_ ? below_->error()
                                                : StreamError{"tcp_closed", "the peer closed the connection"});
  return kEndOfStream;
}

// ---------------------------------------------------------------- upgrade

void WebSocketLayer::upgrade(int fd) {
  const auto refuse = [&](ws::Status status, std::string detail) {
    wire_.send(fd, below_.get(), ws::refuse_response(status));
    fail_with("ws_upgrade_refused", std::move(detail));
  };
  const auto parsed = ws::parse_request(*request_);
  if (!parsed) return refuse(parsed.error(), fmt::format("HTTP {}", static_cast<unsigned>(parsed.error())));
  if (!*parsed) return;
  const ws::Request& request = **parsed;
  ws::UpgradePolicy policy;
  policy.path = options_->path;
  policy.fail_if_no_subprotocol = options_->fail_if_no_subprotocol;
  policy.supported_subprotocols = options_->supported_subprotocols;
  policy.check_origin = options_->check_origin;
  policy.allow_origin_absence = options_->allow_origin_absence;
  policy.check_origins = options_->check_origins;
  if (options_->compress) policy.deflate = &options_->deflate;
  const ws::UpgradeDecision decision = ws::decide(request, policy);
  if (decision.status != ws::Status::SwitchingProtocols)
    return refuse(decision.status, fmt::format("HTTP {} for {}", static_cast<unsigned>(decision.status), request.path));
  wire_.send(fd, below_.get(), ws::accept_response(request, decision));
  if (admission_.full) {
    send_close(ws::CloseCode::PolicyViolation, "too many connections");
    push_control(fd);
    fail_with("max_connections", "the listener has all the connections that it may have");
    return;
  }
  if (decision.deflate)
    compression_ = std::make_unique<Compression>(scratch_->zlib(), options_->deflate, *decision.deflate);
  keep_info(request);
  open_ = true;
  if (request_->size() > request.size) {
    held_ = std::make_unique<Held>();
    held_->wire = request_->substr(request.size);
  }
  request_.reset();
}

void WebSocketLayer::keep_info(const ws::Request& request) {
  UpgradeInfo info;
  info.cookie = request.value("cookie");
  if (admission_.believe_headers) {
    std::uint16_t port = 0;
    const std::string_view text = ws::leftmost(request.value(options_->proxy_port_header));
    std::from_chars(text.data(), text.data() + text.size(), port);
    const std::string_view address = ws::leftmost(request.value(options_->proxy_address_header));
    if (const auto peer = Endpoint::parse_address(address, port); peer && !address.empty()) info.forwarded_peer = *peer;
  }
  if (info.forwarded_peer || !info.cookie.empty()) info_ = std::make_unique<UpgradeInfo>(std::move(info));
}

// ---------------------------------------------------------------- input

ws::FrameOptions WebSocketLayer::frame_options() const {
  ws::FrameOptions options;
  options.deflate = compression_ != nullptr;
  if (options_->max_frame_size != 0) options.max_message_size = options_->max_frame_size;
  return options;
}

ssize_t WebSocketLayer::read(int fd, std::uint8_t* out, std::size_t room) {
  if (failed_) return kFailed;
  for (;;) {
    std::size_t made = 0;
    if (!open_ && !over_) {
      std::uint8_t* const buffer = scratch_->websocket_in();
      const ssize_t n = receive_wire(fd, buffer, ws::kMaxRequestSize);
      if (n <= 0) return n;
      if (!request_) request_ = std::make_unique<std::string>();
      request_->append(reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(n));
      upgrade(fd);
    } else if (held_) {
      made = take_held(out, room);
    } else if (!over_) {
      // Without compression a payload is never longer than its frame: it is unmasked and moved together where it lies.
      std::uint8_t* const buffer = compression_ ? scratch_->websocket_in() : out;
      const ssize_t n = receive_wire(fd, buffer, compression_ ? LayerScratch::kIn : room);
      if (n == kWouldBlock) {
        push_control(fd);
        return check_wire() == kFailed ? kFailed : kWouldBlock;
      }
      if (n > 0) made = unframe({buffer, static_cast<std::size_t>(n)}, out, room);
    }
    push_control(fd);
    check_wire();
    if (made > 0) return static_cast<ssize_t>(made);
    if (failed_) return kFailed;
    if (over_) return kEndOfStream;
  }
}

std::size_t WebSocketLayer::take_held(std::uint8_t* out, std::size_t room) {
  const std::unique_ptr<Held> held = std::move(held_);
  std::size_t made = 0;
  if (held->has_piece) {
    made = take_piece(as_bytes(held->piece), held->compressed, held->message_end, out, room);
    if (held_) {  // still no room
      held_->wire = std::move(held->wire);
      return made;
    }
  }
  if (failed_ || over_ || held->wire.empty()) return made;
  std::span<std::uint8_t> wire{reinterpret_cast<std::uint8_t*>(held->wire.data()), held->wire.size()};
  return made + unframe(wire, out + made, room - made);
}

std::size_t WebSocketLayer::unframe(std::span<std::uint8_t> wire, std::uint8_t* out, std::size_t room) {
  const ws::FrameOptions options = frame_options();
  std::size_t made = 0;
  for (;;) {
    const ws::FrameEvent event = decoder_.next(wire, options);
    switch (event.kind) {
      case ws::FrameEvent::Kind::NeedMore:
        return made;
      case ws::FrameEvent::Kind::Data:
        made += take_piece(event.payload, event.compressed, event.message_end, out + made, room - made);
        if (failed_) return made;
        if (held_) {
          held_->wire.assign(reinterpret_cast<const char*>(wire.data()), wire.size());
          return made;
        }
        break;
      default:
        on_control(event);
        if (failed_ || over_) return made;
    }
  }
}

std::size_t WebSocketLayer::take_piece(ByteView piece, bool compressed, bool message_end, std::uint8_t* out,
                                       std::size_t room) {
  const auto hold = [&](std::size_t from) {
    held_ = std::make_unique<Held>();
    held_->piece = as_text(piece.subspan(from));
    held_->has_piece = true;
    held_->compressed = compressed;
    held_->message_end = message_end;
  };
  if (!compressed) {
    const std::size_t n = std::min(piece.size(), room);
    if (n > 0) std::memmove(out, piece.data(), n);
    if (n < piece.size()) hold(n);
    return n;
  }
  if (room == 0) {
    hold(0);
    return 0;
  }
  const std::uint64_t limit =
      options_->max_frame_size != 0 ? options_->max_frame_size : std::numeric_limits<std::uint64_t>::max();
  const auto step = compression_->inflater.inflate(piece, message_end, {out, room}, limit);
  switch (step.outcome) {
    case ws::Inflater::Outcome::NeedRoom:
      hold(step.consumed);
      break;
    case ws::Inflater::Outcome::BadData:
      send_close(ws::CloseCode::InvalidPayload, "bad deflate data");
      fail_with("ws_bad_deflate_data", "a compressed message does not inflate");
      return 0;
    case ws::Inflater::Outcome::TooLarge:
      send_close(ws::CloseCode::TooBig, "message too large");
      fail_with("frame_too_large", "a compressed message inflates to more than max_frame_size");
      return 0;
    default:
      break;
  }
  return step.produced;
}

void WebSocketLayer::on_control(const ws::FrameEvent& event) {
  switch (event.kind) {
    case ws::FrameEvent::Kind::Ping: {
      std::uint8_t header[ws::kFrameHeaderMax];
      const auto* const end = ws::encode(header, {ws::Opcode::Pong, true, false, event.payload.size(), nullptr});
      if (!control_) control_ = std::make_unique<std::string>();
      // Only while a data frame is stuck on the wire can more than a read's worth of answers wait; the latest
      // count. 5.5.3
      if (control_->size() > WireOut::kKeptMax) control_->clear();
      control_->append(reinterpret_cast<const char*>(header), static_cast<std::size_t>(end - header));
      control_->append(as_text(event.payload));
      return;
    }
    case ws::FrameEvent::Kind::Pong:
      return;
    case ws::FrameEvent::Kind::Close:
      send_close(event.close_code == ws::CloseCode::NoStatus ? ws::CloseCode::Normal : event.close_code, {});
      over_ = true;
      error_ = std::make_unique<StreamError>(StreamError{"tcp_closed", "the peer closed the WebSocket"});
      return;
    default:
      send_close(event.close_code, event.reason);
      fail_with(event.reason == "unexpected_ws_frame" || event.reason == "frame_too_large"
                    ? event.reason
                    : std::string_view("ws_protocol_error"),
                std::string(event.reason));
  }
}

// ---------------------------------------------------------------- output

void WebSocketLayer::send_close(ws::CloseCode code, std::string_view reason) {
  if (std::exchange(close_sent_, true)) return;
  std::uint8_t frame[ws::kCloseFrameMax];
  const auto* const end = ws::encode_close(frame, code, reason);
  if (!control_) control_ = std::make_unique<std::string>();
  control_->append(reinterpret_cast<const char*>(frame), static_cast<std::size_t>(end - frame));
}

bool WebSocketLayer::push_control(int fd) {
  if (!control_) return true;
  if (packet_left_ != 0) return false;
  return wire_.send(fd, below_.get(), *std::exchange(control_, nullptr));
}

class WebSocketLayer::Cursor {
 public:
  Cursor(const iovec* vectors, int count) : at_(vectors), end_(vectors + count) {
    for (const iovec* v = at_; v != end_; ++v) left_ += v->iov_len;
  }
  std::size_t left() const { return left_; }
  /// The next bytes that lie together, at most `limit`.
  std::string_view next(std::size_t limit) {
    while (offset_ == at_->iov_len) {
      ++at_;
      offset_ = 0;
    }
    const std::size_t n = std::min(limit, at_->iov_len - offset_);
    const std::string_view bytes(static_cast<const char*>(at_->iov_base) + offset_, n);
    offset_ += n;
    left_ -= n;
    return bytes;
  }
  /// Size of the MQTT packet that begins here, or what is left if it cannot be told. MQTT 2.1.4
  std::size_t packet_size() const {
    std::size_t size = 0;
    std::size_t length = 0;
    const iovec* v = at_;
    std::size_t offset = offset_;
    for (;; ++size) {
      while (v != end_ && offset == v->iov_len) {
        ++v;
        offset = 0;
      }
      if (v == end_ || size == 5) return left_;
      const auto byte = static_cast<const std::uint8_t*>(v->iov_base)[offset++];
      if (size == 0) continue;
      length |= static_cast<std::size_t>(byte & 0x7F) << (7 * (size - 1));
      if ((byte & 0x80) == 0) return length + size + 1;
    }
  }

 private:
  const iovec* at_;
  const iovec* end_;
  std::size_t offset_ = 0;
  std::size_t left_ = 0;
};

/// One frame, or the next part of one, from the front of `from`.
void WebSocketLayer::frame_some(Cursor& from, std::string& out) {
  std::size_t size = 0;
  if (packet_left_ != 0) {
    size = std::min<std::uint64_t>(packet_left_, from.left());
    packet_left_ -= size;
  } else {
    std::uint64_t frame =
        options_->single_packet_frames ? from.packet_size() : std::min(from.left(), LayerScratch::kOut);
    size = std::min<std::uint64_t>(frame, from.left());
    ws::FrameHeader header;
    std::string& deflated = scratch_->deflated;
    if (compression_) {
      // A compressed message ends with what is here: the frame's size must be known before its end.
      deflated.clear();
      for (std::size_t left = size; left > 0;) {
        const std::string_view bytes = from.next(left);
        left -= bytes.size();
        compression_->deflater.add(as_bytes(bytes), deflated);
      }
      compression_->deflater.finish(deflated);
      frame = deflated.size();
      size = 0;
      header.compressed = true;
    } else {
      packet_left_ = frame - size;
    }
    header.payload_size = frame;
    std::uint8_t bytes[ws::kFrameHeaderMax];
    const auto* const end = ws::encode(bytes, header);
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(end - bytes));
    if (compression_) out += deflated;
  }
  while (size > 0) {
    const std::string_view bytes = from.next(size);
    size -= bytes.size();
    out += bytes;
  }
}

ssize_t WebSocketLayer::write(int fd, const iovec* vectors, int count) {
  if (failed_) return kFailed;
  if (wire_.flush(fd, below_.get())) push_control(fd);
  if (check_wire() == kFailed) return kFailed;
  if (count == 0 && below_ && below_->write(fd, nullptr, 0) == kFailed)
    return fail_with(below_->error().reason, below_->error().detail);
  if (count == 0) return 0;
  if (!wire_.empty() || !open_) return kWouldBlock;
  if (close_sent_)
    return static_cast<ssize_t>(Cursor(vectors, count).left());  // nothing may follow a close frame. 5.5.1
  Cursor from(vectors, count);
  const std::size_t sum = from.left();
  bool flows = true;
  while (from.left() > 0 && flows) {
    std::string& out = scratch_->websocket_out;
    out.clear();
    while (from.left() > 0 && out.size() < LayerScratch::kOut) frame_some(from, out);
    flows = wire_.send(fd, below_.get(), out);
  }
  scratch_->websocket_out.clear();
  if (check_wire() == kFailed) return kFailed;
  return static_cast<ssize_t>(sum - from.left());
}

void WebSocketLayer::shutdown(int fd) {
  if (open_ && !close_sent_) send_close(ws::CloseCode::Normal, {});
  push_control(fd);
  if (below_) below_->shutdown(fd);
}

}  // namespace detail
}  // namespace sb::net
