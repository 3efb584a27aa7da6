#include "access/backend/redis_command.h"

#include <gtest/gtest.h>

namespace sb::access::backend {
namespace {

const std::vector<std::string_view> kAllowed = {"HGET", "HMGET"};

TEST(RedisCommand, IsMadeOfWords) {
  const auto parsed = RedisCommand::parse("hmget  'my users':${username} password_hash \"sa\\\"lt\"", kAllowed);
  ASSERT_TRUE(parsed) << parsed.error().what;
  EXPECT_EQ(parsed->name(), "HMGET");
  EXPECT_EQ(parsed->fields(), (std::vector<std::string>{"password_hash", "sa\"lt"}));
  Credentials credentials;
  credentials.subject.username = "joe password_hash\r\nDEL x";
  const auto words = parsed->values(credentials);
  ASSERT_EQ(words.size(), 4u) << "a value is never more than a part of the key";
  EXPECT_EQ(words[1], "my users:joe password_hash\r\nDEL x");
}

TEST(RedisCommand, TellsWhatIsWrong) {
  const auto why = [](std::string_view text, std::vector<std::string_view> allowed = kAllowed) {
    auto parsed = RedisCommand::parse(text, allowed);
    return parsed ? "good" : parsed.error().what;
  };
  EXPECT_EQ(why(""), "HGET or HMGET");
  EXPECT_EQ(why("GET a"), "HGET or HMGET");
  EXPECT_EQ(why("FLUSHALL"), "HGET or HMGET");
  EXPECT_EQ(why("${username} k f"), "HGET or HMGET");
  EXPECT_EQ(why("HGET"), "a key behind the command");
  EXPECT_EQ(why("HGET k"), "a field behind the key");
  EXPECT_EQ(why("HGET k a b"), "one field behind the key of HGET");
  EXPECT_EQ(why("HGET k:${nobody} a"), "a key without the unknown placeholder ${nobody}");
  EXPECT_EQ(why("HGET k ${username}"), "placeholders in the key only");
  EXPECT_EQ(why("HGET 'k a"), "' with its end");
  EXPECT_EQ(why("HGET k a\\"), "no backslash at the end");
  EXPECT_EQ(why("HGETALL k", {"HGETALL"}), "good");
  EXPECT_EQ(why("HGETALL k f", {"HGETALL"}), "nothing behind the key of HGETALL");
}

}  // namespace
}  // namespace sb::access::backend
