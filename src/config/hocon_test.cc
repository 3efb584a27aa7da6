#include "config/hocon.h"

#include "config/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sb::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string all(const Problems& problems) {
  std::string out;
  for (const Problem& p : problems) out += to_string(p) + "\n";
  return out;
}

/// The tree as compact JSON, or the problems.
std::string read(const std::string& text) {
  Problems problems;
  Value root = parse_document(text, "t.conf", problems);
  if (!problems.empty()) return "! " + all(problems);
  prune(root);
  return to_json(root, {.reveal = true, .pretty = false});
}

struct Case {
  const char* text;
  const char* json;
};
class Reads : public testing::TestWithParam<Case> {};
TEST_P(Reads, As) {
  EXPECT_EQ(read(GetParam().text), GetParam().json);
}
INSTANTIATE_TEST_SUITE_P(
    Table, Reads,
    testing::Values(
        Case{"", "{}"}, Case{"\xEF\xBB\xBF{a = 1}", R"({"a":1})"}, Case{"# only a comment", "{}"},
        Case{"a=1,b:2\nc{d=3}", R"({"a":1,"b":2,"c":{"d":3}})"}, Case{"a = 1 # x\nb = 2 // y", R"({"a":1,"b":2})"},
        Case{"a.b.c = 1\na.b.d = 2", R"({"a":{"b":{"c":1,"d":2}}})"}, Case{"\"a.b\" = 1", R"({"a.b":1})"},
        Case{"a = 1\na = 2", R"({"a":2})"}, Case{"a {b = 1}\na {c = 2}", R"({"a":{"b":1,"c":2}})"},
        Case{"a {b = 1}\na = 3", R"({"a":3})"}, Case{"a = [1, 2, 3,]", R"({"a":[1,2,3]})"},
        Case{"a = [\n1\n2\n]", R"({"a":[1,2]})"}, Case{"a = [{x=1}\n{y=2}]", R"({"a":[{"x":1},{"y":2}]})"},
        Case{"a = [{x=1} {y=2}]", R"({"a":[{"x":1,"y":2}]})"}, Case{"a = [1] [2]\n[3]", R"({"a":[1,2,3]})"},
        Case{"a = {x=1} {y=2}", R"({"a":{"x":1,"y":2}})"}, Case{"a = foo bar \"b z\"", R"({"a":"foobarb z"})"},
        Case{"a = \"x\"\n\"y\"\nb = 1", R"({"a":"xy","b":1})"}, Case{"a = \"x\"\n\"b\" = 1", R"({"a":"x","b":1})"},
        Case{"a = emqx@127.0.0.1", R"({"a":"emqx@127.0.0.1"})"}, Case{"a = 0.0.0.0:1883", R"({"a":"0.0.0.0:1883"})"},
        Case{"a = 15s, b = 70%, c = 1MB, d = 1h5m0s", R"({"a":"15s","b":"70%","c":"1MB","d":"1h5m0s"})"},
        Case{"a = -5, b = 1.5, c = 1e3", R"({"a":-5,"b":1.5,"c":1000.0})"},
        Case{"a = true, b = false, c = null", R"({"a":true,"b":false})"},
        Case{R"(a = "q\"\\\n\tA\u20ac")", "{\"a\":\"q\\\"\\\\\\n\\tA\xE2\x82\xAC\"}"},
        Case{R"(a = "\ud83d\ude00")", "{\"a\":\"\xF0\x9F\x98\x80\"}"},
        Case{"a = \"\"\"l1\nl2 \\d \"q\" \\n\"\"\"", R"({"a":"l1\nl2 \\d \"q\" \n"})"},
        Case{"a = \"\"\"~\n   x\n     y\n   \"\"\"", R"({"a":"x\n  y\n"})"},
        Case{"a = \"\"\"x\"\"\"\"", R"({"a":"x\""})"}, Case{"a = 1\nb = ${a}", R"({"a":1,"b":1})"},
        Case{"b = ${a}\na = 1\na = 2", R"({"a":2,"b":2})"}, Case{"a = x\nb = ${a}\"-\"${a}", R"({"a":"x","b":"x-x"})"},
        Case{"a = ${?b}", "{}"}, Case{"a = 1\na = ${?b}", R"({"a":1})"},
        Case{"a {x = 1}\nb = ${a} {y = 2}", R"({"a":{"x":1},"b":{"x":1,"y":2}})"},
        Case{"a {x = 1}\nb = ${a}\nb {x = 2}", R"({"a":{"x":1},"b":{"x":2}})"},
        Case{"a = [1]\nb = ${a} [2]", R"({"a":[1],"b":[1,2]})"},
        Case{"a {b = ${a.c}, c = 1}", R"({"a":{"b":1,"c":1}})"},
        Case{"a = [{x = 1}, {x = 2}]\na.2.x = 3", R"({"a":[{"x":1},{"x":3}]})"},
        Case{"a = [1]\na {\"2\" = 5}", R"({"a":[1,5]})"}, Case{"a = 1\na = null", "{}"}, Case{"a =\n 5", R"({"a":5})"},
        Case{"a\n{ b = 1 }", R"({"a":{"b":1}})"},
        Case{"{\"a\": {\"b\": [1, \"x\", null]}}", R"({"a":{"b":[1,"x",null]}})"},
        // Fields need no separator: a key is what stands before '=', ':' or '{'.
        Case{"{a = 1 b = 2}", R"({"a":1,"b":2})"}, Case{"m { a = 1 b = false }", R"({"m":{"a":1,"b":false}})"},
        Case{"a = x b = y z c.d = 5", R"({"a":"x","b":"yz","c":{"d":5}})"},
        Case{"a {b = 1} c {d = [1] e = \"x\" \"f\": null}", R"({"a":{"b":1},"c":{"d":[1],"e":"x"}})"},
        Case{"a = 1s b = ${a} c = 0.0.0.0:1883", R"({"a":"1s","b":"1s","c":"0.0.0.0:1883"})"},
        Case{"a = x 0.0.0.0:1883", R"({"a":"x0.0.0.0:1883"})"}, Case{"a = x y {b = 1}", R"({"a":"x","y":{"b":1}})"},
        Case{"a = [1 2 true \"x\" y]", R"({"a":[1,2,true,"xy"]})"}, Case{"a = [1.5 -2]", R"({"a":[1.5,-2]})"},
        Case{"include_x = 1", R"({"include_x":1})"}, Case{"a = 1\r\nb = 2\r\n", R"({"a":1,"b":2})"}));

