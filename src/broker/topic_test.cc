#include "broker/topic.h"

#include <gtest/gtest.h>

#include <string>

namespace sb::broker {
namespace {

using std::literals::operator""sv;

TEST(TopicName, IsAnyTextWithoutWildcardsAndNul) {  // [MQTT-3.3.2-2] [MQTT-4.7.3-1] [MQTT-4.7.3-2]
  for (const std::string_view good : {"a", "/", "a//b", " ", "$SYS/x", "a b/c", "\xff"})
    EXPECT_TRUE(check_topic_name(good)) << good;
  for (const std::string_view bad : {""sv, "#"sv, "+"sv, "a/+"sv, "a/b#"sv, "a\0b"sv}) {
    const auto checked = check_topic_name(bad);
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error(), ReasonCode::TopicNameInvalid);
  }
  EXPECT_TRUE(check_topic_name(std::string(65535, 'a')));
  EXPECT_FALSE(check_topic_name(std::string(65536, 'a')));
}

TEST(TopicFilter, HoldsWildcardsOnlyAsWholeLevels) {  // [MQTT-4.7.1-1] [MQTT-4.7.1-2]
  for (const std::string_view good :
       {"#", "+", "a/#", "a/+", "+/#", "/", "//", "/+", "+/", "+/+", "a/+/b", "$SYS/#", "a/"})
    EXPECT_TRUE(check_topic_filter(good)) << good;
  for (const std::string_view bad : {""sv, "a#"sv, "#a"sv, "#/"sv, "a/#/b"sv, "a/#/"sv, "a+"sv, "+a"sv, "a/+b"sv,
                                     "a/b+/c"sv, "++"sv, "+#"sv, "##"sv, "a\0"sv}) {
    const auto checked = check_topic_filter(bad);
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error(), ReasonCode::TopicFilterInvalid);
  }
  EXPECT_TRUE(check_topic_filter(std::string(65535, 'a')));
  EXPECT_FALSE(check_topic_filter(std::string(65536, 'a')));
}

TEST(TopicText, StrictRulesWantCleanUtf8) {  // 1.5.4
  for (const std::string_view good :
       {"a"sv, "\xc3\xa4"sv, "\xe4\xb8\xad"sv, "\xf0\x9f\x98\x80"sv, "\xef\xbb\xbf"sv, "\xc2\xa0"sv,
        "\xf4\x8f\xbf\xbf"sv, "\xed\x9f\xbf"sv, "\xee\x80\x80"sv, "~"sv, " "sv})
    EXPECT_TRUE(is_strict_utf8(good));
  for (const std::string_view bad : {"\x01"sv,
                                     "\x1f"sv,
                                     "\x7f"sv,
                                     "\xc2\x80"sv,
                                     "\xc2\x9f"sv,
                                     "\xc0\x80"sv,
                                     "\xc1\xbf"sv,
                                     "\xe0\x80\x80"sv,
                                     "\xe0\x9f\xbf"sv,
                                     "\xed\xa0\x80"sv,
                                     "\xed\xbf\xbf"sv,
                                     "\xf0\x80\x80\x80"sv,
                                     "\xf0\x8f\xbf\xbf"sv,
                                     "\xf4\x90\x80\x80"sv,
                                     "\xf8\x88\x80\x80\x80"sv,
                                     "\xff"sv,
                                     "\x80"sv,
                                     "\xc3"sv,
                                     "\xe4\xb8"sv,
                                     "\xf0\x9f\x98"sv,
                                     "\xc3\x28"sv,
                                     "a\0"sv}) {
    EXPECT_FALSE(is_strict_utf8(bad));
    EXPECT_FALSE(check_topic_name(bad, TextRules::Strict));
    EXPECT_FALSE(check_topic_filter(bad, TextRules::Strict));
  }
  EXPECT_TRUE(check_topic_name("\xff"));
  EXPECT_TRUE(check_topic_filter("\xff"));
}

TEST(Topic, CountsEmptyLevels) {
  EXPECT_EQ(count_levels("a"), 1u);
  EXPECT_EQ(count_levels("/"), 2u);
  EXPECT_EQ(count_levels("a/b/"), 3u);
}

struct MatchCase {
  std::string_view filter;
  std::string_view topic;
  bool expected;
};

