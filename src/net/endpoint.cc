#include "net/endpoint.h"

#include <arpa/inet.h>

#include <charconv>

namespace sb::net {

namespace {
/// False: one of IPv4 in the form of IPv6, which rules and bans know by one name.
bool put_v6(std::array<std::uint8_t, 16>& bytes, const in6_addr& address) {
  const bool v6 = !IN6_IS_ADDR_V4MAPPED(&address);
  if (v6)
    std::memcpy(bytes.data(), &address, 16);
  else
    std::memcpy(bytes.data() + 12, address.s6_addr + 12, 4);
  return v6;
}
}  // namespace

Endpoint Endpoint::from(const sockaddr_storage& address) {
  Endpoint out;
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    std::memcpy(out.bytes_.data() + 12, &v4.sin_addr, 4);
    out.port_ = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    out.port_ = ntohs(v6.sin6_port);
    out.v6_ = put_v6(out.bytes_, v6.sin6_addr);
  }
  return out;
}

Result<Endpoint> Endpoint::parse_address(std::string_view text, std::uint16_t port) {
  const std::string host(text);
  Endpoint out;
  out.port_ = port;
  if (inet_pton(AF_INET, host.c_str(), out.bytes_.data() + 12) == 1) return out;
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    out.v6_ = put_v6(out.bytes_, v6);
    return out;
  }
  return fail(Errc::Invalid, fmt::format("'{}' is not an IPv4 or IPv6 address", text));
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view port_text = colon == std::string_view::npos ? text : text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc{} || end != port_text.data() + port_text.size())
    return fail(Errc::Invalid, fmt::format("'{}' has no port between 0 and 65535", text));
  std::string_view host = colon == std::string_view::npos ? std::string_view{} : text.substr(0, colon);
  if (host.empty()) return parse_address("0.0.0.0", port);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return parse_address(host, port);
}

bool Endpoint::is_loopback() const {
  if (!v6_) return bytes_[12] == 127;
  static constexpr std::array<std::uint8_t, 16> kOne{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return bytes_ == kOne;
}

std::string Endpoint::host() const {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(v6_ ? AF_INET6 : AF_INET, v6_ ? bytes_.data() : bytes_.data() + 12, text, sizeof text);
  return text;
}

std::string Endpoint::to_string() const {
  return v6_ ? fmt::format("[{}]:{}", host(), port_) : fmt::format("{}:{}", host(), port_);
}

socklen_t Endpoint::to_sockaddr(sockaddr_storage& out) const {
  std::memset(&out, 0, sizeof out);
  if (v6_) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port_);
    std::memcpy(&v6.sin6_addr, bytes_.data(), 16);
    return sizeof v6;
  }
  auto& v4 = reinterpret_cast<sockaddr_in&>(out);
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port_);
  std::memcpy(&v4.sin_addr, bytes_.data() + 12, 4);
  return sizeof v4;
}

}  // namespace sb::net
