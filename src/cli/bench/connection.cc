#include "cli/bench/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>

namespace sb::cli::bench {

namespace {
constexpr std::uint32_t kPacketMax = 268'435'455;
constexpr std::size_t kReadBytes = 64 << 10;
}  // namespace

Connection::Connection(const Options& options, Counters& counters, std::uint32_t number)
    : options_(options),
      counters_(counters),
      number_(number),
      client_id_(options.prefix + std::to_string(number)),
      topic_(expand_topic(options, number, client_id_)) {}

Connection::~Connection() {
  if (tls_) SSL_free(tls_);
  if (fd_ >= 0) ::close(fd_);
}

Result<> Connection::open(const sockaddr_storage& address, socklen_t size, SSL_CTX* tls) {
  ++counters_.connects;
  fd_ = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return fail(Errc::Io, std::strerror(errno));
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), size) != 0 && errno != EINPROGRESS)
    return fail(Errc::Unavailable, std::strerror(errno));
  if (tls) {
    tls_ = SSL_new(tls);
    if (!tls_ || SSL_set_fd(tls_, fd_) != 1) return fail(Errc::Io, "TLS cannot be set up");
    SSL_set_connect_state(tls_);
    SSL_set_tlsext_host_name(tls_, options_.host.c_str());
    if (options_.tls_verify) SSL_set1_host(tls_, options_.host.c_str());
  }
  return {};
}

void Connection::close(std::string why) {
  if (state_ == State::Closed) return;
  if (state_ == State::Ready) {
    --counters_.connected;
    ++counters_.lost;
  } else {
    ++counters_.refused;
  }
  state_ = State::Closed;
  trouble_ = std::move(why);
  ::shutdown(fd_, SHUT_RDWR);
}

void Connection::on_io() {
  if (state_ == State::Connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return close(std::strerror(error));
    tcp_info info{};
    size = sizeof info;
    if (getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state != TCP_ESTABLISHED) return;
    state_ = tls_ ? State::Handshaking : State::Waiting;
    if (state_ == State::Waiting) say_connect();
  }
  if (state_ == State::Handshaking && !handshake()) return;
  if (state_ != State::Closed) read();
  if (state_ != State::Closed) write();
}

bool Connection::handshake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(tls_);
  if (done == 1) {
    state_ = State::Waiting;
    say_connect();
    return true;
  }
  const int why = SSL_get_error(tls_, done);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
  char text[256] = "TLS handshake failed";
  if (const auto code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  close(text);
  return false;
}

void Connection::say_connect() {
  codec::mqtt::ConnectView connect;
  connect.version = options_.version;
  connect.clean_start = options_.clean;
  connect.keep_alive_s = options_.keep_alive_s;
  connect.client_id = client_id_;
  if (!options_.username.empty()) connect.username = options_.username;
  if (!options_.password.empty()) connect.password = as_bytes(options_.password);
  if (options_.version == ProtocolVersion::V5 && options_.session_expiry_s != 0)
    connect.session_expiry_s = options_.session_expiry_s;
  codec::mqtt::append_connect(out_, connect);
  write();
}

