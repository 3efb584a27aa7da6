#include "cli/http_client.h"

#include "cli/ctl.h"

#include <gtest/gtest.h>

namespace sb::cli {
namespace {

std::string message_of(std::string body) {
  HttpAnswer answer;
  answer.body = std::move(body);
  return answer.message();
}

TEST(HttpAnswer, TellsAProblemWithAValueInOneLine) {
  EXPECT_EQ(message_of(R"({"code":"BAD_REQUEST","message":"{\"kind\":\"validation_error\",\"path\":\"root.level\",)"
                       R"(\"expected\":\"one of: debug, info\",\"value\":\"nope\"}"})"),
            "level = nope: expected one of: debug, info");
  EXPECT_EQ(message_of(R"({"message":"{\"path\":\"root.topic\",\"expected\":\"text\"}"})"), "topic: expected text");
  EXPECT_EQ(message_of(R"({"message":"{\"path\":\"qos\",\"expected\":\"0..2\",\"value\":5}"})"),
            "qos = 5: expected 0..2");
}

TEST(HttpAnswer, TellsEveryProblemOnALineOfItsOwn) {
  EXPECT_EQ(message_of(R"({"message":"[{\"path\":\"root.a.b\",\"reason\":\"required_field\",\"expected\":\"text\"},)"
                       R"({\"path\":\"root.3.qos\",\"reason\":\"bad_type\",\"expected\":\"0..2\",\"value\":7}]"})"),
            "a.b: expected text\n3.qos = 7: expected 0..2");
  EXPECT_EQ(message_of(R"({"message":"{\"path\":\"root.rules\",\"reason\":\"line 2: no rule\"}"})"),
            "rules: line 2: no rule");
  EXPECT_EQ(message_of(R"({"message":"{\"path\":\"rooted.x\",\"reason\":\"bad\"}"})"), "rooted.x: bad");
  EXPECT_EQ(
      message_of(R"({"message":"{\"path\":\"root\",\"reason\":\"not_built\",\"expected\":\"it is not there\"}"})"),
      "it is not there");
  EXPECT_EQ(message_of(R"({"message":"[{\"reason\":\"bad_type\"},7]"})"), R"([{"reason":"bad_type"},7])");
}

TEST(HttpAnswer, LeavesOtherMessagesAsTheyAre) {
  EXPECT_EQ(message_of(R"({"message":"Node not found: x"})"), "Node not found: x");
  EXPECT_EQ(message_of(R"({"message":"{\"who\":\"a\"}"})"), R"({"who":"a"})");
  EXPECT_EQ(message_of("no JSON"), "no JSON");
}

TEST(CtlTables, ShowControlCharactersOfTextThatClientsChose) {
  const json::object ban{{"who", "a\x1b[2J\nb\x7f\xc2\x9b\xc3\xa4\xc2"}};
  EXPECT_EQ(text_of(ban, "who"), "a\\u001b[2J\\u000ab\\u007f\\u009b\xc3\xa4\xc2");
}

}  // namespace
}  // namespace sb::cli
