#include "net/preamble.h"

#include "codec/proxy/proxy.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sb::net {

Preamble::~Preamble() {
  if (fd_ < 0) return;
  loop_.remove(fd_, *this);
  ::close(fd_);
}

Result<> Preamble::start(Nanos timeout) {
  SB_CHECKED(loop_.add(fd_, *this));
  loop_.timers().arm(*this, loop_.now(), timeout);
  return {};
}

void Preamble::on_io(std::uint32_t events) {
  if (fd_ >= 0) look((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
}

void Preamble::on_timer() {
  fail_with("proxy_protocol_timeout", "no PROXY header came in time");
}

void Preamble::look(bool hung_up) {
  std::uint8_t seen[codec::proxy::kMaxV2];
  ssize_t n = 0;
  do {
    n = recv(fd_, seen, sizeof seen, MSG_PEEK);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (n < 0) return fail_with("sock_error", std::strerror(errno));
  if (n == 0) return fail_with("tcp_closed", "the peer closed the connection before the PROXY header");
  const auto header = codec::proxy::parse({seen, static_cast<std::size_t>(n)});
  if (!header) return fail_with("proxy_protocol_error", header.error().what);
  if (!*header) {
    if (hung_up) fail_with("tcp_closed", "the peer closed the connection within the PROXY header");
    return;
  }
  const codec::proxy::Header& found = **header;
  Outcome outcome;
  outcome.peer = peer_;
  if (found.proxied) {
    outcome.proxied = true;
    sockaddr_storage address{};
    if (found.source.family == codec::proxy::Address::Family::Ipv4) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(address);
      v4.sin_family = AF_INET;
      v4.sin_port = htons(found.source.port);
      std::memcpy(&v4.sin_addr, found.source.bytes.data(), 4);
    } else {
      auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(found.source.port);
      std::memcpy(&v6.sin6_addr, found.source.bytes.data(), 16);
    }
    outcome.peer = Endpoint::from(address);
    if (!found.common_name.empty() && found.certificate_verified) {
      outcome.certificate.emplace();
      outcome.certificate->common_name = found.common_name;
    }
  }
  // Peeked bytes are taken in one piece: they are all here.
  if (recv(fd_, seen, found.size, 0) != static_cast<ssize_t>(found.size))
    return fail_with("sock_error", "the PROXY header cannot be taken off the socket");
  outcome.fd = std::exchange(fd_, -1);
  loop_.remove(outcome.fd, *this);
  finish(std::move(outcome));
}

void Preamble::fail_with(std::string_view reason, std::string detail) {
  Outcome outcome;
  outcome.peer = peer_;
  outcome.error = {reason, std::move(detail)};
  loop_.remove(fd_, *this);
  ::close(std::exchange(fd_, -1));
  finish(std::move(outcome));
}

void Preamble::finish(Outcome outcome) {
  runtime::TimerWheel::cancel(*this);
  const Done done = std::move(done_);  // `done` may destroy what it captured
  done(*this, std::move(outcome));
}

}  // namespace sb::net
