#include "net/websocket.h"

#include "codec/websocket/frames.h"
#include "net/testing/echo_server.h"
#include "net/testing/tls_client.h"
#include "net/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

namespace sb::net {
namespace {

using testing::EchoServer;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace ws = codec::websocket;

constexpr const char* kUpgrade =
    "GET /mqtt HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n";

std::string frame(std::string_view payload, ws::Opcode opcode = ws::Opcode::Binary, bool fin = true,
                  bool compressed = false) {
  const std::array<std::uint8_t, 4> mask{1, 2, 3, 4};
  std::uint8_t header[ws::kFrameHeaderMax];
  const auto* const end = ws::encode(header, {opcode, fin, compressed, payload.size(), mask.data()});
  std::string body(payload);
  ws::apply_mask({reinterpret_cast<std::uint8_t*>(body.data()), body.size()}, mask, 0);
  return std::string(reinterpret_cast<const char*>(header), static_cast<std::size_t>(end - header)) + body;
}

/// A client that speaks raw bytes.
struct Raw {
  explicit Raw(std::uint16_t port) : fd(testing::connect_to(port)) {}
  ~Raw() { ::close(fd); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  std::string receive(std::size_t size) const {
    std::string out(size, '\0');
    const ssize_t n = recv(fd, out.data(), size, MSG_WAITALL);
    out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return out;
  }
  std::string head() const {
    std::string out;
    while (!out.ends_with("\r\n\r\n")) {
      const std::string next = receive(1);
      if (next.empty()) break;
      out += next;
    }
    return out;
  }
  /// Payload of the next frame; `opcode` and `compressed` of its header.
  std::string next_frame(ws::Opcode* opcode = nullptr, bool* compressed = nullptr) const {
    const std::string begin = receive(2);
    if (begin.size() < 2) return "closed";
    if (opcode) *opcode = static_cast<ws::Opcode>(begin[0] & 0x0F);
    if (compressed) *compressed = (begin[0] & 0x40) != 0;
    std::uint64_t size = static_cast<std::uint8_t>(begin[1]) & 0x7F;
    if (size >= 126) {
      const std::string more = receive(size == 126 ? 2 : 8);
      size = 0;
      for (const char c : more) size = size << 8 | static_cast<std::uint8_t>(c);
    }
    return receive(size);
  }
  int fd;
};

EchoServer::MakeLayer layer(WebSocketOptions options, WebSocketAdmission admission = {}) {
  auto shared = std::make_shared<const WebSocketOptions>(std::move(options));
  return [shared, admission] { return make_websocket_layer(shared, nullptr, admission); };
}

TEST(WebSocketLayer, UpgradesAndEchoes) {
  EchoServer echo(layer({}));
  const Raw client(echo.port());
  client.send(std::string(kUpgrade) + "\r\n" + frame("first"));  // a frame right behind the request
  const std::string head = client.head();
  EXPECT_THAT(head, StartsWith("HTTP/1.1 101"));
  EXPECT_THAT(head, HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
  EXPECT_THAT(head, HasSubstr("Sec-WebSocket-Protocol: mqtt\r\n"));
  EXPECT_EQ(client.next_frame(), "first");
  client.send(frame("second"));
  ws::Opcode opcode{};
  EXPECT_EQ(client.next_frame(&opcode), "second");
  EXPECT_EQ(opcode, ws::Opcode::Binary);
}

TEST(WebSocketLayer, UpgradesByteForByte) {
  EchoServer echo(layer({}));
  const Raw client(echo.port());
  for (const char c : std::string(kUpgrade) + "\r\n" + frame("slow")) {
    client.send({&c, 1});
    std::this_thread::yield();
  }
  EXPECT_THAT(client.head(), StartsWith("HTTP/1.1 101"));
  std::string got;
  while (got.size() < 4) got += client.next_frame();
  EXPECT_EQ(got, "slow");
}

TEST(WebSocketLayer, RefusesUpgradesInOrder) {
  WebSocketOptions options;
  options.check_origin = true;
  options.allow_origin_absence = false;
  options.check_origins = {"http://good"};
  const std::string base =
      "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const std::pair<std::string, std::string> cases[] = {
      {"GET /other HTTP/1.1\r\n" + base, "404"},
      {"POST /mqtt HTTP/1.1\r\n" + base, "405"},
      {"GET /mqtt HTTP/1.1\r\nHost: a\r\n", "426"},
      {"GET /mqtt HTTP/1.1\r\n" + base, "403"},
      {"GET /mqtt HTTP/1.1\r\n" + base + "Origin: http://bad\r\nSec-WebSocket-Protocol: mqtt\r\n", "403"},
      {"GET /mqtt HTTP/1.1\r\n" + base + "Origin: http://good\r\n", "400"},
      {"GET /mqtt HTTP/1.1\r\n" + base + "Origin: http://good\r\nSec-WebSocket-Protocol: stomp\r\n", "400"},
      {"GET /mqtt HTTP/1.1\r\n" + base + "Origin: http://good\r\nSec-WebSocket-Protocol: stomp, mqtt-v5\r\n", "101"},
      {"nonsense\r\n", "400"},
      {"GET /mqtt HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n", "431"},
  };
  EchoServer echo(layer(options));
  for (const auto& [request, status] : cases) {
    const Raw client(echo.port());
    client.send(request + "\r\n");
    EXPECT_THAT(client.receive(12), HasSubstr(status)) << request;
  }
}

TEST(WebSocketLayer, ClosesAfterTheUpgradeWhenFull) {
  EchoServer echo(layer({}, {.full = true}));
  const Raw client(echo.port());
  client.send(std::string(kUpgrade) + "\r\n");
  EXPECT_THAT(client.head(), StartsWith("HTTP/1.1 101"));
  ws::Opcode opcode{};
  client.next_frame(&opcode);
  EXPECT_EQ(opcode, ws::Opcode::Close);
  EXPECT_EQ(echo.ends(1).at(0).reason, "max_connections");
}

TEST(WebSocketLayer, BelievesForwardedHeadersAndKeepsCookies) {
  EchoServer echo(layer({}));
  const Raw client(echo.port());
  client.send(std::string(kUpgrade) +
              "X-Forwarded-For: 203.0.113.7, 10.0.0.1\r\nX-Forwarded-Port: 4711\r\nCookie: a=b\r\n\r\n");
  client.head();
  echo.on_shard([&] {
    const UpgradeInfo* const info = echo.newest().upgrade_info();
    ASSERT_NE(info, nullptr);
    EXPECT_EQ(info->forwarded_peer->to_string(), "203.0.113.7:4711");
    EXPECT_EQ(info->cookie, "a=b");
  });
}

TEST(WebSocketLayer, BelievesNoHeaderWithoutAName) {
  WebSocketOptions options;
  options.proxy_address_header = options.proxy_port_header = "";
  EchoServer echo(layer(options));
  const Raw client(echo.port());
  client.send(std::string(kUpgrade) + "X-Forwarded-For: 203.0.113.7\r\nCookie: a=b\r\n\r\n");
  client.head();
  echo.on_shard([&] {
    const UpgradeInfo* const info = echo.newest().upgrade_info();
    ASSERT_NE(info, nullptr);
    EXPECT_FALSE(info->forwarded_peer);
  });
}

TEST(WebSocketLayer, AHeaderMakesNobodyALocalClient) {
  const auto at = [](std::string_view address) { return *Endpoint::parse_address(address, 1); };
  for (const char* named : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(feigns_loopback(at("203.0.113.7"), at(named))) << named;
    EXPECT_TRUE(feigns_loopback(at("2001:db8::1"), at(named))) << named;
    EXPECT_FALSE(feigns_loopback(at("127.0.0.1"), at(named))) << named;
  }
  EXPECT_FALSE(feigns_loopback(at("203.0.113.7"), at("10.0.0.1")));
}

TEST(WebSocketLayer, JoinsFragmentsAndAnswersPingsBetweenThem) {
  EchoServer echo(layer({}));
  const Raw client(echo.port());
  client.send(std::string(kUpgrade) + "\r\n");
  client.head();
  client.send(frame("ab", ws::Opcode::Binary, false) + frame("?", ws::Opcode::Ping) +
              frame("cd", ws::Opcode::Continuation, false) + frame("", ws::Opcode::Continuation, true));
  std::string data;
  std::string pong;
  while (data.size() < 4 || pong.empty()) {
    ws::Opcode opcode{};
    const std::string payload = client.next_frame(&opcode);
    (opcode == ws::Opcode::Pong ? pong : data) += payload;
    ASSERT_NE(payload, "closed");
  }
  EXPECT_EQ(data, "abcd");
  EXPECT_EQ(pong, "?");
}

TEST(WebSocketLayer, EndsOnTextUnmaskedAndTooLongFrames) {
  WebSocketOptions options;
  options.max_frame_size = 100;
  EchoServer echo(layer(options));
  const std::pair<std::string, std::string> cases[] = {
      {frame("hello", ws::Opcode::Text), "unexpected_ws_frame"},
      {std::string("\x82\x01x"), "ws_protocol_error"},
      {frame(std::string(101, 'x')), "frame_too_large"},
      {frame("\x03\xe8", ws::Opcode::Close), "tcp_closed"},
  };
  std::size_t count = 0;
  for (const auto& [bytes, reason] : cases) {
    const Raw client(echo.port());
    client.send(std::string(kUpgrade) + "\r\n");
    client.head();
    client.send(bytes);
    ws::Opcode opcode{};
    client.next_frame(&opcode);
    EXPECT_EQ(opcode, ws::Opcode::Close) << reason;
    const auto ends = echo.ends(++count);
    ASSERT_EQ(ends.size(), count);
    EXPECT_EQ(ends.back().reason, reason);
  }
}

TEST(WebSocketLayer, CarriesLargeAmountsWithFullSockets) {
  EchoServer echo(layer({}));
  const Raw client(echo.port());
  client.send(std::string(kUpgrade) + "\r\n");
  client.head();
  std::string big(3'000'000, '\0');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 37 + i / 255);
  client.send(frame(big) + frame("ping", ws::Opcode::Ping));
  std::string got;
  while (got.size() < big.size()) {
    ws::Opcode opcode{};
    const std::string payload = client.next_frame(&opcode);
    ASSERT_NE(payload, "closed");
    if (opcode == ws::Opcode::Binary) got += payload;
  }
  EXPECT_TRUE(got == big);
}

TEST(WebSocketLayer, SendsOnePacketPerFrameWhenTold) {
  WebSocketOptions options;
  options.single_packet_frames = true;
  EchoServer echo(layer(options));
  const Raw client(echo.port());
  client.send(std::string(kUpgrade) + "\r\n");
  client.head();
  const std::string ping("\xd0\x00", 2);
  const std::string publish = std::string("\x30\xd0\x0f", 3) + std::string(2000, 'p');
  client.send(frame(ping + publish + ping));
  EXPECT_EQ(client.next_frame(), ping);
  EXPECT_EQ(client.next_frame(), publish);
  EXPECT_EQ(client.next_frame(), ping);
}

struct Zlib {
  explicit Zlib() {
    deflateInit2(&out, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    inflateInit2(&in, -15);
  }
  ~Zlib() {
    deflateEnd(&out);
    inflateEnd(&in);
  }
  std::string deflate(std::string_view text, bool reset) {
    std::string result(text.size() / 2 + 1000, '\0');
    out.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    out.avail_in = static_cast<uInt>(text.size());
    out.next_out = reinterpret_cast<Bytef*>(result.data());
    out.avail_out = static_cast<uInt>(result.size());
    ::deflate(&out, Z_SYNC_FLUSH);
    result.erase(result.size() - out.avail_out - 4);
    if (reset) deflateReset(&out);
    return result;
  }
  std::string inflate(std::string text, bool reset) {
    text.append("\0\0\xff\xff", 4);
    std::string result(1 << 16, '\0');
    in.next_in = reinterpret_cast<Bytef*>(text.data());
    in.avail_in = static_cast<uInt>(text.size());
    in.next_out = reinterpret_cast<Bytef*>(result.data());
    in.avail_out = static_cast<uInt>(result.size());
    ::inflate(&in, Z_SYNC_FLUSH);
    result.erase(result.size() - in.avail_out);
    if (reset) inflateReset(&in);
    return result;
  }
  z_stream out{}, in{};
};

TEST(WebSocketLayer, CompressesWithAndWithoutContext) {
  for (const bool takeover : {true, false}) {
    WebSocketOptions options;
    options.compress = true;
    options.deflate.server_context_takeover = options.deflate.client_context_takeover = takeover;
    EchoServer echo(layer(options));
    const Raw client(echo.port());
    client.send(std::string(kUpgrade) + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n");
    EXPECT_THAT(client.head(), HasSubstr("permessage-deflate"));
    Zlib zlib;
    for (int i = 0; i < 5; ++i) {
      const std::string text = "a text that repeats, a text that repeats " + std::to_string(i);
      client.send(frame(zlib.deflate(text, !takeover), ws::Opcode::Binary, true, true));
      bool compressed = false;
      const std::string payload = client.next_frame(nullptr, &compressed);
      EXPECT_TRUE(compressed);
      EXPECT_EQ(zlib.inflate(payload, !takeover), text);
    }
    client.send(frame("plain"));  // a message may be sent as it is
    EXPECT_EQ(zlib.inflate(client.next_frame(), !takeover), "plain");
  }
}

TEST(WebSocketLayer, RefusesMessagesThatInflateTooFar) {
  WebSocketOptions options;
  options.compress = true;
  options.max_frame_size = 1 << 20;
  EchoServer echo(layer(options));
  const Raw client(echo.port());
  client.send(std::string(kUpgrade) + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
  client.head();
  Zlib zlib;
  client.send(frame(zlib.deflate(std::string(50 << 20, '\0'), false), ws::Opcode::Binary, true, true));
  const auto ends = echo.ends(1);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].reason, "frame_too_large");
}

TEST(WebSocketLayer, InflatesBeyondOneRoom) {
  WebSocketOptions options;
  options.compress = true;
  EchoServer echo(layer(options));
  const Raw client(echo.port());
  client.send(std::string(kUpgrade) + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
  client.head();
  Zlib zlib;
  client.send(frame(zlib.deflate(std::string(2 << 20, 'z'), false), ws::Opcode::Binary, true, true) + frame("end"));
  std::size_t got = 0;
  std::string last;
  while (got < (2 << 20) + 3) {
    const std::string payload = client.next_frame();
    ASSERT_NE(payload, "closed");
    zlib.in.avail_out = 0;
    std::string text = payload;
    text.append("\0\0\xff\xff", 4);
    zlib.in.next_in = reinterpret_cast<Bytef*>(text.data());
    zlib.in.avail_in = static_cast<uInt>(text.size());
    std::string room(1 << 16, '\0');
    do {
      zlib.in.next_out = reinterpret_cast<Bytef*>(room.data());
      zlib.in.avail_out = static_cast<uInt>(room.size());
      ::inflate(&zlib.in, Z_SYNC_FLUSH);
      got += room.size() - zlib.in.avail_out;
    } while (zlib.in.avail_out == 0);
  }
  EXPECT_EQ(got, (2U << 20) + 3U);
}

TEST(WebSocketLayer, LiesOverTls) {
  const testing::Folder folder;
  const testing::Identity server = testing::make_identity({});
  TlsOptions tls;
  tls.certificate_file = folder.write("cert.pem", testing::to_pem(*server.certificate));
  tls.key_file = folder.write("key.pem", testing::to_pem(*server.key));
  const auto context = TlsContext::make(tls);
  ASSERT_TRUE(context);
  const auto options = std::make_shared<const WebSocketOptions>();
  EchoServer echo([&] { return make_websocket_layer(options, make_tls_layer(*context, std::nullopt), {}); });
  testing::TlsClient client;
  ASSERT_TRUE(client.connect(echo.port()));
  ASSERT_TRUE(client.send(std::string(kUpgrade) + "\r\n" + frame("over TLS")));
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    const std::string next = client.receive(1);
    ASSERT_FALSE(next.empty());
    head += next;
  }
  EXPECT_EQ(client.receive(10), "\x82\x08over TLS");
}

}  // namespace
}  // namespace sb::net
