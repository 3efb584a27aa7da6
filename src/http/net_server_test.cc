// The server over real sockets of the loopback, on a loop that the test turns.
#include "http/net_server.h"

#include "http/assets.h"
#include "http/file_body.h"
#include "http/table.h"
#include "http/upload.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace sb::http {
namespace {

class NetServerTest : public testing::Test {
 protected:
  static constexpr std::size_t kBig = 3 << 20;
  NetServerTest() {
    Endpoint up;
    up.method = Method::Post;
    up.path = "/up";
    up.upload_max = 4 << 20;
    up.handler = [](const Call& call, const Reply& reply) {
      std::size_t size = call.request.upload ? call.request.upload->size() : call.request.body.size();
      for (const Part& part : call.parts) size = part.bytes.size();
      reply(Response::text(fmt::format("{} {}", call.parts.size(), size)));
    };
    table.add(std::move(up));
    Endpoint echo;
    echo.method = Method::Post;
    echo.path = "/echo";
    echo.handler = [](const Call& call, const Reply& reply) { reply(Response::text(call.request.body)); };
    table.add(std::move(echo));
    Endpoint file;
    file.path = "/file";
    file.handler = [this](const Call&, const Reply& reply) {
      Response out;
      out.content_type = "application/octet-stream";
      out.file = *FileBody::open(file_name);
      reply(std::move(out));
    };
    table.add(std::move(file));
    Endpoint big;
    big.path = "/big";
    big.handler = [](const Call&, const Reply& reply) { reply(Response::text(std::string(kBig, 'b'))); };
    table.add(std::move(big));
    Endpoint who;
    who.path = "/who";
    who.handler = [](const Call& call, const Reply& reply) {
      reply(Response::text(fmt::format("{} {}", call.request.peer, call.request.peer_is_loopback)));
    };
    table.add(std::move(who));
    table.set_upload_folder(testing::TempDir());
  }
  void open(NetServer::Options options = {}) {
    options.bind = *net::Endpoint::parse("127.0.0.1:0");
    server = std::make_unique<NetServer>(
        loop, options, [this](Request r, Reply reply) { table.handle(std::move(r), std::move(reply)); },
        [this](Request& head) { return table.plan_body(head); });
    const auto opened = server->open();
    ASSERT_TRUE(opened) << opened.error().what;
  }
  int dial() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_storage address{};
    const auto size = server->bound().to_sockaddr(address);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
    timeval limit{0, 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
  }
  /// Reads until `until` is there or the server closes, turning the loop.
  std::string receive(int fd, std::string_view until = {}) {
    std::string out;
    char part[65536];
    for (int i = 0; i < 20'000; ++i) {
      loop.turn(Nanos{0});
      const ssize_t n = recv(fd, part, sizeof part, 0);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) break;
      if (n > 0) out.append(part, static_cast<std::size_t>(n));
      if (!until.empty() && out.find(until) != std::string::npos) break;
    }
    return out;
  }
  std::string exchange(const std::string& bytes, std::string_view until = {}) {
    const int fd = dial();
    std::thread sender([&] {
      std::size_t sent = 0;
      while (sent < bytes.size()) {
        const ssize_t n = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return;
        sent += static_cast<std::size_t>(n);
      }
    });
    std::string out = receive(fd, until);
    shutdown(fd, SHUT_RDWR);
    sender.join();
    close(fd);
    return out;
  }
  static std::string post(const std::string& path, const std::string& body, const std::string& more = {}) {
    return fmt::format("POST {} HTTP/1.1\r\nhost: h\r\n{}content-length: {}\r\nconnection: close\r\n\r\n{}", path, more,
                       body.size(), body);
  }

  SystemClock clock;
  runtime::Loop loop{clock, {Nanos{0}}};
  Table table{clock};
  std::string file_name = testing::TempDir() + "net_server_file";
  std::unique_ptr<NetServer> server;
};

