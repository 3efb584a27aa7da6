// PROXY protocol, versions 1 and 2 (haproxy, proxy-protocol.txt): the header that a load balancer puts before the bytes
// of its client. No sockets, no allocation; views point into the input.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sb::codec::proxy {

/// Version 1: one line, 2.1. Version 2: 16 bytes and what they announce, 2.2; ours is the bound for its addresses and
/// TLVs.
constexpr std::size_t kMaxV1 = 107;
constexpr std::size_t kMaxV2 = 16 + 4096;

struct Address {
  enum class Family : std::uint8_t { None, Ipv4, Ipv6 } family = Family::None;
  std::array<std::uint8_t, 16> bytes{};  // network order; the first 4 for IPv4
  std::uint16_t port = 0;
  friend bool operator==(const Address&, const Address&) = default;
};

struct Header {
  std::size_t size = 0;  // bytes it took
  int version = 1;
  /// False: LOCAL or UNKNOWN, a health check of the balancer or a family we do not know: keep the socket's addresses.
  bool proxied = false;
  Address source{};
  Address destination{};
  std::string_view authority{};    // PP2_TYPE_AUTHORITY, the SNI name
  std::string_view common_name{};  // PP2_SUBTYPE_SSL_CN of the client's certificate
  bool tls = false;                // the client came over TLS (PP2_CLIENT_SSL)
  /// The client showed a certificate in this connection or session, and it verified.
  bool certificate_verified = false;
};

/// No value: more bytes are needed (never more than kMaxV2 in all). Errc::Invalid: not a PROXY header, or a bad one;
/// the connection must be closed. A listener that expects the header must not do without it.
[[nodiscard]] Result<std::optional<Header>> parse(ByteView in);

}  // namespace sb::codec::proxy
