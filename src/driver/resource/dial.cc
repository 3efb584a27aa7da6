#include "driver/resource/dial.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <memory>
#include <system_error>
#include <utility>

namespace sb::driver::resource {

namespace {
struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> addresses_of(const Server& server) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &list);
  if (failed != 0) return fail(Errc::Unavailable, fmt::format("{}: {}", server.host, ::gai_strerror(failed)));
  return Addresses(list);
}

std::string reason(int error) {
  return std::system_category().message(error);
}

Result<Socket> connect_to(const addrinfo& address, const Limit& limit) {
  Socket made(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (made.fd() < 0) return fail(Errc::Io, reason(errno));
  const int on = 1;
  ::setsockopt(made.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(made.fd(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  if (::connect(made.fd(), address.ai_addr, address.ai_addrlen) == 0) return made;
  if (errno != EINPROGRESS) return fail(Errc::Unavailable, reason(errno));
  SB_CHECKED(limit.wait(made.fd(), POLLOUT));
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(made.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(Errc::Unavailable, reason(error));
  return made;
}
}  // namespace

std::string to_string(const Server& server) {
  return server.host.find(':') == std::string::npos ? fmt::format("{}:{}", server.host, server.port)
                                                    : fmt::format("[{}]:{}", server.host, server.port);
}

Result<Server> parse_server(std::string_view text, std::uint16_t default_port) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  Server out{std::string(text), default_port};
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return fail(Errc::Invalid, "'[' without ']'");
    out.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return fail(Errc::Invalid, "no ':' behind ']'");
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    if (text.find(':', colon + 1) != std::string_view::npos)
      return fail(Errc::Invalid, "an IPv6 address stands in brackets");
    out.host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc{} || end != port.data() + port.size() || out.port == 0)
      return fail(Errc::Invalid, "a port is a number from 1 to 65535");
  }
  if (out.host.empty()) return fail(Errc::Invalid, "no host");
  if (out.host.find_first_of(" /@\t\r\n'\\=") != std::string::npos)
    return fail(Errc::Invalid, fmt::format("'{}' is no host", out.host));
  return out;
}

Result<std::vector<Server>> parse_servers(std::string_view text, std::uint16_t default_port) {
  std::vector<Server> out;
  for (;;) {
    const auto comma = text.find(',');
    SB_TRY(auto one, parse_server(text.substr(0, comma), default_port));
    out.push_back(std::move(one));
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

bool is_address(const std::string& host) {
  unsigned char room[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), room) == 1 || ::inet_pton(AF_INET6, host.c_str(), room) == 1;
}

Result<std::vector<std::string>> resolve(const Server& server) {
  SB_TRY(const Addresses list, addresses_of(server));
  std::vector<std::string> out;
  for (const addrinfo* one = list.get(); one; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
      out.emplace_back(text);
  }
  if (out.empty()) return fail(Errc::Unavailable, server.host + ": no address");
  return out;
}

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}
Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Result<Socket> dial(const Server& server, const Limit& limit) {
  SB_TRY(const Addresses list, addresses_of(server));
  Error last{Errc::Unavailable, "no address"};
  for (const addrinfo* one = list.get(); one; one = one->ai_next) {
    auto made = connect_to(*one, limit);
    if (made) return made;
    last = std::move(made.error());
    if (!limit.check()) break;
  }
  return fail(last.code, fmt::format("{}: {}", to_string(server), last.what));
}

bool idle_and_open(int fd) {
  pollfd one{fd, POLLIN | POLLRDHUP, 0};
  return fd >= 0 && ::poll(&one, 1, 0) == 0;
}

bool is_open(int fd) {
  pollfd one{fd, POLLRDHUP, 0};
  return fd >= 0 && ::poll(&one, 1, 0) == 0;
}

}  // namespace sb::driver::resource
