#include "codec/websocket/frames.h"

#include <gtest/gtest.h>

#include <vector>

namespace sb::codec::websocket {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Kind = FrameEvent::Kind;

Bytes masked(Opcode opcode, std::string_view payload, bool fin = true, bool compressed = false) {
  const std::array<std::uint8_t, 4> mask{0x11, 0x22, 0x33, 0x44};
  Bytes out(kFrameHeaderMax + payload.size());
  std::uint8_t* const begin = encode(out.data(), {opcode, fin, compressed, payload.size(), mask.data()});
  std::copy(payload.begin(), payload.end(), begin);
  apply_mask({begin, payload.size()}, mask, 0);
  out.resize(static_cast<std::size_t>(begin - out.data()) + payload.size());
  return out;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// All that happened, as one line.
std::string run(Bytes input, std::size_t step = SIZE_MAX, FrameOptions options = {}) {
  FrameDecoder decoder;
  std::string log;
  for (std::size_t at = 0; at < input.size();) {
    const std::size_t n = std::min(step, input.size() - at);
    std::span<std::uint8_t> in(input.data() + at, n);
    at += n;
    for (;;) {
      const FrameEvent event = decoder.next(in, options);
      if (event.kind == Kind::NeedMore) break;
      const std::string text(as_text(event.payload));
      switch (event.kind) {
        case Kind::Data:
          log += text + (event.message_end ? "|" : "");
          break;
        case Kind::Ping:
          log += "<ping " + text + ">";
          break;
        case Kind::Pong:
          log += "<pong " + text + ">";
          break;
        case Kind::Close:
          return log + "<close " + std::to_string(static_cast<int>(event.close_code)) + " " + text + ">";
        default:
          return log + "<failed " + std::to_string(static_cast<int>(event.close_code)) + ">";
      }
    }
    EXPECT_TRUE(in.empty());
  }
  return log;
}

TEST(FrameDecoder, GivesTheSameForEverySplit) {
  const std::string large(70000, 'y');
  const Bytes input = masked(Opcode::Binary, "hel", false) + masked(Opcode::Ping, "are you there") +
                      masked(Opcode::Continuation, "lo") + masked(Opcode::Binary, "") +
                      masked(Opcode::Binary, std::string(300, 'x')) + masked(Opcode::Pong, "") +
                      masked(Opcode::Binary, large) +
                      masked(Opcode::Close,
                             "\x03\xE8"
                             "bye");
  const std::string expected =
      "hel<ping are you there>lo||" + std::string(300, 'x') + "|<pong >" + large + "|<close 1000 bye>";
  for (const std::size_t step : {1, 2, 3, 5, 7, 13, 64, 1000, 100000}) EXPECT_EQ(run(input, step), expected) << step;
}

TEST(FrameDecoder, RefusesTextFrames) {
  FrameDecoder decoder;
  Bytes bytes = masked(Opcode::Text, "hi");
  std::span<std::uint8_t> in(bytes);
  const FrameEvent event = decoder.next(in, {});
  EXPECT_EQ(event.kind, Kind::Failed);
  EXPECT_EQ(event.close_code, CloseCode::UnsupportedData);
  EXPECT_EQ(event.reason, "unexpected_ws_frame");
}

TEST(FrameDecoder, WantsMasksFromClientsOnly) {  // 5.1
  EXPECT_EQ(run({0x82, 0x01, 'x'}), "<failed 1002>");
  FrameOptions client;
  client.role = Role::Client;
  EXPECT_EQ(run({0x82, 0x01, 'x'}, SIZE_MAX, client), "x|");
  EXPECT_EQ(run(masked(Opcode::Binary, "x"), SIZE_MAX, client), "<failed 1002>");
}

TEST(FrameDecoder, KnowsEveryFirstByte) {  // 5.2, 5.5
  for (unsigned first = 0; first < 256; ++first) {
    const unsigned opcode = first & 0x0F;
    const bool fin = (first & 0x80) != 0;
    const bool reserved = (first & 0x70) != 0;
    const std::string log = run({static_cast<std::uint8_t>(first), 0x80, 1, 2, 3, 4});
    std::string expected = "<failed 1002>";
    if (!reserved && opcode == 1) expected = "<failed 1003>";
    if (!reserved && opcode == 2) expected = fin ? "|" : "";
    if (!reserved && fin && opcode == 8) expected = "<close 1005 >";
    if (!reserved && fin && opcode == 9) expected = "<ping >";
    if (!reserved && fin && opcode == 10) expected = "<pong >";
    EXPECT_EQ(log, expected) << first;
  }
}

TEST(FrameDecoder, WantsFragmentsInOrder) {  // 5.4
  EXPECT_EQ(run(masked(Opcode::Continuation, "x")), "<failed 1002>");
  EXPECT_EQ(run(masked(Opcode::Binary, "a", false) + masked(Opcode::Binary, "b")), "a<failed 1002>");
  EXPECT_EQ(run(masked(Opcode::Binary, "a") + masked(Opcode::Continuation, "b")), "a|<failed 1002>");
}

TEST(FrameDecoder, WantsShortestLengths) {
  EXPECT_EQ(run({0x82, 0xFE, 0x00, 0x7D, 0, 0, 0, 0}), "<failed 1002>");
  EXPECT_EQ(run({0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0}), "<failed 1002>");
  EXPECT_EQ(run({0x82, 0xFF, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}), "<failed 1002>");
  EXPECT_EQ(run({0x89, 0xFE, 0x00, 0x7E, 0, 0, 0, 0}), "<failed 1002>");
}

TEST(FrameDecoder, HoldsMessagesToTheirBound) {
  FrameOptions options;
  options.max_message_size = 4;
  EXPECT_EQ(run(masked(Opcode::Binary, "1234"), SIZE_MAX, options), "1234|");
  EXPECT_EQ(run(masked(Opcode::Binary, "12345"), SIZE_MAX, options), "<failed 1009>");
  EXPECT_EQ(run(masked(Opcode::Binary, "123", false) + masked(Opcode::Continuation, "45"), SIZE_MAX, options),
            "123<failed 1009>");
  EXPECT_EQ(run(masked(Opcode::Binary, "123") + masked(Opcode::Binary, "456"), SIZE_MAX, options), "123|456|");
}

TEST(FrameDecoder, ChecksCloseFrames) {  // 5.5.1, 7.4
  EXPECT_EQ(run(masked(Opcode::Close, "x")), "<failed 1002>");
  EXPECT_EQ(run(masked(Opcode::Close, "\x03\xED")), "<failed 1002>");  // 1005
  EXPECT_EQ(run(masked(Opcode::Close, "\x03\xEE")), "<failed 1002>");  // 1006
  EXPECT_EQ(run(masked(Opcode::Close, "\x0F\xA0")), "<close 4000 >");
  EXPECT_EQ(run(masked(Opcode::Close, "\x13\x88")), "<failed 1002>");  // 5000
  EXPECT_EQ(run(masked(Opcode::Close, "\x03\xE8\xC3\x28")), "<failed 1007>");
  EXPECT_EQ(run(masked(Opcode::Close, "\x03\xE8\xED\xA0\x80")), "<failed 1007>");
  EXPECT_EQ(run(masked(Opcode::Close, "\x03\xE8\xE2\x82\xAC")), "<close 1000 \xE2\x82\xAC>");
}

TEST(FrameDecoder, TakesTheCompressionBitOnlyWhereItBelongs) {  // RFC 7692 6
  FrameOptions options;
  options.deflate = true;
  EXPECT_EQ(run(masked(Opcode::Binary, "a", true, true)), "<failed 1002>");
  EXPECT_EQ(run(masked(Opcode::Binary, "a", true, true), SIZE_MAX, options), "a|");
  EXPECT_EQ(run(masked(Opcode::Ping, "a", true, true), SIZE_MAX, options), "<failed 1002>");
  EXPECT_EQ(run(masked(Opcode::Binary, "a", false) + masked(Opcode::Continuation, "a", true, true), SIZE_MAX, options),
            "a<failed 1002>");
}

TEST(EncodeFrame, UsesTheShortestLength) {
  std::array<std::uint8_t, kFrameHeaderMax> out{};
  const auto size = [&](std::uint64_t payload) { return encode(out.data(), {.payload_size = payload}) - out.data(); };
  EXPECT_EQ(size(125), 2);
  EXPECT_EQ(size(126), 4);
  EXPECT_EQ(size(65535), 4);
  EXPECT_EQ(size(65536), 10);
  EXPECT_EQ(out, (std::array<std::uint8_t, kFrameHeaderMax>{0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0}));
}

TEST(EncodeClose, CutsLongReasonsBetweenCharacters) {
  std::array<std::uint8_t, kCloseFrameMax> out{};
  const auto* end = encode_close(out.data(), CloseCode::GoingAway, "bye");
  EXPECT_EQ(Bytes(out.data(), const_cast<std::uint8_t*>(end)), (Bytes{0x88, 5, 0x03, 0xE9, 'b', 'y', 'e'}));
  std::string reason;
  while (reason.size() < 200) reason += "\xE2\x82\xAC";
  end = encode_close(out.data(), CloseCode::Normal, reason);
  EXPECT_EQ(end - out.data(), 2 + 2 + 123);  // 41 characters of 3 bytes
  end = encode_close(out.data(), CloseCode::Normal, "x" + reason);
  EXPECT_EQ(end - out.data(), 2 + 2 + 121);
}

TEST(ApplyMask, WorksFromEveryOffset) {
  const std::array<std::uint8_t, 4> mask{1, 2, 4, 8};
  for (std::size_t offset = 0; offset < 4; ++offset) {
    for (std::size_t size = 0; size < 40; ++size) {
      Bytes bytes(size, 0xF0);
      apply_mask(bytes, mask, offset);
      for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(bytes[i], 0xF0 ^ mask[(offset + i) & 3]) << offset << " " << i;
    }
  }
}

}  // namespace
}  // namespace sb::codec::websocket
