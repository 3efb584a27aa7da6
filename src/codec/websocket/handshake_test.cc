#include "codec/websocket/handshake.h"

#include <gtest/gtest.h>

namespace sb::codec::websocket {
namespace {

const std::vector<std::string> kProtocols{"mqtt", "mqtt-v5"};
const std::vector<std::string> kOrigins{"http://localhost:18083"};

std::string request_text(std::string_view extra = "Sec-WebSocket-Protocol: mqtt\r\n",
                         std::string_view line = "GET /mqtt HTTP/1.1", std::string_view version = "13") {
  return std::string(line) + "\r\nHost: h\r\nupgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n" +
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: " + std::string(version) + "\r\n" +
         std::string(extra) + "\r\n";
}

UpgradePolicy policy() {
  UpgradePolicy policy;
  policy.supported_subprotocols = kProtocols;
  policy.check_origins = kOrigins;
  return policy;
}

UpgradeDecision decide_about(const std::string& text, const UpgradePolicy& policy) {
  const auto request = parse_request(text);
  EXPECT_TRUE(request.has_value() && request->has_value());
  return decide(**request, policy);
}

TEST(AcceptKey, IsThatOfTheSpecification) {  // 1.3
  EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(ParseRequest, NeedsEveryByteAndTakesNoMore) {
  const std::string text = request_text();
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto cut = parse_request(std::string_view(text).substr(0, n));
    ASSERT_TRUE(cut.has_value()) << n;
    EXPECT_FALSE(cut->has_value()) << n;
  }
  const std::string with_frame = text + "\x82\x80";
  const auto whole = parse_request(with_frame);
  ASSERT_TRUE(whole.has_value() && whole->has_value());
  EXPECT_EQ((*whole)->size, text.size());
  EXPECT_EQ((*whole)->path, "/mqtt");
  EXPECT_EQ((*whole)->value("HOST"), "h");
}

TEST(ParseRequest, SplitsQueryAndJoinsRepeatedHeaders) {
  const std::string text = request_text("Cookie: a=b\r\nX: 1\r\nX:  2 \r\n", "GET /mqtt?x=1 HTTP/1.1");
  const auto request = parse_request(text);
  ASSERT_TRUE(request.has_value() && request->has_value());
  EXPECT_EQ((*request)->path, "/mqtt");
  EXPECT_EQ((*request)->query, "x=1");
  EXPECT_EQ((*request)->joined("x"), "1, 2");
  EXPECT_EQ((*request)->value("cookie"), "a=b");
}

TEST(ParseRequest, RefusesWhatIsNotHttp) {
  const auto status = [](std::string_view text) {
    const auto request = parse_request(text);
    return request.has_value() ? Status::SwitchingProtocols : request.error();
  };
  EXPECT_EQ(status(std::string_view("\x16\x03\x01\x00", 4)), Status::BadRequest);
  EXPECT_EQ(status("GET /\r\n\r\n"), Status::BadRequest);
  EXPECT_EQ(status("GET mqtt HTTP/1.1\r\n\r\n"), Status::BadRequest);
  EXPECT_EQ(status("GET /a b HTTP/1.1\r\n\r\n"), Status::BadRequest);
  EXPECT_EQ(status("GET / HTTP/1.0\r\n\r\n"), Status::VersionNotSupported);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nno colon\r\n\r\n"), Status::BadRequest);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nbad name: x\r\n\r\n"), Status::BadRequest);
  EXPECT_EQ(status("GET / HTTP/1.1\r\n folded: x\r\n\r\n"), Status::BadRequest);
  EXPECT_EQ(status("GET / HTTP/1.1\r\na: x\ny\r\n\r\n"), Status::BadRequest);
}

TEST(ParseRequest, IsBounded) {
  const std::string line = "GET / HTTP/1.1\r\n";
  EXPECT_EQ(parse_request(line + "a: " + std::string(kMaxRequestSize, 'x')).error(), Status::HeaderFieldsTooLarge);
  std::string many = line;
  for (std::size_t i = 0; i < kMaxHeaders; ++i) many += "a: b\r\n";
  EXPECT_TRUE(parse_request(many + "\r\n").has_value());
  EXPECT_EQ(parse_request(many + "a: b\r\n\r\n").error(), Status::HeaderFieldsTooLarge);
}

