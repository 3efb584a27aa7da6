// Every truncation, every flag nibble, every property in every packet, in both modes.
#include "codec/mqtt/client.h"
#include "codec/mqtt/describe_test.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace sb::codec::mqtt {
namespace {

using testing::describe;
using testing::to_bytes;

constexpr auto kV5 = ProtocolVersion::V5;

/// One packet of each type that a client sends, with all that it can hold.
const std::map<PacketType, std::string> kWholePackets = {
    {PacketType::Connect,
     "10 { \"MQTT\" 05 ee 00 3c { 11 00 00 00 0a 26 \"k\" \"v\" 15 \"m\" 16 \"d\" } \"c\" { 18 00 00 00 05 26 \"k\" "
     "\"v\" "
     "09 \"x\" } \"w\" \"m\" \"u\" \"p\" }"},
    {PacketType::Publish, "32 { \"a/b\" 00 07 { 26 \"k\" \"v\" 23 00 05 0b 81 01 08 \"r\" } 'hello' }"},
    {PacketType::Puback, "40 { 00 07 10 { 1f \"r\" 26 \"k\" \"v\" } }"},
    {PacketType::Pubrec, "50 { 00 07 10 { 1f \"r\" 26 \"k\" \"v\" } }"},
    {PacketType::Pubrel, "62 { 00 07 92 { 1f \"r\" 26 \"k\" \"v\" } }"},
    {PacketType::Pubcomp, "70 { 00 07 92 { 1f \"r\" 26 \"k\" \"v\" } }"},
    {PacketType::Subscribe, "82 { 00 07 { 0b 81 01 26 \"k\" \"v\" } \"a/b\" 01 \"c\" 02 }"},
    {PacketType::Unsubscribe, "a2 { 00 07 { 26 \"k\" \"v\" } \"a/b\" \"c\" }"},
    {PacketType::Pingreq, "c0 {}"},
    {PacketType::Disconnect, "e0 { 04 { 11 00 00 00 0a 1f \"r\" 26 \"k\" \"v\" } }"},
    {PacketType::Auth, "f0 { 18 { 15 \"m\" 16 \"d\" 1f \"r\" 26 \"k\" \"v\" } }"},
};

bool is_refusal(const std::string& text) {
  static const std::set<std::string> codes{"MalformedPacket", "ProtocolError", "UnsupportedProtocolVersion",
                                           "TopicAliasInvalid", "MalformedPacket wrong name"};
  return codes.contains(text);
}

/// The first `size` bytes of a body as a packet of its own, in memory that ends where it ends.
std::string describe_prefix(const Frame& frame, std::size_t size, ProtocolVersion version, bool strict) {
  const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[size]);  // check: allow new
  std::copy_n(frame.body.data(), size, exact.get());
  return describe({frame.first_byte, {exact.get(), size}, size + (size < 128 ? 2u : 3u)}, version, strict);
}

/// Where a packet may end besides its end: the forms that the specification shortens, payload, whole filters.
bool may_end(PacketType type, std::size_t size, const Frame& frame) {
  switch (type) {
    case PacketType::Publish:
      return size >= frame.body.size() - 5;
    case PacketType::Puback:
    case PacketType::Pubrec:
    case PacketType::Pubrel:
    case PacketType::Pubcomp:
      return size == 2 || size == 3;
    case PacketType::Subscribe:
      return size == frame.body.size() - 4;
    case PacketType::Unsubscribe:
      return size == frame.body.size() - 3;
    case PacketType::Disconnect:
      return size == 0 || size == 1;
    case PacketType::Auth:
      return size == 0;
    default:
      return false;
  }
}

TEST(EveryTruncation, IsRefusedUnlessItIsAShorterForm) {
  for (const auto& [type, notation] : kWholePackets) {
    const auto bytes = to_bytes(notation);
    const auto frame = next_frame(bytes, 1000);
    ASSERT_TRUE(frame && frame->size == bytes.size()) << notation;
    for (const bool strict : {false, true}) {
      ASSERT_FALSE(is_refusal(describe(*frame, kV5, strict))) << notation << " " << describe(*frame, kV5, strict);
      for (std::size_t size = 0; size < frame->body.size(); ++size)
        EXPECT_EQ(is_refusal(describe_prefix(*frame, size, kV5, strict)), !may_end(type, size, *frame))
            << notation << " cut to " << size;
    }
  }
}

TEST(EveryTruncation, OfAStreamWaitsForMore) {
  for (const auto& [type, notation] : kWholePackets) {
    const auto bytes = to_bytes(notation);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::vector<std::uint8_t> exact(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      std::size_t want = 99;
      const auto frame = next_frame(exact, 1000, &want);
      ASSERT_TRUE(frame.has_value());
      EXPECT_EQ(frame->size, 0u);
      EXPECT_EQ(want, size < 2 ? 0 : bytes.size());
    }
  }
}

