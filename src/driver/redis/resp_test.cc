#include "driver/redis/resp.h"

#include <gtest/gtest.h>

namespace sb::driver::redis {
namespace {

TEST(Resp, ACommandIsAnArrayOfTexts) {
  EXPECT_EQ(encode({"GET", "a\r\nDEL b"}), "*2\r\n$3\r\nGET\r\n$8\r\na\r\nDEL b\r\n");
  EXPECT_EQ(encode({"X", ""}), "*2\r\n$1\r\nX\r\n$0\r\n\r\n");
  EXPECT_EQ(encode({std::string("\0", 1)}), std::string("*1\r\n$1\r\n\0\r\n", 11));
}

TEST(Resp, RepliesComeInAnyPieces) {
  constexpr std::string_view kBytes =
      "*5\r\n+OK\r\n:-7\r\n$5\r\na\r\nbc\r\n$-1\r\n*1\r\n-WRONGTYPE no list\r\n+next\r\n";
  for (std::size_t cut = 0; cut <= kBytes.size(); ++cut) {
    Reader reader;
    std::vector<Reply> replies;
    for (const auto piece : {kBytes.substr(0, cut), kBytes.substr(cut)}) {
      reader.feed(piece);
      for (;;) {
        auto reply = reader.next();
        ASSERT_TRUE(reply) << cut << reply.error().what;
        if (!*reply) break;
        replies.push_back(std::move(**reply));
      }
    }
    ASSERT_EQ(replies.size(), 2u) << cut;
    const Reply& first = replies[0];
    ASSERT_EQ(first.elements.size(), 5u);
    EXPECT_EQ(first.elements[0].text, "OK");
    EXPECT_EQ(first.elements[1].text, "-7");
    EXPECT_EQ(first.elements[2].text, "a\r\nbc");
    EXPECT_TRUE(first.elements[3].is_nil());
    EXPECT_TRUE(first.elements[4].elements[0].is_error());
    EXPECT_EQ(first.elements[4].elements[0].error_code(), "WRONGTYPE");
    EXPECT_EQ(replies[1].text, "next");
    EXPECT_TRUE(reader.empty());
  }
}

TEST(Resp, HostileRepliesAreRefused) {
  for (const std::string_view bad :
       {"*2147483647\r\n", "$999999999999\r\n", "$-2\r\n", "*-2\r\n", "$x\r\n", ":1x\r\n", "\r\n", "SSH-2.0\r\n",
        "HTTP", "%1\r\n+a\r\n+b\r\n", "$1\r\nabc", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n+deep\r\n",
        "*99999\r\n*99999\r\n"}) {
    Reader reader;
    reader.feed(bad);
    EXPECT_FALSE(reader.next()) << bad;
  }
}

}  // namespace
}  // namespace sb::driver::redis
