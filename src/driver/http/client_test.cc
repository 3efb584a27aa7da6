#include "driver/http/client.h"

#include "driver/http/testing/server.h"

#include <gtest/gtest.h>

#include <future>

namespace sb::driver::http {
namespace {

using testing::Server;

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
