#include "base/json_text.h"

#include "base/time_text.h"

#include <gtest/gtest.h>

namespace sb {
namespace {

TEST(JsonText, EscapesWhatMustBe) {
  EXPECT_EQ(json_quoted("a\"b\\c\n\t\x01"), "\"a\\\"b\\\\c\\n\\t\\u0001\"");
  EXPECT_EQ(json_quoted("grüß €😀"), "\"grüß €😀\"");
}

TEST(JsonText, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(json_quoted("a\xFF"
                        "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
  EXPECT_EQ(json_quoted("\xC0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");  // overlong
  EXPECT_EQ(json_quoted("\xED\xA0\x80").size(), 2U + 9U);              // a surrogate
  EXPECT_EQ(json_quoted("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");  // cut short
}

// By eights while it is ASCII: whatever stands at whatever place is found, and everything else stays.
TEST(JsonText, MakesUtf8OfAnyText) {
  const std::string plain(41, 'x');
  EXPECT_EQ(utf8_text(plain), plain);
  EXPECT_EQ(utf8_text(""), "");
  for (std::size_t at = 0; at <= plain.size(); ++at) {
    for (const std::string good : {"\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
      std::string text = plain;
      text.insert(at, good);
      EXPECT_EQ(utf8_text(text), text) << at;
      std::string cut = plain.substr(0, at) + good.substr(0, good.size() - 1);  // the end is not read past
      std::string shown = plain.substr(0, at);
      for (std::size_t i = 1; i < good.size(); ++i) shown += "\xEF\xBF\xBD";
      EXPECT_EQ(utf8_text(cut), shown) << at;
    }
    std::string text = plain;
    text.insert(at, "\xFF\xC0");
    std::string shown = plain;
    shown.insert(at, "\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(utf8_text(text), shown) << at;
  }
}

TEST(JsonText, BuildsObjects) {
  JsonObject out;
  EXPECT_EQ(JsonObject().done(), "{}");
  EXPECT_EQ(out.text("a", "x").number("b", 1.5).boolean("c", true).raw("d", "[1]").done(),
            "{\"a\":\"x\",\"b\":1.5,\"c\":true,\"d\":[1]}");
}

TEST(TimeText, WritesFractionAndOffset) {
  setenv("TZ", "UTC", 1);
  tzset();
  EXPECT_EQ(rfc3339(1'700'000'000'123), "2023-11-14T22:13:20.123+00:00");
  EXPECT_EQ(rfc3339(1'700'000'000'123, 0), "2023-11-14T22:13:20+00:00");
  EXPECT_EQ(rfc3339(1'700'000'000'123, 9), "2023-11-14T22:13:20.123000000+00:00");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999+00:00");
  setenv("TZ", "ABC-05:30", 1);
  tzset();
  EXPECT_EQ(rfc3339(0), "1970-01-01T05:30:00.000+05:30");
  setenv("TZ", "ABC+03:30", 1);
  tzset();
  EXPECT_EQ(rfc3339(0), "1969-12-31T20:30:00.000-03:30");
  unsetenv("TZ");
  tzset();
}

}  // namespace
}  // namespace sb
