#include "driver/http/connection.h"

#include "driver/http/testing/server.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace sb::driver::http {
namespace {

using resource::Limit;
using resource::Stop;
using testing::Server;
using Clock = std::chrono::steady_clock;

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

class HttpConnection : public ::testing::Test {
 protected:
  std::shared_ptr<Service> service_at(const Server& server, std::size_t body_max = 1 << 20) const {
    return std::make_shared<Service>(
        ServiceOptions{.origin = server.origin(), .answer_timeout = Millis{200}, .body_max = body_max});
  }
  static std::unique_ptr<Connection> open(const std::shared_ptr<Service>& service, const Limit& limit) {
    auto made = Connection::open(service, limit);
    EXPECT_TRUE(made) << made.error().what;
    return made ? std::unique_ptr<Connection>(static_cast<Connection*>(made->release())) : nullptr;
  }
  Limit within(Millis time) const { return Limit(Clock::now() + time, stop); }
  Stop stop;
};

TEST_F(HttpConnection, IsKeptFromOneQuestionToTheNext) {
  Server server(kOk);
  const auto connection = open(service_at(server), within(Millis{5'000}));
  ASSERT_TRUE(connection);
  for (int i = 0; i < 3; ++i) {
    const auto answer = connection->ask({.url = server.url()}, within(Millis{5'000}));
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->body, "hello");
    EXPECT_TRUE(connection->usable());
  }
  EXPECT_EQ(server.requests, 3);
  EXPECT_EQ(server.connections, 2) << "one to see that it is there, one for the questions";
}

TEST_F(HttpConnection, IsNotMadeWhereNobodyListens) {
  std::string origin;
  {
    const Server gone(kOk);
    origin = gone.origin();
  }
  const auto service = std::make_shared<Service>(ServiceOptions{.origin = origin});
  const auto refused = Connection::open(service, within(Millis{5'000}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Unavailable);
}

TEST_F(HttpConnection, IsGivenUpAfterSilenceUntilTheServiceAnswersAgain) {
  const Server silent("");
  const auto service = service_at(silent);
  const auto connection = open(service, within(Millis{5'000}));
  ASSERT_TRUE(connection);
  const auto answer = connection->ask({.url = silent.url() + "?password=hunter2"}, within(Millis{100}));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::Timeout);
  EXPECT_EQ(answer.error().what.find("hunter2"), std::string::npos) << answer.error().what;
  EXPECT_FALSE(connection->usable());
  EXPECT_FALSE(Connection::open(service, within(Millis{5'000}))) << "that it listens does not count any more";

  const Server lively(kOk);
  const auto well = service_at(lively);
  well->silent = true;
  EXPECT_TRUE(Connection::open(well, within(Millis{5'000})));
  EXPECT_FALSE(well->silent);
  EXPECT_EQ(lively.requests, 1);
}

TEST_F(HttpConnection, TakesNoMoreThanItsBound) {
  Server server("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + std::string(100000, 'x'));
  const auto connection = open(service_at(server, 1000), within(Millis{5'000}));
  ASSERT_TRUE(connection);
  const auto answer = connection->ask({.url = server.url()}, within(Millis{5'000}));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::Full);
}

TEST_F(HttpConnection, WaitsNoLongerThanTheNodeRuns) {
  const Server silent("");
  const auto connection = open(service_at(silent), within(Millis{5'000}));
  ASSERT_TRUE(connection);
  std::thread end([this] {
    std::this_thread::sleep_for(Millis{50});
    stop.say();
  });
  const auto began = Clock::now();
  EXPECT_FALSE(connection->ask({.url = silent.url()}, within(Millis{30'000})));
  EXPECT_LT(Clock::now() - began, Millis{5'000});
  end.join();
}

}  // namespace
}  // namespace sb::driver::http
