// Version 1:  PROXY SP (TCP4|TCP6|UNKNOWN) SP source SP destination SP port SP port CRLF
// Version 2:  signature[12]  version:4 command:4  family:4 transport:4  length:u16  addresses  ( type:u8 length:u16
// value )*
#include "codec/proxy/proxy.h"

#include "base/crc32c.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace sb::codec::proxy {
namespace {

constexpr std::string_view kV1Start = "PROXY ";
constexpr std::string_view kV2Signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kV2Fixed = 16;

constexpr std::uint8_t kTypeAuthority = 0x02;
constexpr std::uint8_t kTypeCrc32c = 0x03;
constexpr std::uint8_t kTypeSsl = 0x20;
constexpr std::uint8_t kSubtypeSslCn = 0x22;
constexpr std::uint8_t kClientSsl = 0x01;
constexpr std::uint8_t kClientCertConn = 0x02;
constexpr std::uint8_t kClientCertSess = 0x04;
constexpr std::size_t kSslFixed = 5;  // client:u8 verify:u32

using Parsed = Result<std::optional<Header>>;

tl::unexpected<Error> bad(std::string_view what) {
  return fail(Errc::Invalid, "PROXY header: " + std::string(what));
}

bool starts_like(std::string_view in, std::string_view start) {
  const std::size_t n = std::min(in.size(), start.size());
  return in.substr(0, n) == start.substr(0, n);
}

/// Takes the word before the next blank off `rest`; at most one blank lies between words.
std::string_view next_word(std::string_view& rest) {
  const std::size_t at = rest.find(' ');
  const std::string_view word = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return word;
}

bool parse_address(std::string_view text, Address::Family family, Address& out) {
  std::array<char, INET6_ADDRSTRLEN + 1> zero_ended{};
  if (text.empty() || text.size() >= zero_ended.size()) return false;
  std::copy(text.begin(), text.end(), zero_ended.begin());
  out.family = family;
  const int af = family == Address::Family::Ipv4 ? AF_INET : AF_INET6;
  // An embedded NUL would end the text early.
  return text.find('\0') == std::string_view::npos && inet_pton(af, zero_ended.data(), out.bytes.data()) == 1;
}

/// 0..65535 in decimal without leading zeros. 2.1
bool parse_port(std::string_view text, std::uint16_t& port) {
  if (text.size() > 1 && text.front() == '0') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

Parsed parse_v1(std::string_view in) {
  const std::string_view bounded = in.substr(0, kMaxV1);
  const std::size_t end = bounded.find("\r\n");
  if (end == std::string_view::npos) {
    if (in.size() >= kMaxV1) return bad("line too long");
    return std::optional<Header>();
  }
  Header header;
  header.size = end + 2;
  std::string_view rest = bounded.substr(kV1Start.size(), end - kV1Start.size());
  const std::string_view protocol = next_word(rest);
  if (protocol == "UNKNOWN") return std::optional<Header>(header);  // the rest of the line is to be ignored
  if (protocol != "TCP4" && protocol != "TCP6") return bad("unknown protocol");
  const auto family = protocol == "TCP4" ? Address::Family::Ipv4 : Address::Family::Ipv6;
  if (!parse_address(next_word(rest), family, header.source)) return bad("bad source address");
  if (!parse_address(next_word(rest), family, header.destination)) return bad("bad destination address");
  if (!parse_port(next_word(rest), header.source.port)) return bad("bad source port");
  if (!parse_port(rest, header.destination.port)) return bad("bad destination port");
  header.proxied = true;
  return std::optional<Header>(header);
}

std::uint16_t u16(const std::uint8_t* at) {
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

/// Takes one TLV off `rest`. False if it is cut off.
bool next_tlv(ByteView& rest, std::uint8_t& type, ByteView& value) {
  if (rest.size() < 3) return false;
  const std::size_t size = u16(rest.data() + 1);
  if (rest.size() - 3 < size) return false;
  type = rest[0];
  value = rest.subspan(3, size);
  rest = rest.subspan(3 + size);
  return true;
}

/// 2.2.6
bool parse_ssl(ByteView value, Header& header) {
  if (value.size() < kSslFixed) return false;
  const std::uint8_t client = value[0];
  const bool verify_ok = std::all_of(value.begin() + 1, value.begin() + kSslFixed, [](auto byte) { return byte == 0; });
  header.tls = (client & kClientSsl) != 0;
  header.certificate_verified = (client & (kClientCertConn | kClientCertSess)) != 0 && verify_ok;
  ByteView rest = value.subspan(kSslFixed);
  while (!rest.empty()) {
    std::uint8_t type = 0;
    ByteView inner;
    if (!next_tlv(rest, type, inner)) return false;
    if (type == kSubtypeSslCn) header.common_name = as_text(inner);
  }
  return true;
}

/// 2.2.4: over the whole header with the checksum's own bytes as zeros.
bool is_crc32c_right(ByteView whole, ByteView value) {
  if (value.size() != 4) return false;
  const std::uint8_t* const skip = value.data();
  const auto before = static_cast<std::size_t>(skip - whole.data());
  constexpr std::array<std::uint8_t, 4> kZeros{};
  std::uint32_t crc = crc32c(0, whole.first(before));
  crc = crc32c(crc, kZeros);
  crc = crc32c(crc, whole.subspan(before + kZeros.size()));
  return crc == (std::uint32_t{u16(skip)} << 16 | u16(skip + 2));
}

/// Addresses of AF_INET or AF_INET6; returns their size, 0 for a family that we do not know.
std::size_t take_addresses(std::uint8_t family, ByteView body, Header& header) {
  const bool v6 = family == 2;
  if (family != 1 && family != 2) return 0;
  const std::size_t size = v6 ? 16 : 4;
  if (body.size() < 2 * size + 4) return 0;
  const auto name = v6 ? Address::Family::Ipv6 : Address::Family::Ipv4;
  header.source.family = header.destination.family = name;
  std::copy_n(body.data(), size, header.source.bytes.begin());
  std::copy_n(body.data() + size, size, header.destination.bytes.begin());
  header.source.port = u16(body.data() + 2 * size);
  header.destination.port = u16(body.data() + 2 * size + 2);
  return 2 * size + 4;
}

Parsed parse_v2(ByteView in) {
  if (in.size() < kV2Fixed) return std::optional<Header>();
  const unsigned version = in[12] >> 4;
  const unsigned command = in[12] & 0x0F;
  const auto family = static_cast<std::uint8_t>(in[13] >> 4);
  const unsigned transport = in[13] & 0x0F;
  const std::size_t length = u16(in.data() + 14);
  if (version != 2) return bad("unknown version");
  if (command > 1) return bad("unknown command");
  if (family > 3 || transport > 2) return bad("unknown family");
  if (kV2Fixed + length > kMaxV2) return bad("too long");
  if (in.size() < kV2Fixed + length) return std::optional<Header>();

  Header header;
  header.version = 2;
  header.size = kV2Fixed + length;
  const bool tcp = (family == 1 || family == 2) && transport == 1;
  if (command == 0 || !tcp) return std::optional<Header>(header);  // LOCAL, UNSPEC, UDP, UNIX: skipped, 2.2
  const ByteView whole = in.first(header.size);
  ByteView rest = whole.subspan(kV2Fixed);
  const std::size_t taken = take_addresses(family, rest, header);
  if (taken == 0) return bad("addresses cut off");
  rest = rest.subspan(taken);
  while (!rest.empty()) {
    std::uint8_t type = 0;
    ByteView value;
    if (!next_tlv(rest, type, value)) return bad("TLV cut off");
    if (type == kTypeAuthority) header.authority = as_text(value);
    if (type == kTypeSsl && !parse_ssl(value, header)) return bad("bad SSL TLV");
    if (type == kTypeCrc32c && !is_crc32c_right(whole, value)) return bad("wrong checksum");
  }
  header.proxied = true;
  return std::optional<Header>(header);
}

}  // namespace

Result<std::optional<Header>> parse(ByteView in) {
  const std::string_view text = as_text(in);
  if (starts_like(text, kV2Signature)) {
    if (text.size() < kV2Signature.size()) return std::optional<Header>();
    return parse_v2(in);
  }
  if (!starts_like(text, kV1Start)) return bad("missing");
  if (text.size() < kV1Start.size()) return std::optional<Header>();
  return parse_v1(text);
}

}  // namespace sb::codec::proxy