class Refuses : public testing::TestWithParam<Case> {};
TEST_P(Refuses, With) {
  EXPECT_THAT(read(GetParam().text), HasSubstr(GetParam().json));
}
INSTANTIATE_TEST_SUITE_P(
    Table, Refuses,
    testing::Values(Case{"a", "t.conf:1: a"}, Case{"a = ", "end of file"}, Case{"a = \"x", "closing quote"},
                    Case{"a = [1", "bracket opened at line 1"}, Case{"\na {\n b = 1", "brace opened at line 2"},
                    Case{"a = 1 }", "closes nothing"}, Case{"a = ${b}", "unresolved_substitution"},
                    Case{"a = ${b}\nb = ${a}", "substitution_cycle"}, Case{"a = ${a}", "substitution_cycle"},
                    Case{"a = [1]\na.3 = 5", "bad_array_index"}, Case{"a = \"\\x\"", "scan_error"},
                    Case{"a = \"\\ud800\"", "surrogate"}, Case{"a = [1] x", "one kind"},
                    Case{"a = {b = 1} [2]", "one kind"}, Case{"a = [x b = 1]", "a value"},
                    Case{"include required(\"no.conf\")", "include_error"},
                    Case{"include \"no.conf\"\na = 1", "include is not allowed here"}, Case{"a = $b", "scan_error"},
                    Case{"a = `x`", "quotes"}, Case{"\xff = 1", "byte 0xff"}, Case{"a = \"\"\"x", "begun at line 1"}));

