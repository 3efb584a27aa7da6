#include "tests/crash/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sb::crash {

using codec::mqtt::PacketType;

Reactor::Reactor() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
Reactor::~Reactor() {
  ::close(epoll_);
}

void Reactor::turn(int timeout_ms) {
  const auto flush_all = [this] {
    for (std::size_t i = 0; i < dirty_.size(); ++i)
      if (dirty_[i]) dirty_[i]->flush();
    dirty_.clear();
  };
  flush_all();
  epoll_event events[64];
  const int ready = ::epoll_wait(epoll_, events, 64, timeout_ms);
  for (int i = 0; i < ready; ++i) static_cast<Peer*>(events[i].data.ptr)->on_ready();
  flush_all();
}

std::vector<std::string>& Peer::faults() {
  static std::vector<std::string> all;
  return all;
}

bool Peer::connect(std::uint16_t port) {
  const int old = fd_;  // stays open until the broker has taken the session over
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (old >= 0) ::epoll_ctl(reactor_.epoll_, EPOLL_CTL_DEL, old, nullptr);
  online_ = false;
  in_.clear();
  out_.clear();
  const int failed = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  if (failed != 0) {
    ::close(fd_);
    fd_ = -1;
    if (old >= 0) ::close(old);
    return false;
  }
  const int one = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.ptr = this;
  ::epoll_ctl(reactor_.epoll_, EPOLL_CTL_ADD, fd_, &event);
  codec::mqtt::ConnectView packet;
  packet.version = options_.version;
  packet.client_id = options_.id;
  packet.keep_alive_s = 60;
  packet.clean_start = options_.expiry_s == 0;
  if (options_.version == ProtocolVersion::V5) packet.session_expiry_s = options_.expiry_s;
  packet.will = options_.will;
  codec::mqtt::append_connect(out_, packet);
  flush();
  if (old >= 0) ::close(old);
  return fd_ >= 0;
}

void Peer::lose() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  online_ = false;
  in_.clear();
  out_.clear();
  if (dirty_) std::replace(reactor_.dirty_.begin(), reactor_.dirty_.end(), this, static_cast<Peer*>(nullptr));
  dirty_ = false;
}

void Peer::disconnect(std::optional<std::uint32_t> expiry_s) {
  codec::mqtt::append_disconnect(out_, {ReasonCode::Success, expiry_s}, options_.version);
  flush();
  if (expiry_s && *expiry_s == 0) {
    session_expected_ = false;
    received_.reset();
  }
  lose();
}

void Peer::mark_dirty() {
  if (dirty_) return;
  dirty_ = true;
  reactor_.dirty_.push_back(this);
}

void Peer::subscribe(PacketId id, std::string_view filter, Qos qos) {
  SubscribeOptions options;
  options.qos = qos;
  const codec::mqtt::SubscribeEntry entry{filter, options};
  codec::mqtt::append_subscribe(out_, id, 0, {&entry, 1}, options_.version);
  mark_dirty();
}

void Peer::unsubscribe(PacketId id, std::string_view filter) {
  codec::mqtt::append_unsubscribe(out_, id, {&filter, 1}, options_.version);
  mark_dirty();
}

void Peer::publish(const codec::mqtt::PublishHead& head, ByteView payload) {
  codec::mqtt::append_publish(out_, head, payload, options_.version);
  mark_dirty();
}

void Peer::acknowledge(PacketType type, PacketId id) {
  codec::mqtt::append_ack(out_, type, id, ReasonCode::Success, options_.version);
  mark_dirty();
}

void Peer::flush() {
  dirty_ = false;
  if (fd_ < 0) return;
  std::size_t sent = 0;
  while (sent < out_.size()) {
    const ssize_t n = ::send(fd_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;  // EPOLLOUT comes
    if (n < 0) {
      lose();
      return;
    }
    sent += static_cast<std::size_t>(n);
  }
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(sent));
}

void Peer::on_ready() {
  read();
  flush();
}

void Peer::read() {
  std::uint8_t buffer[65536];
  bool ended = false;
  while (fd_ >= 0 && !ended) {
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    ended = n <= 0;
    if (!ended) in_.insert(in_.end(), buffer, buffer + n);
    std::size_t used = 0;
    while (fd_ >= 0 && used < in_.size()) {
      const auto frame = codec::mqtt::next_frame(ByteView(in_).subspan(used), 1U << 28);
      if (!frame) {
        fault("bad bytes from the broker");
        ended = true;
        break;
      }
      if (frame->size == 0) break;
      used += frame->size;
      handle(*frame);
    }
    if (fd_ >= 0) in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(used));
  }
  if (ended) lose();
}

void Peer::handle(const codec::mqtt::Frame& frame) {
  if (!online_ && frame.type() != PacketType::Connack && frame.type() != PacketType::Disconnect)
    fault("a packet before CONNACK: " + std::to_string(int(frame.type())));
  switch (frame.type()) {
    case PacketType::Connack: {
      const auto packet = codec::mqtt::decode_connack(frame, options_.version);
      if (!packet || packet->reason != ReasonCode::Success)
        return fault("refused: " + std::to_string(packet ? int(packet->reason) : -1));
      if (session_expected_ && !packet->session_present) fault("its session is gone");
      if (!packet->session_present) received_.reset();
      session_expected_ = options_.expiry_s > 0;
      online_ = true;
      on_connack(packet->session_present);
      return;
    }
    case PacketType::Publish:
      return handle_publish(frame);
    case PacketType::Puback:
    case PacketType::Pubrec:
    case PacketType::Pubrel:
    case PacketType::Pubcomp: {
      const auto packet = codec::mqtt::decode_ack(frame, {options_.version, true, nullptr});
      if (!packet) return fault("bad acknowledgement");
      if (frame.type() == PacketType::Pubrel) {
        received_.reset(packet->packet_id);
        acknowledge(PacketType::Pubcomp, packet->packet_id);
        return;
      }
      on_ack(frame.type(), packet->packet_id, packet->reason);
      return;
    }
    case PacketType::Suback:
    case PacketType::Unsuback: {
      const auto packet = codec::mqtt::decode_suback(frame, options_.version);
      if (!packet) return fault("bad SUBACK");
      if (frame.type() == PacketType::Unsuback) return on_unsuback(packet->packet_id);
      on_suback(packet->packet_id,
                packet->codes.empty() ? ReasonCode::UnspecifiedError : static_cast<ReasonCode>(packet->codes[0]));
      return;
    }
    case PacketType::Disconnect:
      return;  // shutdown or takeover: the end follows
    default:
      return fault("unexpected packet type " + std::to_string(int(frame.type())));
  }
}

void Peer::handle_publish(const codec::mqtt::Frame& frame) {
  std::vector<std::uint8_t> scratch;
  const auto packet = codec::mqtt::decode_publish(frame, {options_.version, true, &scratch});
  if (!packet) return fault("bad PUBLISH");
  if (packet->qos == Qos::AtLeastOnce) acknowledge(PacketType::Puback, packet->packet_id);
  if (packet->qos == Qos::ExactlyOnce) {
    acknowledge(PacketType::Pubrec, packet->packet_id);
    if (received_.test(packet->packet_id)) return;  // [MQTT-4.3.3-10]
    received_.set(packet->packet_id);
  }
  on_message(*packet);
}

}  // namespace sb::crash