TEST(EveryByteChange, NeverReadsBeyondThePacket) {
  for (const auto& [type, notation] : kWholePackets) {
    auto bytes = to_bytes(notation);
    for (std::size_t at = 1; at < bytes.size(); ++at) {
      const std::uint8_t was = bytes[at];
      for (const unsigned value : {0u, 1u, 0x7Fu, 0x80u, 0xFFu, was + 1u, was - 1u}) {
        bytes[at] = static_cast<std::uint8_t>(value);
        const auto frame = next_frame(bytes, 1000);
        if (!frame || frame->size == 0) continue;
        for (const auto version : {ProtocolVersion::V311, kV5})
          EXPECT_FALSE(describe_prefix(*frame, frame->body.size(), version, false).empty());
      }
      bytes[at] = was;
    }
  }
}

TEST(EveryFlagNibble, MattersInStrictModeOnly) {  // 2.1.3
  for (const auto& [type, notation] : kWholePackets) {
    if (type == PacketType::Publish) continue;
    auto bytes = to_bytes(notation);
    const unsigned right = bytes[0] & 0x0Fu;
    const bool two = type == PacketType::Pubrel || type == PacketType::Subscribe || type == PacketType::Unsubscribe;
    ASSERT_EQ(right, two ? 2u : 0u);
    for (unsigned flags = 0; flags < 16; ++flags) {
      bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0xF0) | flags);
      const auto frame = next_frame(bytes, 1000);
      EXPECT_FALSE(is_refusal(describe(*frame, kV5, false))) << notation << " flags " << flags;
      EXPECT_EQ(describe(*frame, kV5, true) == "MalformedPacket", flags != right) << notation << " flags " << flags;
    }
  }
}

TEST(EveryFlagNibble, OfPublishIsReadOrRefused) {  // 3.3.1
  for (unsigned flags = 0; flags < 16; ++flags) {
    const unsigned qos = flags >> 1 & 3;
    auto bytes = to_bytes(qos == 0 ? "30 { \"t\" }" : "30 { \"t\" 00 07 }");
    bytes[0] = static_cast<std::uint8_t>(0x30 | flags);
    const auto frame = next_frame(bytes, 1000);
    for (const bool strict : {false, true}) {
      const auto view = decode_publish(*frame, {ProtocolVersion::V311, strict});
      const bool good = qos != 3 && !(strict && qos == 0 && (flags & 8));
      ASSERT_EQ(view.has_value(), good) << flags;
      if (!good) {
        EXPECT_EQ(view.error(), ReasonCode::MalformedPacket);
        continue;
      }
      EXPECT_EQ(to_int(view->qos), qos);
      EXPECT_EQ(view->retain, (flags & 1) != 0);
      EXPECT_EQ(view->dup, (flags & 8) != 0 && qos != 0);
    }
  }
}

// Table 2-4 of the specification, by packet: C connect, W will, k connack, P publish, A acks (PUBACK to PUBCOMP), S
// subscribe, s suback, U unsubscribe, u unsuback, D disconnect, X auth.
struct PropertyRow {
  unsigned id;
  const char* value;
  const char* packets;
};
constexpr PropertyRow kTable[] = {
    {0x01, "01", "PW"},
    {0x02, "00 00 00 01", "PW"},
    {0x03, "\"t\"", "PW"},
    {0x08, "\"t\"", "PW"},
    {0x09, "\"t\"", "PW"},
    {0x0B, "01", "PS"},
    {0x11, "00 00 00 01", "CkD"},
    {0x12, "\"t\"", "k"},
    {0x13, "00 01", "k"},
    {0x15, "\"t\"", "CkX"},
    {0x16, "\"t\"", "CkX"},
    {0x17, "01", "C"},
    {0x18, "00 00 00 01", "W"},
    {0x19, "01", "C"},
    {0x1A, "\"t\"", "k"},
    {0x1C, "\"t\"", "kD"},
    {0x1F, "\"t\"", "kAsuDX"},
    {0x21, "00 01", "Ck"},
    {0x22, "00 01", "Ck"},
    {0x23, "00 01", "P"},
    {0x24, "01", "k"},
    {0x25, "01", "k"},
    {0x26, "\"k\" \"v\"", "CkPWASsUuDX"},
    {0x27, "00 00 00 01", "Ck"},
    {0x28, "01", "k"},
    {0x29, "01", "k"},
    {0x2A, "01", "k"},
};