TEST(Hocon, SyntaxErrorsOfOneFileAreToldTogether) {
  const std::string out = read("a = `\nb = 1\nc = $x\nd = 2\n");
  EXPECT_THAT(out, HasSubstr("t.conf:1: a"));
  EXPECT_THAT(out, HasSubstr("t.conf:3: c"));
}

TEST(Hocon, NestingIsBounded) {
  EXPECT_THAT(read("a = " + std::string(100000, '[')), HasSubstr("levels of nesting"));
  EXPECT_THAT(read(std::string(100000, '{')), HasSubstr("!"));
  std::string path = "a";
  for (int i = 0; i < 1000; ++i) path += ".a";
  EXPECT_THAT(read(path + " = 1"), HasSubstr("fewer levels"));
}

TEST(Hocon, SubstitutionsCannotBlowUp) {
  std::string text = "a0 = [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string below = "${a" + std::to_string(i - 1) + "}";
    text += "a" + std::to_string(i) + " = [";
    for (int k = 0; k < 10; ++k) text += below + ",";
    text += "]\n";
  }
  EXPECT_THAT(read(text), HasSubstr("too_big"));
  std::string chain = "a0 = {x = 1}\n";
  for (int i = 1; i < 2000; ++i) chain += "a" + std::to_string(i) + " { y = ${a" + std::to_string(i - 1) + "} }\n";
  EXPECT_THAT(read(chain), HasSubstr("too_deep"));
}

TEST(Hocon, IncludesAreFoundAndRelative) {
  const std::map<std::string, std::string> files = {
      {"etc/a.conf", "x { include \"sub/b.conf\" }\ninclude \"c\"\nroot = 7"},
      {"etc/sub/b.conf", "k = 1\nl = ${k}\nm = ${root}\ninclude \"d.conf\""},
      {"etc/sub/d.conf", "n = 2"},
      {"data/configs/c", "from_data = true"}};
  const ParseOptions options{.read = [&](const std::string& path) -> std::optional<std::string> {
                               const auto it = files.find(path);
                               return it == files.end() ? std::nullopt : std::optional(it->second);
                             },
                             .include_dirs = {"data/configs"}};
  Problems problems;
  Parsed parsed = parse_file("etc/a.conf", options, problems);
  resolve(parsed.root, problems);
  EXPECT_TRUE(problems.empty()) << all(problems);
  EXPECT_EQ(to_json(parsed.root, {.reveal = true, .pretty = false}),
            R"({"from_data":true,"root":7,"x":{"k":1,"l":1,"m":7,"n":2}})");
  EXPECT_EQ(*parsed.root.at_path("x.n")->at.file, "etc/sub/d.conf");
  EXPECT_EQ(parsed.root.at_path("root")->at.line, 3u);
}

TEST(Hocon, IncludeCycleNamesTheChain) {
  const ParseOptions options{.read = [](const std::string& path) -> std::optional<std::string> {
                               if (path == "a.conf") return "include \"b.conf\"";
                               if (path == "b.conf") return "include \"a.conf\"";
                               return std::nullopt;
                             },
                             .include_dirs = {}};
  Problems problems;
  parse_file("a.conf", options, problems);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0].expected, HasSubstr("a.conf -> b.conf -> a.conf"));
  EXPECT_EQ(problems[0].file, "b.conf");
}

TEST(Hocon, IncludeOfAFolderIsRefusedWithItsPlace) {
  for (const char* text : {"a = 1\ninclude \"/tmp\"", "a = 1\ninclude required(\"/tmp\")"}) {
    Problems problems;
    parse_text(text, "etc/a.conf", {.read = {}, .include_dirs = {"/var"}}, problems);
    ASSERT_EQ(problems.size(), 1u) << text;
    EXPECT_EQ(to_string(problems[0]), "etc/a.conf:2: /tmp: expected a file that can be read, not /tmp (include_error)");
  }
  Problems none;
  parse_text("include \"no-such-file.conf\"", "a.conf", {.read = {}, .include_dirs = {}}, none);
  EXPECT_TRUE(none.empty()) << all(none);
}

