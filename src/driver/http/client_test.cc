#include "driver/http/client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

namespace sb::driver::http {
namespace {

/// Answers every request with the same bytes, a thread a connection; empty: accepts and keeps silent.
class Server {
 public:
  explicit Server(std::string answer) : answer_(std::move(answer)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    socklen_t size = sizeof at;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    ::listen(fd_, 64);
    acceptor_ = std::thread([this] {
      for (;;) {
        const int peer = ::accept(fd_, nullptr, nullptr);
        if (peer < 0) return;
        ++connections;
        peers_.emplace_back([this, peer] { serve(peer); });
        fds_.push_back(peer);
      }
    });
  }
  ~Server() {
    ::shutdown(fd_, SHUT_RDWR);
    ::close(fd_);
    acceptor_.join();
    for (const int fd : fds_) ::shutdown(fd, SHUT_RDWR);
    for (auto& peer : peers_) peer.join();
    for (const int fd : fds_) ::close(fd);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/x"; }
  std::atomic<int> connections{0};
  std::atomic<int> requests{0};

 private:
  void serve(int fd) {
    std::string got;
    char buffer[4096];
    for (;;) {
      const ssize_t n = ::read(fd, buffer, sizeof buffer);
      if (n <= 0) return;
      got.append(buffer, static_cast<std::size_t>(n));
      for (std::size_t end; (end = got.find("\r\n\r\n")) != std::string::npos; got.erase(0, end + 4)) {
        ++requests;
        if (!answer_.empty() && ::write(fd, answer_.data(), answer_.size()) < 0) return;
      }
    }
  }
  const std::string answer_;
  int fd_ = -1;
  int port_ = 0;
  std::thread acceptor_;
  std::vector<std::thread> peers_;
  std::vector<int> fds_;
};

std::future<Result<ClientResponse>> send(Client& client, ClientRequest request) {
  auto promise = std::make_shared<std::promise<Result<ClientResponse>>>();
  auto future = promise->get_future();
  EXPECT_TRUE(
      client.send(std::move(request), [promise](Result<ClientResponse> r) { promise->set_value(std::move(r)); }));
  return future;
}

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

TEST(HttpClient, GetsAnswersOverFewConnections) {
  Server server(kOk);
  Client client({.pool_size = 2});
  std::vector<std::future<Result<ClientResponse>>> all;
  for (int i = 0; i < 20; ++i) all.push_back(send(client, {.url = server.url()}));
  for (auto& one : all) {
    const auto answer = one.get();
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(answer->content_type, "text/plain");
    EXPECT_EQ(answer->body, "hello");
  }
  EXPECT_EQ(server.requests, 20);
  EXPECT_LE(server.connections, 2);
  EXPECT_EQ(client.trouble(), "");
}

TEST(HttpClient, FollowsNoRedirect) {
  Server server("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
  Client client({});
  const auto answer = send(client, {.url = server.url()}).get();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 302U);
  EXPECT_EQ(server.requests, 1);
}

TEST(HttpClient, GivesUpInTime) {
  Server silent("");
  Client client({});
  const auto answer = send(client, {.url = silent.url() + "?password=hunter2", .timeout = Millis{200}}).get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::Timeout);
  EXPECT_EQ(answer.error().what.find("hunter2"), std::string::npos) << answer.error().what;
  EXPECT_NE(client.trouble(), "");
}

TEST(HttpClient, TakesNoMoreThanItsBound) {
  Server server("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + std::string(100000, 'x'));
  Client client({.body_max = 1000});
  const auto answer = send(client, {.url = server.url()}).get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::Full);
}

TEST(HttpClient, RefusesWhatDoesNotFitAndAnswersTheRestAtItsEnd) {
  Server silent("");
  std::vector<std::future<Result<ClientResponse>>> all;
  {
    Client client({.pool_size = 1, .waiting_max = 3});
    for (int i = 0; i < 3; ++i) all.push_back(send(client, {.url = silent.url()}));
    EXPECT_FALSE(client.send({.url = silent.url()}, [](const Result<ClientResponse>&) { ADD_FAILURE(); }));
  }
  for (auto& one : all) EXPECT_FALSE(one.get());
}

TEST(HttpClient, LeavesADeadServiceAloneForAWhile) {
  std::string url;
  {
    Server gone(kOk);
    url = gone.url();
  }
  Client client({.back_off = Millis{200}});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(send(client, {.url = url}).get());
  const auto refused = send(client, {.url = url}).get();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("left alone"), std::string::npos) << refused.error().what;
}

TEST(HttpClient, SpeaksOnlyHttp) {
  Client client({});
  EXPECT_FALSE(send(client, {.url = "file:///etc/hostname"}).get());
  EXPECT_FALSE(send(client, {.url = "not a url"}).get());
}

}  // namespace
}  // namespace sb::driver::http