// A large body follows its head by itself, in pieces; the next answer comes behind all of it.
TEST_F(NetServerTest, LargeAnswersAreWholeAndInOrder) {
  open();
  const int fd = dial();
  const std::string asked =
      "GET /big HTTP/1.1\r\nhost: h\r\n\r\n"
      "GET /big HTTP/1.1\r\nhost: h\r\n\r\nGET /who HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
  ASSERT_EQ(send(fd, asked.data(), asked.size(), 0), static_cast<ssize_t>(asked.size()));
  std::string got = receive(fd);
  const std::string length = fmt::format("content-length: {}\r\n", kBig);
  for (int answer = 0; answer < 2; ++answer) {
    const std::size_t end = got.find("\r\n\r\n");
    ASSERT_NE(end, std::string::npos);
    EXPECT_NE(got.substr(0, end + 2).find(length), std::string::npos);
    got.erase(0, end + 4);
    ASSERT_GE(got.size(), kBig);
    EXPECT_EQ(got.find_first_not_of('b'), kBig);
    got.erase(0, kBig);
  }
  EXPECT_NE(got.find("127.0.0.1 true"), std::string::npos) << got.substr(0, 300);
  ::close(fd);
}

TEST_F(NetServerTest, SendsALargeFileWhileOthersAreServed) {
  const std::string content(20 << 20, 'f');
  std::ofstream(file_name) << content;
  open();
  const int slow = dial();
  ASSERT_GT(send(slow, "GET /file HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n", 50, 0), 0);
  for (int i = 0; i < 50; ++i) loop.turn(Nanos{0});  // its buffer is full now
  EXPECT_NE(exchange("GET /who HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").find("127.0.0.1 true"),
            std::string::npos);
  const std::string all = receive(slow);
  close(slow);
  const auto head = all.find("\r\n\r\n");
  ASSERT_NE(head, std::string::npos);
  EXPECT_EQ(all.size() - head - 4, content.size());
  EXPECT_TRUE(all.ends_with("fff"));
}