TEST(Decide, AcceptsAndAnswers) {
  const std::string text = request_text("Sec-WebSocket-Protocol: other, mqtt-v5, mqtt\r\n");
  const auto request = parse_request(text);
  const UpgradeDecision decision = decide(**request, policy());
  EXPECT_EQ(decision.status, Status::SwitchingProtocols);
  EXPECT_EQ(decision.subprotocol, "mqtt-v5");
  EXPECT_EQ(accept_response(**request, decision),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt-v5\r\n\r\n");
}

TEST(Decide, ChecksPathBeforeAllElse) {
  EXPECT_EQ(decide_about(request_text("", "GET /other HTTP/1.1"), policy()).status, Status::NotFound);
  EXPECT_EQ(decide_about(request_text("", "POST /mqtt HTTP/1.1"), policy()).status, Status::MethodNotAllowed);
  EXPECT_EQ(decide_about(request_text("", "GET /mqtt HTTP/1.1", "8"), policy()).status, Status::UpgradeRequired);
  EXPECT_EQ(decide_about("GET /mqtt HTTP/1.1\r\nHost: h\r\n\r\n", policy()).status, Status::UpgradeRequired);
}

TEST(Decide, RefusesABadKey) {
  std::string text = request_text();
  text.replace(text.find("dGhl"), 4, "dG l");
  EXPECT_EQ(decide_about(text, policy()).status, Status::BadRequest);
}

TEST(Decide, ChecksSubprotocols) {
  UpgradePolicy lenient = policy();
  lenient.fail_if_no_subprotocol = false;
  EXPECT_EQ(decide_about(request_text(""), policy()).status, Status::BadRequest);
  EXPECT_EQ(decide_about(request_text(""), lenient).status, Status::SwitchingProtocols);
  EXPECT_EQ(decide_about(request_text(""), lenient).subprotocol, "");
  EXPECT_EQ(decide_about(request_text("Sec-WebSocket-Protocol: soap\r\n"), lenient).status, Status::BadRequest);
}

TEST(Decide, ChecksOriginBeforeSubprotocol) {
  UpgradePolicy strict = policy();
  EXPECT_EQ(decide_about(request_text("Origin: http://evil\r\nSec-WebSocket-Protocol: mqtt\r\n"), strict).status,
            Status::SwitchingProtocols);
  strict.check_origin = true;
  EXPECT_EQ(decide_about(request_text("Origin: http://evil\r\n"), strict).status, Status::Forbidden);
  EXPECT_EQ(
      decide_about(request_text("Origin: http://localhost:18083\r\nSec-WebSocket-Protocol: mqtt\r\n"), strict).status,
      Status::SwitchingProtocols);
  EXPECT_EQ(decide_about(request_text(), strict).status, Status::SwitchingProtocols);
  strict.allow_origin_absence = false;
  EXPECT_EQ(decide_about(request_text(), strict).status, Status::Forbidden);
}

TEST(Decide, NegotiatesDeflateOnlyWhenConfigured) {
  const std::string text = request_text(
      "Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
  EXPECT_FALSE(decide_about(text, policy()).deflate.has_value());
  const DeflateConfig config;
  UpgradePolicy with = policy();
  with.deflate = &config;
  EXPECT_TRUE(decide_about(text, with).deflate.has_value());
}

TEST(RefuseResponse, NamesTheVersionWeSpeak) {
  EXPECT_EQ(refuse_response(Status::NotFound),
            "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  EXPECT_NE(refuse_response(Status::UpgradeRequired).find("Sec-WebSocket-Version: 13\r\n"), std::string::npos);
}

TEST(Leftmost, TakesTheClient) {
  EXPECT_EQ(leftmost(" 10.0.0.1 , 10.0.0.2"), "10.0.0.1");
  EXPECT_EQ(leftmost("[2001:db8::1]"), "2001:db8::1");
  EXPECT_EQ(leftmost(""), "");
}

}  // namespace
}  // namespace sb::codec::websocket