void Connection::write() {
  while (written_ < out_.size()) {
    ssize_t n = 0;
    if (tls_) {
      ERR_clear_error();
      std::size_t done = 0;
      const int ok = SSL_write_ex(tls_, out_.data() + written_, out_.size() - written_, &done);
      if (ok != 1) {
        const int why = SSL_get_error(tls_, ok);
        if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return;
        return close("TLS write failed");
      }
      n = static_cast<ssize_t>(done);
    } else {
      n = send(fd_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) return close(std::strerror(errno));
    written_ += static_cast<std::size_t>(n);
  }
  out_.clear();
  written_ = 0;
}

void Connection::read() {
  while (state_ != State::Closed) {
    std::uint8_t bytes[kReadBytes];
    ssize_t n = 0;
    if (tls_) {
      ERR_clear_error();
      std::size_t done = 0;
      const int ok = SSL_read_ex(tls_, bytes, sizeof bytes, &done);
      if (ok != 1) {
        const int why = SSL_get_error(tls_, ok);
        if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return;
        return close("closed by the broker");
      }
      n = static_cast<ssize_t>(done);
    } else {
      n = recv(fd_, bytes, sizeof bytes, 0);
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return close(n == 0 ? "closed by the broker" : std::strerror(errno));
    in_.insert(in_.end(), bytes, bytes + n);
    std::size_t used = 0;
    while (state_ != State::Closed) {
      const auto frame = codec::mqtt::next_frame(ByteView(in_).subspan(used), kPacketMax);
      if (!frame) return close("the broker sent what is not MQTT");
      if (frame->size == 0) break;
      handle(*frame);
      used += frame->size;
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(used));
  }
}

void Connection::on_connack(const codec::mqtt::Frame& frame) {
  const auto connack = codec::mqtt::decode_connack(frame, options_.version);
  if (!connack) return close("bad CONNACK");
  if (connack->reason != ReasonCode::Success) return close(fmt::format("refused: {}", to_string(connack->reason)));
  state_ = State::Ready;
  ++counters_.connected;
  if (options_.mode != Mode::Subscribe) return;
  SubscribeOptions how;
  how.qos = options_.qos;
  const codec::mqtt::SubscribeEntry entry{topic_, how};
  codec::mqtt::append_subscribe(out_, next_id_++, 0, {&entry, 1}, options_.version);
}

void Connection::handle(const codec::mqtt::Frame& frame) {
  using codec::mqtt::PacketType;
  const codec::mqtt::DecodeOptions how{options_.version, false, nullptr};
  if (state_ == State::Waiting) {
    if (frame.type() != PacketType::Connack) return close("the broker did not send CONNACK");
    return on_connack(frame);
  }
  switch (frame.type()) {
    case PacketType::Publish: {
      codec::mqtt::PropertyScratch scratch;
      const auto publish = codec::mqtt::decode_publish(frame, {options_.version, false, &scratch});
      if (!publish) return close("bad PUBLISH");
      ++counters_.received;
      if (publish->qos != Qos::AtMostOnce)
        codec::mqtt::append_ack(out_, publish->qos == Qos::AtLeastOnce ? PacketType::Puback : PacketType::Pubrec,
                                publish->packet_id, ReasonCode::Success, options_.version);
      return;
    }
    case PacketType::Suback: {
      const auto suback = codec::mqtt::decode_suback(frame, options_.version);
      if (!suback || suback->codes.empty() || suback->codes[0] >= 0x80) return close("subscription refused");
      ++counters_.subscribed;
      return;
    }
    case PacketType::Puback:
    case PacketType::Pubrec:
    case PacketType::Pubrel:
    case PacketType::Pubcomp: {
      const auto ack = codec::mqtt::decode_ack(frame, how);
      if (!ack) return close("bad acknowledgement");
      if (frame.type() == PacketType::Pubrel)
        return codec::mqtt::append_ack(out_, PacketType::Pubcomp, ack->packet_id, ReasonCode::Success,
                                       options_.version);
      if (frame.type() == PacketType::Pubrec && !is_error(ack->reason))
        return codec::mqtt::append_ack(out_, PacketType::Pubrel, ack->packet_id, ReasonCode::Success, options_.version);
      if (inflight_ > 0) --inflight_;
      ++(is_error(ack->reason) ? counters_.publish_failed : counters_.acknowledged);
      return;
    }
    case PacketType::Disconnect: {
      const auto goodbye = codec::mqtt::decode_server_disconnect(frame);
      return close(goodbye ? fmt::format("disconnected: {}", to_string(goodbye->reason)) : "disconnected");
    }
    default:
      return;
  }
}

bool Connection::publish(ByteView payload) {
  if (state_ != State::Ready || inflight_ >= kInflightMax || out_.size() - written_ > kUnwrittenMax) return false;
  codec::mqtt::PublishHead head;
  head.topic = topic_;
  head.payload_size = payload.size();
  head.qos = options_.qos;
  head.retain = options_.retain;
  if (options_.qos != Qos::AtMostOnce) {
    head.packet_id = next_id_;
    next_id_ = next_id_ == 65535 ? PacketId{1} : static_cast<PacketId>(next_id_ + 1);
    ++inflight_;
  }
  codec::mqtt::append_publish(out_, head, payload, options_.version);
  ++counters_.published;
  write();
  return true;
}

void Connection::ping() {
  if (state_ != State::Ready) return;
  codec::mqtt::append_pingreq(out_);
  write();
}

void Connection::finish() {
  if (state_ != State::Ready) return;
  codec::mqtt::append_disconnect(out_, {}, options_.version);
  write();
}

}  // namespace sb::cli::bench