TEST_F(NetServerTest, TakesALargeUpload) {
  open();
  const std::string body(3 << 20, 'u');
  EXPECT_TRUE(exchange(post("/up", body)).ends_with(fmt::format("0 {}", body.size())));
  const std::string form =
      "--b\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"x\"\r\n\r\n" + body + "\r\n--b--\r\n";
  EXPECT_TRUE(exchange(post("/up", form, "content-type: multipart/form-data; boundary=b\r\n"))
                  .ends_with(fmt::format("1 {}", body.size())));
  const std::string file = "--b\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"x\"\r\n\r\nu\r\n";
  EXPECT_TRUE(exchange(post("/up", file + file + "--b--\r\n", "content-type: multipart/form-data; boundary=b\r\n"))
                  .starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(exchange(post("/up", "small")).ends_with("0 5"));
  EXPECT_TRUE(exchange(post("/up", "nonsense", "content-type: multipart/form-data; boundary=b\r\n"))
                  .starts_with("HTTP/1.1 400 "));
}

TEST_F(NetServerTest, RefusesABodyBeforeItComes) {
  table.set_gate([](Request&, const Endpoint&, const Table::Raw&) -> std::optional<Response> {
    return Response::error(401, "BAD_TOKEN", "no");
  });
  open();
  // The whole refusal is read although megabytes are on their way.
  EXPECT_TRUE(exchange(post("/up", std::string(3 << 20, 'u'))).starts_with("HTTP/1.1 401 "));
  EXPECT_TRUE(exchange(post("/up", std::string(5 << 20, 'u'))).starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(exchange(post("/nowhere", std::string(1 << 20, 'u'))).starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(exchange(post("/echo", "x")).starts_with("HTTP/1.1 401 "));
}

TEST_F(NetServerTest, AsksForTheBodyOfWhoWaits) {
  open();
  const int fd = dial();
  const std::string head = "POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n";
  ASSERT_GT(send(fd, head.data(), head.size(), 0), 0);
  EXPECT_EQ(receive(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_EQ(send(fd, "hello", 5, 0), 5);
  EXPECT_TRUE(receive(fd, "hello").starts_with("HTTP/1.1 200 OK\r\n"));
  close(fd);
}

TEST_F(NetServerTest, ServesPipelinedRequestsInOrder) {
  open();
  std::string many;
  for (int i = 0; i < 50; ++i)
    many += fmt::format("POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\n{:03}", i);
  const std::string all = exchange(many, "049");
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = all.find(fmt::format("\r\n\r\n{:03}", i), at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(NetServerTest, BoundsConnectionsAndTimes) {
  NetServer::Options options;
  options.connections_max = 2;
  options.limits.first_timeout = Millis(100);
  options.limits.request_timeout = Millis(100);
  open(options);
  const int idle = dial();
  const int half = dial();
  ASSERT_GT(send(half, "POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nhe", 53, 0), 0);
  for (int i = 0; i < 10; ++i) loop.turn(Nanos{0});
  EXPECT_EQ(server->connection_count(), 2U);
  EXPECT_TRUE(receive(half).starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(receive(idle), "");
  close(idle);
  close(half);
  for (int i = 0; i < 10; ++i) loop.turn(Nanos{1'000'000});
  EXPECT_EQ(server->connection_count(), 0U);
}

TEST_F(NetServerTest, MakesRoomForThoseWhoSaySomething) {
  NetServer::Options options;
  options.connections_max = 512;
  open(options);
  Reply later;
  Endpoint wait;
  wait.path = "/wait";
  wait.handler = [&later](const Call&, const Reply& reply) { later = reply; };
  table.add(std::move(wait));
  const int busy = dial();
  ASSERT_GT(send(busy, "GET /wait HTTP/1.1\r\nhost: x\r\n\r\n", 31, 0), 0);
  for (int i = 0; i < 50 && !later; ++i) loop.turn(Nanos{1'000'000});
  std::vector<int> silent;
  for (int i = 0; i < 511; ++i) {
    silent.push_back(dial());
    if (i == 5) {
      ASSERT_GT(send(silent.back(), "GET /who", 8, 0), 0);
    }
    loop.turn(Nanos{0});
  }
  for (int i = 0; i < 10; ++i) loop.turn(Nanos{0});
  ASSERT_EQ(server->connection_count(), 512U);
  const std::string request = "GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
  const int fresh = dial();
  ASSERT_GT(send(fresh, request.data(), request.size(), 0), 0);
  EXPECT_TRUE(receive(fresh).ends_with("127.0.0.1 true"));
  EXPECT_EQ(receive(silent[0]), "") << "the one that waited longest made room";
  close(fresh);
  for (int i = 0; i < 50 && server->connection_count() == 512; ++i) loop.turn(Nanos{1'000'000});
  EXPECT_EQ(server->connection_count(), 511U);
  later(Response::text("done"));
  EXPECT_TRUE(receive(busy, "done").ends_with("done")) << "a request in hand is left alone";
  close(busy);
  for (const int fd : silent) close(fd);
}

TEST_F(NetServerTest, RefusesWhereEverybodyIsServed) {
  NetServer::Options options;
  options.connections_max = 1;
  open(options);
  const int half = dial();
  ASSERT_GT(send(half, "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhe", 53, 0), 0);
  for (int i = 0; i < 10; ++i) loop.turn(Nanos{0});
  EXPECT_EQ(exchange("GET /who HTTP/1.1\r\nhost: x\r\n\r\n"), "");
  close(half);
}

TEST_F(NetServerTest, TakesTheAddressThatABalancerHasSeen) {
  NetServer::Options options;
  options.proxy_header = true;
  open(options);
  const std::string request = "GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
  const std::string claim = "X-Forwarded-For: 198.51.100.1, 203.0.113.7\r\n\r\n";
  const std::string named = "PROXY TCP4 203.0.113.9 127.0.0.1 5 6\r\n";
  const std::string unnamed = "PROXY UNKNOWN\r\n";
  EXPECT_TRUE(exchange(named + request + "\r\n").ends_with("203.0.113.9 false"));
  EXPECT_TRUE(exchange(named + request + claim).ends_with("203.0.113.9 false"));
  EXPECT_TRUE(exchange("PROXY TCP4 127.0.0.1 127.0.0.1 5 6\r\n" + request + "\r\n").ends_with("127.0.0.1 true"));
  EXPECT_TRUE(exchange(unnamed + request + "\r\n").ends_with("127.0.0.1 false"));
  EXPECT_TRUE(exchange(unnamed + request + claim).ends_with("203.0.113.7 false"));
  EXPECT_TRUE(exchange(unnamed + request + "X-Forwarded-For: a\r\n" + claim).ends_with("203.0.113.7 false"));
  EXPECT_TRUE(exchange(unnamed + request + "X-Forwarded-For: nonsense\r\n\r\n").ends_with("127.0.0.1 false"));
  EXPECT_EQ(exchange(request + "\r\n"), "");
  options.proxy_header = false;
  open(options);
  EXPECT_TRUE(exchange(request + claim).ends_with("127.0.0.1 true"));
}

TEST(Request, SaysWhetherItBeganOnThisMachine) {
  Request request;
  EXPECT_FALSE(request.from_this_machine());
  request.peer_is_loopback = true;
  EXPECT_TRUE(request.from_this_machine());
  for (const char* host :
       {"localhost", "LocalHost:18083", "127.0.0.1:18083", "[::1]:18083", "10.0.0.7", "a.localhost"}) {
    request.headers = {{"host", host}};
    EXPECT_TRUE(request.from_this_machine()) << host;
  }
  for (const char* host :
       {"evil.example:18083", "127.0.0.1.evil.example", "localhost.evil.example", "127.1", "[", "[evil.example]"}) {
    request.headers = {{"host", host}};
    EXPECT_FALSE(request.from_this_machine()) << host;
  }
  for (const char* name : {"x-forwarded-for", "x-real-ip", "forwarded"}) {
    request.headers = {{"host", "localhost"}, {name, ""}};
    EXPECT_FALSE(request.from_this_machine()) << name;
  }
}

TEST_F(NetServerTest, FinishesWhatIsInHand) {
  Reply later;
  Endpoint wait;
  wait.path = "/wait";
  wait.handler = [&later](const Call&, const Reply& reply) { later = reply; };
  table.add(std::move(wait));
  open();
  const int busy = dial();
  const int idle = dial();
  ASSERT_GT(send(busy, "GET /wait HTTP/1.1\r\nhost: h\r\n\r\n", 31, 0), 0);
  for (int i = 0; i < 50 && !later; ++i) loop.turn(Nanos{1'000'000});
  ASSERT_TRUE(later);
  server->finish();
  EXPECT_EQ(receive(idle), "");
  later(Response::text("done"));
  EXPECT_TRUE(receive(busy).ends_with("done"));
  close(busy);
  close(idle);
}

TEST(Assets, AreServedByWhatTheClientHas) {
  AssetTable assets;
  assets.add("/index.html", {"text/html", "plain", "zipped", "\"1\"", false});
  Request request;
  request.path = "/";
  EXPECT_EQ(serve_asset(&assets, request).fixed_body, "plain");
  request.headers = {{"accept-encoding", "br, gzip;q=0.5"}};
  EXPECT_EQ(serve_asset(&assets, request).fixed_body, "zipped");
  request.headers = {{"accept-encoding", "gzip;q=0"}};
  EXPECT_EQ(serve_asset(&assets, request).fixed_body, "plain");
  request.headers = {{"if-none-match", "\"1\""}};
  EXPECT_EQ(serve_asset(&assets, request).status, 304U);
  request.method = "POST";
  EXPECT_EQ(serve_asset(&assets, request).status, 405U);
  request.method = "GET";
  request.path = "/x";
  EXPECT_EQ(serve_asset(&assets, request).status, 404U);
  EXPECT_EQ(serve_asset(&assets, request).content_type, "text/html; charset=utf-8");
  request.accept = "application/json";
  EXPECT_EQ(serve_asset(&assets, request).content_type, "application/json");
  for (const char* path : {"/../etc/passwd", "/%2e%2e/x", "/%zz"}) {
    request.path = path;
    EXPECT_EQ(serve_asset(&assets, request).status, 404U) << path;
  }
  EXPECT_EQ(serve_asset(nullptr, request).status, 404U);
}

}  // namespace
}  // namespace sb::http
