#include "mqtt/channel.h"

#include "base/log.h"
#include "mqtt/asking.h"
#include "mqtt/deferred.h"
#include "mqtt/outbound_aliases.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>

namespace sb::mqtt {

using broker::Metric;
using codec::mqtt::PacketType;

namespace {
/// A closing connection whose peer does not read is cut after this.
constexpr Nanos kCloseGrace{5'000'000'000};
}  // namespace

Channel::Channel(ChannelHost& host, const net::Endpoint& peer, client::ListenerRef listener,
                 std::shared_ptr<client::ListenerState> state)
    : host_(host),
      stream_(host.shard().io, *this),
      client_(host.shard(), std::move(listener), peer),
      listener_state_(std::move(state)) {}

Channel::~Channel() {
  if (listener_state_) listener_state_->leave();
}

Result<> Channel::start(net::Stream::Detached stream) {
  runtime::Loop& loop = host_.shard().io.loop;
  last_activity_ = loop.now();
  Nanos limit = client_.zone().idle_timeout;
  if (stream.layer) {  // a handshake comes first, with a time of its own
    const Nanos handshake = client_.listener().handshake_timeout;
    if (limit.count() == 0 || (handshake.count() > 0 && handshake < limit)) limit = handshake;
  }
  if (limit.count() > 0) loop.timers().arm(*this, loop.now(), limit);
  guard_rates();
  if (client_.traced()) [[unlikely]]
    client_.trace("SOCKET", homed_ ? "socket_handed_over" : "socket_connected",
                  fmt::format("listener: {}", client_.listener().id));
  return stream_.attach(std::move(stream));
}

void Channel::guard_rates() {
  if (rate_guard_ || destroyed_ || !listener_state_) return;
  rate_guard_ = RateGuard::make(stream_, host_.shard().io.loop, client_.listener(), listener_state_);
}

std::size_t Channel::on_bytes(ByteView bytes, std::size_t& want) {
  if (!rate_guard_) [[likely]]
    return consume(bytes, want, nullptr);
  if (rate_guard_->has_rested() && state_ != State::Idle) last_activity_ = host_.shard().io.loop.now();
  const std::uint64_t before = client_.traffic.received_packets;
  RateGuard::Allowance allowance = rate_guard_->allowance();
  const std::size_t used = consume(bytes, want, &allowance);
  if (!destroyed_ && state_ != State::Closing)
    rate_guard_->charge(used, client_.traffic.received_packets - before, allowance.spent && used < bytes.size());
  return used;
}

std::size_t Channel::consume(ByteView bytes, std::size_t& want, RateGuard::Allowance* allowance) {
  const std::uint32_t limit = client_.zone().max_packet_size;
  std::size_t used = 0;
  std::size_t looked = host_.shard().broker.profits_from_look_ahead() ? 0 : bytes.size();
  while (used < bytes.size()) {
    if (used >= looked) [[unlikely]]
      looked = used + look_ahead(bytes.subspan(used));
    const ByteView rest = bytes.subspan(used);
    const auto frame = codec::mqtt::next_frame(rest, limit, &want);
    if (!frame) {
      bad_frame(frame.error());
      return bytes.size();
    }
    if (frame->size == 0) return used;
    want = 0;
    // A packet that stays partial buys no time, nor does anything before CONNECT. [MQTT-3.1.2-22]
    if (used == 0 && state_ != State::Idle) last_activity_ = host_.shard().io.loop.now();
    // CONNECT is traced when it is known whose it is.
    if (traced() && !suspended_ && frame->type() != PacketType::Connect) [[unlikely]]
      trace_received(*frame);
    const bool again = suspended_;
    const Step step = handle(*frame, rest);
    suspended_ = step == Step::Suspend;
    if (again && !suspended_) client_.forget_late_verdict();
    if (step == Step::Suspend) {
      stream_.pause();
      return used;
    }
    used += frame->size;
    if (step == Step::Stop) return bytes.size();
    if (step == Step::Pause) return used;
    if (allowance && !allowance->another(used)) [[unlikely]]
      return used;
  }
  return used;
}

std::size_t Channel::look_ahead(ByteView bytes) {
  std::array<std::string_view, broker::Router::kAheadMost> topics;
  std::size_t count = 0;
  std::size_t at = 0;
  while (at < bytes.size() && count < topics.size()) {
    const auto frame = codec::mqtt::next_frame(bytes.subspan(at), client_.zone().max_packet_size);
    if (!frame || frame->size == 0) break;  // said when its turn comes
    at += frame->size;
    const std::string_view topic = codec::mqtt::topic_of_publish(*frame);
    if (!topic.empty()) topics[count++] = topic;
  }
  if (count > 1) host_.shard().broker.look_ahead({topics.data(), count});
  return at == 0 ? bytes.size() : at;
}

Channel::Step Channel::handle(const Frame& frame, ByteView from_here) {
  if (state_ != State::Connected) {
    switch (state_) {
      case State::Closing:
        return Step::Stop;
      case State::Idle:
      case State::Connecting:
        if (frame.type() == PacketType::Connect && !connect_done_) return on_connect(frame, from_here);
        if (frame.type() == PacketType::Auth && state_ == State::Connecting) return on_auth(frame);
        if (frame.type() == PacketType::Connect) return refuse_connect(ReasonCode::ProtocolError, "protocol_error");
        return protocol_error(ReasonCode::ProtocolError, "protocol_error");
      default:
        break;
    }
  }
  if (!suspended_) [[likely]] {  // else it was counted before it had to wait
    ++client_.traffic.received_packets;
    client_.traffic.received_bytes += frame.size;
    metrics().add(Metric::PacketsReceived);
  }
  switch (frame.type()) {
    case PacketType::Publish:
      return on_publish(frame);
    case PacketType::Puback:
    case PacketType::Pubrec:
    case PacketType::Pubrel:
    case PacketType::Pubcomp:
      return on_ack(frame);
    case PacketType::Subscribe:
      return on_subscribe(frame);
    case PacketType::Unsubscribe:
      return on_unsubscribe(frame);
    case PacketType::Pingreq: {
      metrics().add(Metric::PacketsPingreqReceived);
      if (const auto ok = codec::mqtt::decode_empty(frame, decode_options()); !ok) return bad_frame(ok.error());
      commit(codec::mqtt::encode_pingresp(reserve(codec::mqtt::kPingrespSize)), Metric::PacketsPingrespSent);
      return Step::Next;
    }
    case PacketType::Disconnect:
      return on_disconnect(frame);
    case PacketType::Auth:
      return on_auth(frame);
    case PacketType::Connect:
      return protocol_error(ReasonCode::ProtocolError, "protocol_error");
    default:
      return bad_frame(ReasonCode::ProtocolError);  // server-to-client packets
  }
}

Channel::Step Channel::bad_frame(ReasonCode code) {
  const std::string_view reason = code == ReasonCode::PacketTooLarge    ? "packet_too_large"
                                  : code == ReasonCode::MalformedPacket ? "malformed_packet"
                                                                        : "protocol_error";
  SB_LOG(log::Level::Info, "frame_parse_error", kv("peername", client_.peer().to_string()), kv("reason", reason));
  if (state_ == State::Idle) {  // no CONNECT, no version to answer in
    end(ReasonCode::Success, "frame_error", false);
    return Step::Stop;
  }
  if (state_ == State::Connecting) return refuse_connect(code, reason);
  return protocol_error(code, reason);
}

Channel::Step Channel::protocol_error(ReasonCode code, std::string_view reason) {
  end(code, reason, true);
  return Step::Stop;
}

Channel::Step Channel::unsendable() {
  SB_LOG(log::Level::Info, "answer_exceeds_maximum_packet_size", kv("peername", client_.peer().to_string()),
         kv("maximum_packet_size", client_max_packet_));
  return protocol_error(ReasonCode::Success, "packet_too_large");
}

void Channel::commit(std::uint8_t* end_of_packet, Metric metric) {
  client_.traffic.sent_bytes += stream_.commit(end_of_packet);
  ++client_.traffic.sent_packets;
  metrics().add(Metric::PacketsSent);
  metrics().add(metric);
  if (stream_.congested()) [[unlikely]]
    check_output();
  if (traced()) [[unlikely]]
    trace_sent(metric);
}

std::function<void()> Channel::resumer() {
  // The client drops late answers of a channel that is gone.
  return [this] {
    last_activity_ = host_.shard().io.loop.now();  // the wait was ours, not the client's
    stream_.resume();
  };
}

// ---------------------------------------------------------------- the end (broker.md 4.4)

void Channel::disconnect(ReasonCode code, std::string_view reason) {
  end(code, reason, true);
}

void Channel::end(ReasonCode code, std::string_view reason, bool publish_will) {
  if (state_ == State::Closing) return;
  if (version_ == ProtocolVersion::V5 && (state_ == State::Connected || state_ == State::Reauthenticating) &&
      is_error(code)) {
    codec::mqtt::Disconnect packet;
    packet.reason = code;
    commit(codec::mqtt::encode(reserve(codec::mqtt::size_of(packet)), packet), Metric::PacketsDisconnectSent);
  }
  leave_session(reason, publish_will);
  close_soon();
}

void Channel::leave_session(std::string_view reason, bool publish_will, std::optional<std::uint32_t> expiry_s) {
  if (client_.traced()) [[unlikely]]
    client_.trace("SOCKET", "socket_closed", fmt::format("reason: {}", reason));
  publish_will = publish_will && !client_.rules_over();
  if (session_) session_->leave();  // [MQTT-3.14.4-1]: also nothing of what its own end causes
  client_.disconnected(reason);
  if (listener_state_) listener_state_->count_end(reason);
  if (broker::Session* session = std::exchange(session_, nullptr))
    host_.shard().broker.close(*session, broker::CloseRequest{publish_will, expiry_s, reason});
}

void Channel::close_soon() {
  state_ = State::Closing;
  stream_.close_after_flush();
  runtime::Loop& loop = host_.shard().io.loop;
  loop.timers().arm(*this, loop.now(), kCloseGrace);
}

void Channel::on_stream_end(const net::StreamError& error) {
  if (state_ != State::Closing) {
    if (state_ == State::Idle && !error.detail.empty() && !stream_.established())
      SB_LOG(log::Level::Info, "handshake_failed", kv("peername", client_.peer().to_string()),
             kv("listener", client_.listener().id), kv("reason", error.detail));
    state_ = State::Closing;
    leave_session(error.reason.empty() ? std::string_view("tcp_closed") : error.reason, true);
  }
  destroy();
}

void Channel::destroy() {
  if (std::exchange(destroyed_, true)) return;
  runtime::TimerWheel::cancel(*this);
  host_.remove(*this);
  host_.shard().io.loop.destroy_later(std::unique_ptr<runtime::Disposable>(this));
}

void Channel::on_session_lost(broker::EndReason reason) {
  session_ = nullptr;
  ReasonCode code = ReasonCode::AdministrativeAction;
  std::string_view text = "kicked";
  switch (reason) {
    case broker::EndReason::TakenOver:
      code = ReasonCode::SessionTakenOver, text = "takenover";
      break;
    case broker::EndReason::Discarded:
      code = ReasonCode::SessionTakenOver, text = "discarded";
      break;
    case broker::EndReason::Kicked:
      break;
    case broker::EndReason::ServerShutdown:
      code = ReasonCode::ServerShuttingDown, text = "server_shutting_down";
      break;
    case broker::EndReason::HeapTooLarge:  // force_shutdown.max_heap_size, broker.md 4.4
      code = ReasonCode::QuotaExceeded, text = "proc_heap_too_large";
      break;
    case broker::EndReason::Banned:
      code = ReasonCode::AdministrativeAction, text = "kicked";
      break;
  }
  end(code, text, false);
}

// ---------------------------------------------------------------- time

void Channel::set_keep_alive(std::uint32_t seconds) {
  last_activity_ = host_.shard().io.loop.now();
  const double limit_ms = std::min(65'535'000.0, seconds * client_.zone().keepalive_multiplier * 1000.0);
  keep_alive_ = seconds == 0 ? Nanos{0} : Nanos{Millis{static_cast<std::int64_t>(limit_ms + 0.5)}};
  arm_keep_alive();
}

void Channel::on_idle() {
  runtime::Loop& loop = host_.shard().io.loop;
  // Suspended for an answer: the gate's own limit applies, not the client's.
  if (stream_.paused()) {
    if (client_.zone().idle_timeout.count() > 0) loop.timers().arm(*this, loop.now(), client_.zone().idle_timeout);
    return;
  }
  const bool established = stream_.established();
  const Nanos handshake = client_.listener().handshake_timeout;
  const Nanos idle = client_.zone().idle_timeout;
  // Of a connection in handshake, last_activity_ is when it began.
  const Nanos elapsed = loop.now() - last_activity_;
  if (!established && (handshake.count() == 0 || elapsed < handshake)) {
    loop.timers().arm(*this, loop.now(), handshake.count() == 0 ? idle : handshake - elapsed);
    return;
  }
  if (established && state_ == State::Idle && (idle.count() == 0 || elapsed < idle)) {
    if (idle.count() > 0) loop.timers().arm(*this, loop.now(), idle - elapsed);
    return;
  }
  SB_LOG(log::Level::Info, "connection_idle", kv("peername", client_.peer().to_string()));
  end(ReasonCode::Success, established ? "idle_timeout" : "handshake_timeout", false);
}

void Channel::arm_keep_alive() {
  const Nanos web = client_.listener().websocket_idle_timeout;
  silence_limit_ = keep_alive_ == Nanos{0} || (web.count() > 0 && web < keep_alive_) ? web : keep_alive_;
  if (silence_limit_ == Nanos{0}) {
    runtime::TimerWheel::cancel(*this);
    return;
  }
  runtime::Loop& loop = host_.shard().io.loop;
  loop.timers().arm(*this, loop.now(), std::max(Nanos{0}, last_activity_ + silence_limit_ - loop.now()));
}

void Channel::on_timer() {
  const Nanos now = host_.shard().io.loop.now();
  switch (state_) {
    case State::Closing:
      stream_.close_now();
      destroy();
      return;
    case State::Idle:
    case State::Connecting:
      if (overload_since_.count() != 0 && !overload_over_)
        stream_.resume();  // CONNECT is looked at again
      else
        on_idle();
      return;
    default:
      break;
  }
  if (overflowed_) {
    SB_LOG(log::Level::Warning, "connection_shutdown_for_output", kv("clientid", client_.identity()->client_id),
           kv("bytes", stream_.pending()));
    host_.shard().broker.kick(client_.identity()->client_id, broker::EndReason::HeapTooLarge);
    return;
  }
  if (stream_.paused()) last_activity_ = now;  // we do not read: the silence is ours
  if (now - last_activity_ >= silence_limit_) {
    if (silence_limit_ == keep_alive_) {
      end(ReasonCode::KeepAliveTimeout, "keepalive_timeout", true);
      return;
    }
    if (!stream_.take_activity()) {  // not even a ping of the WebSocket (config.md 6.6)
      end(ReasonCode::KeepAliveTimeout, "idle_timeout", true);
      return;
    }
    last_activity_ = now;
  }
  arm_keep_alive();
}

void Channel::on_drained() {
  if (session_) session_->pump();
}

bool Channel::writable() const {
  return !stream_.congested() || stream_.pending() <= client_.listener().high_watermark;
}

void Channel::on_blocked() {
  host_.note_congestion(*this);
  check_output();
}

void Channel::check_output() {
  const std::size_t limit = client_.zone().force_shutdown_bytes;
  if (limit == 0 || stream_.pending() <= limit || state_ != State::Connected || overflowed_) return;
  // Nothing may end from within a write; the timer is free for this, since the connection is over anyway.
  overflowed_ = true;
  host_.shard().io.loop.timers().arm(*this, host_.shard().io.loop.now(), Nanos{0});
}

}  // namespace sb::mqtt