TEST(TopicMatch, FollowsTheExamplesOfTheSpecification) {  // 4.7.1 4.7.2
  constexpr MatchCase kCases[] = {
      {"sport/tennis/player1/#", "sport/tennis/player1", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
      {"sport/#", "sport", true},
      {"sport/#", "sports", false},
      {"#", "a", true},
      {"#", "/", true},
      {"sport/tennis/+", "sport/tennis/player1", true},
      {"sport/tennis/+", "sport/tennis/player1/ranking", false},
      {"sport/+", "sport", false},
      {"sport/+", "sport/", true},
      {"+/+", "/finance", true},
      {"/+", "/finance", true},
      {"+", "/finance", false},
      {"+", "finance", true},
      {"a", "/a", false},
      {"/a", "a", false},
      {"a/", "a", false},
      {"a//b", "a/b", false},
      {"a//b", "a//b", true},
      {"a/+/b", "a//b", true},
      {"a/+/#", "a", false},
      {"a/+/#", "a/b", true},
      {"a/b/#", "a", false},
      {"+/#", "a", true},
      {"+/#", "a/b/c", true},
      {"/#", "/", true},
      {"/#", "a", false},
      {"#", "$SYS/x", false},
      {"+/x", "$SYS/x", false},
      {"+/#", "$SYS", false},
      {"$SYS/#", "$SYS/x", true},
      {"$SYS/#", "$SYS", true},
      {"$SYS/+", "$SYS/x", true},
      {"a/#", "a/$b", true},
      {"a/+", "a/$b", true},
      {"Accounts", "ACCOUNTS", false},
  };
  for (const MatchCase& c : kCases) EXPECT_EQ(matches(c.filter, c.topic), c.expected) << c.filter << " : " << c.topic;
}

TEST(ParseFilter, TakesPrefixesOff) {
  const auto plain = parse_filter("a/+");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->kind, FilterKind::Plain);
  EXPECT_EQ(plain->filter, "a/+");
  EXPECT_TRUE(plain->group.empty());
  EXPECT_FALSE(plain->is_shared());

  const auto shared = parse_filter("$share/g1//a/#");
  ASSERT_TRUE(shared);
  EXPECT_EQ(shared->kind, FilterKind::Shared);
  EXPECT_EQ(shared->group, "g1");
  EXPECT_EQ(shared->filter, "/a/#");
  EXPECT_TRUE(shared->is_shared());

  const auto queue = parse_filter("$queue/t");
  ASSERT_TRUE(queue);
  EXPECT_EQ(queue->kind, FilterKind::Queue);
  EXPECT_EQ(queue->group, kQueueGroup);
  EXPECT_EQ(queue->filter, "t");

  const auto exclusive = parse_filter("$exclusive/t/1");
  ASSERT_TRUE(exclusive);
  EXPECT_EQ(exclusive->kind, FilterKind::Exclusive);
  EXPECT_EQ(exclusive->filter, "t/1");
}

TEST(ParseFilter, LeavesWhatOnlyLooksLikeAPrefix) {
  for (const std::string_view text :
       {"$share", "$shared/a", "$queue", "$queues/a", "$exclusive", "$SYS/#", "share/g/t"}) {
    const auto parsed = parse_filter(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->kind, FilterKind::Plain);
    EXPECT_EQ(parsed->filter, text);
  }
}

TEST(ParseFilter, RefusesBadGroupsAndFilters) {  // [MQTT-4.8.2-1] [MQTT-4.8.2-2]
  for (const std::string_view text :
       {""sv, "$share/"sv, "$share/g"sv, "$share/g/"sv, "$share//t"sv, "$share/+/t"sv, "$share/#/t"sv, "$share/a+b/t"sv,
        "$share/g/a#"sv, "$share/g/$share/h/t"sv, "$share/g/$queue/t"sv, "$queue/"sv, "$queue/$share/g/t"sv,
        "$queue/$queue/t"sv, "$queue/a+"sv, "$exclusive/"sv, "$exclusive/a/#/b"sv, "$share/g\0/t"sv}) {
    const auto parsed = parse_filter(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error(), ReasonCode::TopicFilterInvalid);
  }
  EXPECT_TRUE(parse_filter("$share/\xff/t"));
  EXPECT_FALSE(parse_filter("$share/\xff/t", TextRules::Strict));
}

TEST(ParseDelayed, TakesTimeAndTopicApart) {
  const auto delayed = parse_delayed("$delayed/15/a/b");
  ASSERT_TRUE(delayed);
  EXPECT_EQ(delayed->n, 15);
  EXPECT_EQ(delayed->topic, "a/b");
  EXPECT_EQ(parse_delayed("$delayed/0//")->topic, "/");
  EXPECT_EQ(parse_delayed("$delayed/9999999999/t")->n, 9'999'999'999);
  EXPECT_TRUE(parse_delayed("$delayed/1/$delayed"));
}

TEST(ParseDelayed, RefusesWhatIsMalformed) {
  for (const char* bad : {"$delayed/", "$delayed/1", "$delayed/1/", "$delayed//t", "$delayed/x/t", "$delayed/-1/t",
                          "$delayed/+1/t", "$delayed/1x/t", "$delayed/12345678901/t"}) {
    EXPECT_FALSE(parse_delayed(bad)) << bad;
    EXPECT_EQ(topic_in_the_end(bad), "") << bad;
  }
}

TEST(ParseDelayed, ATopicWithinIsNotDelayedAgain) {
  EXPECT_FALSE(parse_delayed("$delayed/1/$delayed/1/t"));
  EXPECT_EQ(topic_in_the_end("$delayed/1/$delayed/1/t"), "");
  EXPECT_EQ(topic_in_the_end("$delayed/1/t"), "t");
  EXPECT_EQ(topic_in_the_end("t/$delayed/1/$delayed/1/t"), "t/$delayed/1/$delayed/1/t");
  EXPECT_EQ(topic_in_the_end("$delayed"), "$delayed");
}

TEST(CanonicalFilter, IsOneForBothSpellingsOfAQueue) {
  EXPECT_EQ(canonical_filter("$share/$queue/t"), "$queue/t");
  EXPECT_EQ(canonical_filter("$queue/t"), "$queue/t");
  for (const char* other : {"t", "$share/g/t", "$share/$queues/t", "$share/$queue", "$exclusive/$share/$queue/t"})
    EXPECT_EQ(canonical_filter(other), other);
}

}  // namespace
}  // namespace sb::broker
