#include "http/parser.h"

#include <gtest/gtest.h>

namespace sb::http {
namespace {

using Status = RequestParser::Status;
constexpr RequestParser::Limits kSmall{.head = 256, .body = 64};

unsigned refusal(std::string_view bytes) {
  RequestParser parser(kSmall);
  parser.feed(bytes);
  Request request;
  Response error;
  return parser.next(request, error) == Status::Bad ? error.status : 0;
}

TEST(RequestParser, ReadsARequestHoweverItIsCut) {
  const std::string bytes =
      "PUT /a/b?x=1&y HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Type: text/plain\r\nAccept: */*\r\n\r\nhello";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    RequestParser parser(kSmall);
    Request request;
    Response error;
    parser.feed(std::string_view(bytes).substr(0, cut));
    if (cut < bytes.size()) {
      ASSERT_EQ(parser.next(request, error), Status::NeedMore) << cut;
    }
    parser.feed(std::string_view(bytes).substr(cut));
    ASSERT_EQ(parser.next(request, error), Status::Ready) << cut;
    EXPECT_EQ(request.method, "PUT");
    EXPECT_EQ(request.path, "/a/b");
    EXPECT_EQ(request.query, "x=1&y");
    EXPECT_EQ(request.content_type, "text/plain");
    EXPECT_EQ(request.body, "hello");
    EXPECT_TRUE(request.keep_alive);
    EXPECT_EQ(parser.pending(), 0U);
  }
}

TEST(RequestParser, ReadsRequestsThatFollowEachOther) {
  RequestParser parser(kSmall);
  parser.feed(
      "GET /1 HTTP/1.1\r\nhost: h\r\n\r\n\r\nGET /2 HTTP/1.0\r\nconnection: keep-alive\r\n\r\nGET /3 HTTP/1.1\r\nhost: "
      "h\r\nConnection: "
      "close\r\n\r\n");
  Request request;
  Response error;
  ASSERT_EQ(parser.next(request, error), Status::Ready);
  EXPECT_EQ(request.path, "/1");
  ASSERT_EQ(parser.next(request, error), Status::Ready);
  EXPECT_EQ(request.path, "/2");
  EXPECT_TRUE(request.keep_alive);
  ASSERT_EQ(parser.next(request, error), Status::Ready);
  EXPECT_EQ(request.path, "/3");
  EXPECT_FALSE(request.keep_alive);
  EXPECT_EQ(parser.next(request, error), Status::NeedMore);
}

TEST(RequestParser, TakesTheAbsoluteForm) {  // RFC 9112, 3.2.2
  struct Case {
    std::string_view target, path, query, host;
  };
  const Case cases[] = {
      {"http://a.example:18083/x/y?z=1", "/x/y", "z=1", "a.example:18083"},
      {"HTTPS://[::1]/", "/", "", "[::1]"},
      {"http://a", "/", "", "a"},
      {"http://a?z=/", "/", "z=/", "a"},
      {"/http://a/", "/http://a/", "", "h"},
  };
  for (const Case& one : cases) {
    RequestParser parser(kSmall);
    parser.feed("GET " + std::string(one.target) + " HTTP/1.1\r\nhost: h\r\n\r\n");
    Request request;
    Response error;
    ASSERT_EQ(parser.next(request, error), Status::Ready) << one.target;
    EXPECT_EQ(request.path, one.path);
    EXPECT_EQ(request.query, one.query);
    ASSERT_EQ(request.headers.size(), 1U);
    EXPECT_EQ(request.headers[0], std::pair(std::string("host"), std::string(one.host)));
  }
}

TEST(RequestParser, RefusesWhatIsNotHttp) {
  struct Case {
    std::string bytes;
    unsigned status;
  };
  using namespace std::string_literals;
  const Case cases[] = {
      {"hello\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"GET / FTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\n\r\n", 505},
      {"GET / HTTP/1.1\r\n\r\n", 400},  // RFC 9112, 3.2
      {"GET / HTTP/1.1\r\nhost: a\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n", 400},
      {"G\x01T / HTTP/1.1\r\nhost: h\r\n\r\n", 400},
      {"GET x HTTP/1.1\r\nhost: h\r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\nhost: h\r\n\r\n", 400},
      {"GET http:// HTTP/1.1\r\nhost: h\r\n\r\n", 400},
      {"GET http:///a HTTP/1.1\r\nhost: h\r\n\r\n", 400},
      {"GET http://joe@a/ HTTP/1.1\r\nhost: h\r\n\r\n", 400},
      {"GET http://a#b HTTP/1.1\r\nhost: h\r\n\r\n", 400},
      {"GET ftp://a/ HTTP/1.1\r\nhost: h\r\n\r\n", 400},
      {"GET http://a/ HTTP/1.1\r\n\r\n", 400},
      {"GET /\x7f HTTP/1.1\r\nhost: h\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nhost: h\r\nno colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nhost: h\r\n folded: x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nhost: h\r\nname : x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nhost: h\r\nx: a\0b\r\n\r\n"s, 400},
      {"GET / HTTP/1.1\r\nhost: h\r\nx: a\nb\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1x\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nhost: h\r\ncontent-length:\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 99999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 65\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip, chunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n", 501},
      {"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n", 400},
      {"GET /" + std::string(300, 'a'), 431},
      {"GET / HTTP/1.1\r\nhost: h\r\nx: " + std::string(300, 'a') + "\r\n\r\n", 431},
  };
  for (const Case& one : cases) EXPECT_EQ(refusal(one.bytes), one.status) << one.bytes.substr(0, 60);
}

constexpr std::string_view kChunkedHead = "POST /c HTTP/1.1\r\nhost: h\r\nTransfer-Encoding: Chunked\r\n\r\n";

TEST(RequestParser, ReadsAChunkedBodyHoweverItIsCut) {  // RFC 9112, 7.1
  std::string bytes(kChunkedHead);
  bytes +=
      "5;name=\"a\"\r\nhello\r\n00B\r\n, chunked w\r\n4\r\norld\r\n0;x\r\nTrailer: y\r\n\r\n"
      "GET /next HTTP/1.1\r\nhost: h\r\n\r\n";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    RequestParser parser(kSmall);
    std::vector<Request> requests;
    for (const std::string_view piece : {std::string_view(bytes).substr(0, cut), std::string_view(bytes).substr(cut)}) {
      parser.feed(piece);
      Request request;
      Response error;
      while (parser.next(request, error) == Status::Ready) requests.push_back(std::move(request));
    }
    ASSERT_EQ(requests.size(), 2U) << cut;
    EXPECT_EQ(requests[0].body, "hello, chunked world") << cut;
    EXPECT_EQ(requests[1].path, "/next") << cut;
    EXPECT_EQ(parser.pending(), 0U);
  }
}

TEST(RequestParser, RefusesAChunkedBodyThatIsWrongOrTooLarge) {
  const std::string head(kChunkedHead);
  struct Case {
    std::string body;
    unsigned status;
  };
  const Case cases[] = {
      {"\r\n", 400},
      {"x\r\n", 400},
      {"-1\r\n", 400},
      {"0x5\r\nhello\r\n", 400},
      {"5\nhello\n", 400},
      {"5\r\nhello!\r\n", 400},
      {"5\r\nhello\n", 400},
      {"5;a\nhello", 400},
      {"0\r\nTrailer: y\n\r\n", 400},
      {"0\r\n\rx", 400},
      {"0\r\n\n", 400},
      {"5;" + std::string(ChunkedBody::kExtrasMax, 'x'), 400},
      {"0\r\nx: " + std::string(ChunkedBody::kExtrasMax, 'x'), 400},
      {std::string(ChunkedBody::kExtrasMax + 1, '0'), 400},
      {"41\r\n", 413},
      {"20\r\n" + std::string(32, 'a') + "\r\n21\r\n", 413},
      {"ffffffffffffffffffffffff\r\n", 413},
      {"5\r\nhel", 0},
      {"5\r\nhello\r\n0\r\n", 0},
  };
  for (const Case& one : cases) EXPECT_EQ(refusal(head + one.body), one.status) << one.body.substr(0, 40);
}

TEST(RequestParser, TakesABodyOfManySmallChunksInLinearTime) {
  RequestParser parser({.head = 256, .body = 1 << 20});
  std::string bytes(kChunkedHead);
  for (int i = 0; i < 1 << 20; ++i) bytes += "1\r\na\r\n";
  parser.feed(bytes + "0\r\n\r\n");
  Request request;
  Response error;
  ASSERT_EQ(parser.next(request, error), Status::Ready);
  EXPECT_EQ(request.body, std::string(1 << 20, 'a'));
}

TEST(RequestParser, StaysRefusingAfterABadRequest) {
  RequestParser parser(kSmall);
  Request request;
  Response error;
  parser.feed("bad\r\n\r\n");
  ASSERT_EQ(parser.next(request, error), Status::Bad);
  parser.feed("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_EQ(parser.next(request, error), Status::Bad);
}

TEST(ResponseBytes, HaveNoLengthWithoutContent) {
  EXPECT_EQ(to_bytes(Response::empty(), true), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(to_bytes(Response::text("hi"), false),
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi");
}

}  // namespace
}  // namespace sb::http
