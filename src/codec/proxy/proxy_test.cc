#include "codec/proxy/proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sb::codec::proxy {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::string to_text(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.family == Address::Family::Ipv6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
  return std::string(text) + ":" + std::to_string(address.port);
}

std::string outcome(std::string_view text) {
  const auto parsed = parse(as_bytes(text));
  if (!parsed) return parsed.error().code == Errc::Invalid ? "bad" : "other error";
  if (!*parsed) return "more";
  const Header& header = **parsed;
  return header.proxied ? to_text(header.source) + " " + to_text(header.destination) : "local";
}

Bytes v2(std::uint8_t command, std::uint8_t family, const Bytes& body) {
  Bytes out{0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 'Q', 'U', 'I', 'T', 0x0A, command, family};
  out.push_back(static_cast<std::uint8_t>(body.size() >> 8));
  out.push_back(static_cast<std::uint8_t>(body.size()));
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

const Bytes kAddresses4{10, 0, 0, 1, 10, 0, 0, 2, 0x30, 0x39, 0x07, 0x5B};

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(ProxyV1, ReadsAddressesAndLeavesTheRest) {
  const std::string line = "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n";
  EXPECT_EQ(outcome(line + "\x10\x0c"), "192.168.0.1:56324 192.168.0.11:443");
  EXPECT_EQ((*parse(as_bytes(line + "\x10")))->size, line.size());
  EXPECT_EQ(outcome("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"), "2001:db8::1:1 ::1:65535");
  EXPECT_EQ(outcome("PROXY UNKNOWN\r\n"), "local");
  EXPECT_EQ(outcome("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"), "local");
}

TEST(ProxyV1, WaitsForItsEnd) {
  const std::string line = "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n";
  for (std::size_t n = 0; n < line.size(); ++n) EXPECT_EQ(outcome(line.substr(0, n)), "more") << n;
}

TEST(ProxyV1, RefusesBadLines) {
  for (const char* line :
       {"PROXY TCP4 1.2.3.4 1.2.3.4 1 70000\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n", "PROXY TCP4 ::1 ::1 1 1\r\n",
        "PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n", "PROXY TCP5 a\r\n", "PROXY \r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 -1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 1x\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4  1\r\n",
        "proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n", "GET / HTTP/1.1\r\n", "PROXYX"})
    EXPECT_EQ(outcome(line), "bad") << line;
  EXPECT_EQ(outcome("PROXY UNKNOWN " + std::string(kMaxV1, 'x')), "bad");
  EXPECT_EQ(outcome("\x10\x0c"), "bad");
}

TEST(ProxyV2, ReadsAddresses) {
  const Bytes packet = v2(0x21, 0x11, kAddresses4);
  EXPECT_EQ(outcome(as_text(packet)), "10.0.0.1:12345 10.0.0.2:1883");
  Bytes addresses6(36, 0);
  addresses6[15] = 1;
  addresses6[31] = 2;
  addresses6[33] = 7;
  addresses6[35] = 8;
  EXPECT_EQ(outcome(as_text(v2(0x21, 0x21, addresses6))), "::1:7 ::2:8");
}

TEST(ProxyV2, ReadsTheCertificateAndTheServerName) {
  const Bytes ssl{0x20, 0, 13, 0x03, 0, 0, 0, 0, 0x22, 0, 5, 'd', 'e', 'v', '-', '1'};
  const Bytes packet = v2(0x21, 0x11, kAddresses4 + Bytes{0x02, 0, 3, 's', 'n', 'i', 0x04, 0, 1, 0} + ssl);
  const auto header = parse(packet);
  ASSERT_TRUE(header.has_value() && header->has_value());
  EXPECT_EQ((*header)->size, packet.size());
  EXPECT_EQ((*header)->authority, "sni");
  EXPECT_EQ((*header)->common_name, "dev-1");
  EXPECT_TRUE((*header)->tls);
  EXPECT_TRUE((*header)->certificate_verified);

  Bytes unverified = packet;
  unverified[unverified.size() - 9] = 1;  // the last byte of verify
  EXPECT_FALSE((*parse(unverified))->certificate_verified);
}

TEST(ProxyV2, WaitsForItsEndAndNeverReadsBeyond) {
  const Bytes packet = v2(0x21, 0x11, kAddresses4 + Bytes{0x02, 0, 1, 'x'});
  for (std::size_t n = 0; n < packet.size(); ++n) {
    const std::vector<std::uint8_t> exact(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_EQ(outcome(as_text(exact)), "more") << n;
  }
  for (std::size_t n = 0; n < kAddresses4.size() + 4; ++n) {
    if (n == kAddresses4.size()) continue;
    Bytes body = kAddresses4 + Bytes{0x02, 0, 1, 'x'};
    body.resize(n);
    EXPECT_EQ(outcome(as_text(v2(0x21, 0x11, body))), "bad") << n;
  }
}

TEST(ProxyV2, SkipsWhatIsNotAClient) {
  EXPECT_EQ(outcome(as_text(v2(0x20, 0x00, {}))), "local");
  EXPECT_EQ(outcome(as_text(v2(0x20, 0x11, {1, 2}))), "local");
  EXPECT_EQ(outcome(as_text(v2(0x21, 0x00, {}))), "local");
  EXPECT_EQ(outcome(as_text(v2(0x21, 0x31, Bytes(216, 0)))), "local");
  EXPECT_EQ(outcome(as_text(v2(0x21, 0x12, kAddresses4))), "local");
}

TEST(ProxyV2, KnowsEveryCommandAndFamily) {
  for (unsigned command = 0; command < 256; ++command) {
    const std::string result = outcome(as_text(v2(static_cast<std::uint8_t>(command), 0x11, kAddresses4)));
    EXPECT_EQ(result == "bad", command != 0x20 && command != 0x21) << command;
  }
  for (unsigned family = 0; family < 256; ++family) {
    const std::string result = outcome(as_text(v2(0x21, static_cast<std::uint8_t>(family), Bytes(216, 0))));
    EXPECT_EQ(result == "bad", family >> 4 > 3 || (family & 15) > 2) << family;
  }
}

TEST(ProxyV2, IsBounded) {
  EXPECT_EQ(outcome(as_text(v2(0x20, 0x00, Bytes(kMaxV2 - 16, 0)))), "local");
  EXPECT_EQ(outcome(as_text(v2(0x20, 0x00, Bytes(kMaxV2 - 15, 0)))), "bad");
}

TEST(ProxyV2, ChecksTheChecksum) {  // 2.2.4
  Bytes packet = v2(0x21, 0x11, kAddresses4 + Bytes{0x03, 0, 4, 0, 0, 0, 0});
  EXPECT_EQ(outcome(as_text(packet)), "bad");
  std::uint32_t crc = ~0u;
  for (const std::uint8_t byte : packet) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78u : 0);
  }
  crc = ~crc;
  for (int i = 0; i < 4; ++i)
    packet[packet.size() - 4 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
  EXPECT_EQ(outcome(as_text(packet)), "10.0.0.1:12345 10.0.0.2:1883");
}

}  // namespace
}  // namespace sb::codec::proxy