/// A packet of that kind whose property list is `list`; AUTH and CONNECT get what some properties need besides.
std::string packet_with(char kind, const std::string& list) {
  switch (kind) {
    case 'C':
      return "10 { \"MQTT\" 05 02 00 00 {" + list + "} \"c\" }";
    case 'W':
      return "10 { \"MQTT\" 05 06 00 00 {} \"c\" {" + list + "} \"w\" \"m\" }";
    case 'k':
      return "20 { 00 00 {" + list + "} }";
    case 'P':
      return "30 { \"t\" {" + list + "} }";
    case 'A':
      return "40 { 00 07 00 {" + list + "} }";
    case 'S':
      return "82 { 00 07 {" + list + "} \"a\" 00 }";
    case 's':
      return "90 { 00 07 {" + list + "} 00 }";
    case 'U':
      return "a2 { 00 07 {" + list + "} \"a\" }";
    case 'u':
      return "b0 { 00 07 {" + list + "} 00 }";
    case 'D':
      return "e0 { 00 {" + list + "} }";
    default:
      return "f0 { 18 {" + list + "} }";
  }
}

ReasonCode result_of(char kind, const std::string& list) {
  const auto bytes = to_bytes(packet_with(kind, list));
  const auto frame = next_frame(bytes, 1000);
  EXPECT_TRUE(frame && frame->size == bytes.size());
  const auto code = [](const auto& view) { return view ? ReasonCode::Success : view.error(); };
  switch (kind) {
    case 'C':
    case 'W':
      return code(decode_connect(*frame, false));
    case 'k':
      return code(decode_connack(*frame, kV5));
    case 'P':
      return code(decode_publish(*frame, {kV5}));
    case 'A':
      return code(decode_ack(*frame, {kV5}));
    case 'S':
      return code(decode_subscribe(*frame, {kV5}));
    case 's':
    case 'u':
      return code(decode_suback(*frame, kV5));
    case 'U':
      return code(decode_unsubscribe(*frame, {kV5}));
    // A server's DISCONNECT, which may refer to another server.
    case 'D':
      return code(decode_server_disconnect(*frame));
    default:
      return code(decode_auth(*frame, {kV5}));
  }
}

/// What else the list needs so that the property under test is the only reason to refuse it.
std::string company_of(char kind, unsigned id) {
  if (kind == 'X' && id != 0x15) return " 15 \"m\"";
  if (kind == 'C' && id == 0x16) return " 15 \"m\"";
  return "";
}

TEST(EveryProperty, IsAllowedWhereTheTableSaysSo) {  // 2.2.2.2
  int allowed_count = 0;
  for (unsigned id = 0; id < 256; ++id) {
    const PropertyRow* row = nullptr;
    for (const PropertyRow& candidate : kTable)
      if (candidate.id == id) row = &candidate;
    const std::string id_bytes = id < 128 ? fmt::format("{:02x}", id) : fmt::format("{:02x} 01", id);
    for (const char kind : std::string_view("CWkPASsUuDX")) {
      const std::string entry = id_bytes + " " + (row ? row->value : "00");
      const bool allowed = row != nullptr && std::strchr(row->packets, kind) != nullptr;
      allowed_count += allowed;
      EXPECT_EQ(result_of(kind, entry + company_of(kind, id)),
                allowed ? ReasonCode::Success : ReasonCode::MalformedPacket)
          << kind << " " << entry;
      if (!allowed) continue;
      const bool repeatable = id == 0x26 || (id == 0x0B && kind == 'P');
      EXPECT_EQ(result_of(kind, entry + " " + entry + company_of(kind, id)),
                repeatable ? ReasonCode::Success : ReasonCode::ProtocolError)
          << kind << " twice " << entry;
      // Without its last byte the entry is cut off by the end of the list.
      const auto whole = to_bytes(entry);
      std::string cut;
      for (std::size_t i = 0; i + 1 < whole.size(); ++i) cut += fmt::format("{:02x} ", whole[i]);
      EXPECT_EQ(result_of(kind, cut), ReasonCode::MalformedPacket) << kind << " cut " << entry;
    }
  }
  EXPECT_EQ(allowed_count, 58);
}

TEST(EveryFlagProperty, IsZeroOrOne) {
  for (const auto& [kind, id] : std::vector<std::pair<char, unsigned>>{{'P', 0x01},
                                                                       {'W', 0x01},
                                                                       {'C', 0x17},
                                                                       {'C', 0x19},
                                                                       {'k', 0x24},
                                                                       {'k', 0x25},
                                                                       {'k', 0x28},
                                                                       {'k', 0x29},
                                                                       {'k', 0x2A}})
    for (unsigned value = 0; value < 256; ++value)
      EXPECT_EQ(result_of(kind, fmt::format("{:02x} {:02x}", id, value)),
                value <= 1 ? ReasonCode::Success : ReasonCode::ProtocolError);
}