TEST(Hocon, IncludeCountIsBounded) {
  const ParseOptions options{.read = [](const std::string& path) -> std::optional<std::string> {
                               if (path.size() > 2000) return "";
                               return "include \"x" + path + "\"\ninclude \"y" + path + "\"";  // a binary tree
                             },
                             .include_dirs = {}};
  Problems problems;
  parse_file("f", options, problems);
  EXPECT_FALSE(problems.empty());
}

TEST(Units, Durations) {
  const auto ms = [](std::string_view t) { return parse_duration(t, 1000us); };
  EXPECT_EQ(ms("15s"), 15s);
  EXPECT_EQ(ms("1h5m0s"), 1h + 5min);
  EXPECT_EQ(ms("0.5h"), 30min);
  EXPECT_EQ(ms("1F1W1D"), 24h * 22);
  EXPECT_EQ(ms("100MS"), 100ms);
  EXPECT_EQ(ms("42"), 42ms);
  EXPECT_EQ(parse_duration("42", 1000000us), 42s);
  EXPECT_EQ(parse_duration("250us", 1000us, true), 250us);
  for (const char* bad : {"", "s", "5x", "1h5", "-1s", "1..5s", "5us", "1e5s", "99999999999999999999d"})
    EXPECT_FALSE(ms(bad)) << bad;
}

TEST(Units, SizesPercentsRatesBinds) {
  EXPECT_EQ(parse_size("1MB"), 1u << 20);
  EXPECT_EQ(parse_size("512kb"), 512u << 10);
  EXPECT_EQ(parse_size("7b"), 7u);
  EXPECT_EQ(parse_size("0"), 0u);
  for (const char* bad : {"", "MB", "1TB", "-1", "1.5MB", "99999999999999999999", "9999999999GB"})
    EXPECT_FALSE(parse_size(bad)) << bad;
  EXPECT_DOUBLE_EQ(parse_percent("70%")->value, 0.7);
  EXPECT_DOUBLE_EQ(parse_percent("0.25")->value, 0.25);
  for (const char* bad : {"", "%", "101%", "1.5", "-1%"}) EXPECT_FALSE(parse_percent(bad)) << bad;
  EXPECT_TRUE(parse_rate("Infinity")->infinite());
  EXPECT_EQ(*parse_rate("10"), (Rate{10, 1s}));
  EXPECT_EQ(*parse_rate("1000/s"), (Rate{1000, 1s}));
  EXPECT_EQ(*parse_rate("100MB / 10s"), (Rate{100u << 20, 10s}));
  EXPECT_EQ(*parse_rate("10/2m"), (Rate{10, 2min}));
  EXPECT_DOUBLE_EQ(parse_rate("10/2m")->per_second(), 10.0 / 120);
  for (const char* bad : {"", "0", "0/s", "/s", "5/", "5/0s", "5/q", "a"}) EXPECT_FALSE(parse_rate(bad)) << bad;
  EXPECT_EQ(*parse_bind("1883"), (Bind{"", 1883}));
  EXPECT_EQ(*parse_bind(":1883"), (Bind{"", 1883}));
  EXPECT_EQ(*parse_bind("::1:1883"), (Bind{"::1", 1883}));
  EXPECT_EQ(*parse_bind("[::1]:1883"), (Bind{"::1", 1883}));
  EXPECT_EQ(*parse_bind(":::1883"), (Bind{"::", 1883}));
  EXPECT_EQ(to_string(*parse_bind(":::1883")), "[::]:1883");
  EXPECT_EQ(to_string(*parse_bind("1883")), "0.0.0.0:1883");
  for (const char* bad : {"", "65536", "a:1", "1.2.3:4", "1883x", "[1.2.3.4]:5", "-1"})
    EXPECT_FALSE(parse_bind(bad)) << bad;
}

}  // namespace
}  // namespace sb::config
