// From a name to a connected socket within a limit. Name look-up blocks as long as the resolver does: call on a thread
// of the resource only.
#pragma once

#include "driver/resource/limit.h"

#include <string>
#include <string_view>
#include <vector>

namespace sb::driver::resource {

struct Server {
  std::string host;  // name or address, IPv6 without brackets
  std::uint16_t port = 0;
  friend bool operator==(const Server&, const Server&) = default;
};
std::string to_string(const Server& server);
/// "host", "host:port", "[::1]:port". Invalid.
[[nodiscard]] Result<Server> parse_server(std::string_view text, std::uint16_t default_port);
/// Several, separated by commas; at least one.
[[nodiscard]] Result<std::vector<Server>> parse_servers(std::string_view text, std::uint16_t default_port);

/// Whether it is an IPv4 or IPv6 address, not a name.
bool is_address(const std::string& host);
/// Addresses of the host as text. Unavailable.
[[nodiscard]] Result<std::vector<std::string>> resolve(const Server& server);

/// Owns a descriptor.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket();
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

/// Non-blocking, TCP_NODELAY, with keep-alive. Tries the addresses one after another.
[[nodiscard]] Result<Socket> dial(const Server& server, const Limit& limit);

/// False: the peer has closed, or says something that nobody asked for.
bool idle_and_open(int fd);
/// False: the peer has closed. Where bytes may be on their way without a question, as in TLS 1.3.
bool is_open(int fd);

}  // namespace sb::driver::resource
