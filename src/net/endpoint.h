// An address and port, IPv4 or IPv6. A plain value of 20 bytes.
#pragma once

#include "base/result.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sb::net {

class Endpoint {
 public:
  Endpoint() = default;
  static Endpoint from(const sockaddr_storage& address);
  /// `1883`, `:1883`, `0.0.0.0:1883`, `[::1]:1883`, `::1:1883`, `:::1883`: the forms of listener `bind`.
  [[nodiscard]] static Result<Endpoint> parse(std::string_view text);
  /// Address without port; IPv4-mapped IPv6 counts as IPv4.
  [[nodiscard]] static Result<Endpoint> parse_address(std::string_view text, std::uint16_t port);

  bool is_v6() const { return v6_; }
  std::uint16_t port() const { return port_; }
  void set_port(std::uint16_t port) { port_ = port; }
  /// Network order, 16 bytes; IPv4 in the last four.
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  bool is_loopback() const;

  std::string host() const;       // "10.0.0.1", "::1"
  std::string to_string() const;  // "10.0.0.1:1883", "[::1]:1883"
  socklen_t to_sockaddr(sockaddr_storage& out) const;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  std::uint16_t port_ = 0;
  bool v6_ = false;
};

}  // namespace sb::net