TEST(EveryReasonCode, IsTakenWhereItsTableHasIt) {  // tables 3-4 to 3-7, 3-10, 3.15.2.1
  const std::set<unsigned> publish{0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99};
  const std::set<unsigned> release{0x00, 0x92};
  const std::set<unsigned> disconnect{0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90,
                                      0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99};
  const std::set<unsigned> auth{0x00, 0x18, 0x19};
  for (unsigned code = 0; code < 256; ++code) {
    const auto refused = [&](const char* before, const char* after) {
      const auto bytes = to_bytes(fmt::format("{} {:02x} {} }}", before, code, after));
      return describe(*next_frame(bytes, 1000), kV5, true) == "ProtocolError";
    };
    EXPECT_EQ(refused("40 { 00 07", ""), !publish.contains(code)) << code;
    EXPECT_EQ(refused("50 { 00 07", ""), !publish.contains(code)) << code;
    EXPECT_EQ(refused("62 { 00 07", ""), !release.contains(code)) << code;
    EXPECT_EQ(refused("70 { 00 07", ""), !release.contains(code)) << code;
    EXPECT_EQ(refused("e0 {", ""), !disconnect.contains(code)) << code;
    EXPECT_EQ(refused("f0 {", "{ 15 \"m\" }"), !auth.contains(code)) << code;
  }
}

TEST(EverySubscribeOption, IsReadOrRefused) {  // 3.8.3.1
  for (unsigned bits = 0; bits < 256; ++bits) {
    const auto v5 = to_bytes(fmt::format("82 {{ 00 07 {{}} \"a\" {:02x} }}", bits));
    const auto v4 = to_bytes(fmt::format("82 {{ 00 07 \"a\" {:02x} }}", bits));
    const auto new_view = decode_subscribe(*next_frame(v5, 1000), {kV5});
    const auto old_view = decode_subscribe(*next_frame(v4, 1000), {ProtocolVersion::V311});
    const bool reserved = (bits & 0xC0) != 0;
    const bool bad_value = (bits & 3) == 3 || (bits >> 4 & 3) == 3;
    ASSERT_EQ(new_view.has_value(), !reserved && !bad_value) << bits;
    if (!new_view) {
      EXPECT_EQ(new_view.error(), reserved ? ReasonCode::MalformedPacket : ReasonCode::ProtocolError);
    }
    ASSERT_EQ(old_view.has_value(), bits <= 2) << bits;
    if (!old_view) {
      EXPECT_EQ(old_view.error(), ReasonCode::MalformedPacket);
    }
  }
}

TEST(NextFrame, KnowsEveryLengthForm) {  // 2.1.4
  const auto size_of_frame = [](const std::string& notation, std::uint32_t limit) -> std::string {
    const auto bytes = to_bytes(notation);
    std::size_t want = 0;
    const auto frame = next_frame(bytes, limit, &want);
    return frame ? std::to_string(want) : testing::name_of(frame.error());
  };
  EXPECT_EQ(size_of_frame("30 7f", 1u << 28), std::to_string(2 + 127));
  EXPECT_EQ(size_of_frame("30 80 01", 1u << 28), std::to_string(3 + 128));
  EXPECT_EQ(size_of_frame("30 ff 7f", 1u << 28), std::to_string(3 + 16383));
  EXPECT_EQ(size_of_frame("30 80 80 01", 1u << 28), std::to_string(4 + 16384));
  EXPECT_EQ(size_of_frame("30 ff ff 7f", 1u << 28), std::to_string(4 + 2097151));
  EXPECT_EQ(size_of_frame("30 80 80 80 01", 1u << 28), std::to_string(5 + 2097152));
  EXPECT_EQ(size_of_frame("30 ff ff ff 7f", 1u << 28), std::to_string(5 + 268435455));
  EXPECT_EQ(size_of_frame("30 ff ff ff 7f", 268435454), "PacketTooLarge");
  EXPECT_EQ(size_of_frame("30 ff ff ff ff", 1u << 28), "MalformedPacket");
  EXPECT_EQ(size_of_frame("30 05", 4), "PacketTooLarge");
  EXPECT_EQ(size_of_frame("00", 1000), "MalformedPacket");
  EXPECT_EQ(size_of_frame("0f 00", 1000), "MalformedPacket");
}

}  // namespace
}  // namespace sb::codec::mqtt
