#include "driver/resource/dial.h"

#include <gtest/gtest.h>

namespace sb::driver::resource {
namespace {

TEST(Server, IsReadWithAndWithoutAPort) {
  EXPECT_EQ(parse_server("db.example", 5432).value(), (Server{"db.example", 5432}));
  EXPECT_EQ(parse_server(" 127.0.0.1:1234 ", 5432).value(), (Server{"127.0.0.1", 1234}));
  EXPECT_EQ(parse_server("[::1]:1234", 5432).value(), (Server{"::1", 1234}));
  EXPECT_EQ(parse_server("[::1]", 5432).value(), (Server{"::1", 5432}));
  EXPECT_EQ(to_string(Server{"::1", 1}), "[::1]:1");
  for (const char* bad : {"", ":1", "a:", "a:0", "a:65536", "a:b", "::1", "[::1", "[::1]x", "user@host", "a b", "a/b"})
    EXPECT_FALSE(parse_server(bad, 1)) << bad;
}

TEST(Server, ListsAreSeparatedByCommas) {
  const auto servers = parse_servers("a:1, b,[::1]:3", 2);
  ASSERT_TRUE(servers);
  EXPECT_EQ(*servers, (std::vector<Server>{{"a", 1}, {"b", 2}, {"::1", 3}}));
  EXPECT_FALSE(parse_servers("a,,b", 2));
  EXPECT_FALSE(parse_servers("", 2));
}

TEST(Dial, TellsThatNobodyListens) {
  Stop stop;
  const Limit limit(std::chrono::steady_clock::now() + std::chrono::seconds(5), stop);
  const auto dialled = dial({"127.0.0.1", 1}, limit);
  ASSERT_FALSE(dialled);
  EXPECT_EQ(dialled.error().code, Errc::Unavailable);
}

TEST(Limit, EndsWithItsStop) {
  Stop stop;
  const Limit limit(std::chrono::steady_clock::now() + std::chrono::hours(1), stop);
  stop.say();
  EXPECT_EQ(limit.wait(0, 0).error().code, Errc::Unavailable);
  Stop other;
  const Limit past(std::chrono::steady_clock::now(), other);
  EXPECT_EQ(past.wait(0, 0).error().code, Errc::Timeout);
}

}  // namespace
}  // namespace sb::driver::resource
