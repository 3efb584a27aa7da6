#include "access/authn/http_settings.h"

#include <gtest/gtest.h>

namespace sb::access::authn {
namespace {

struct Settings : config::AuthnCommon, HttpSettings {
  static const config::Struct& schema() {
    static const config::Struct s = [] {
      auto schema = config::authn_schema<Settings>("http", true);
      return add_http_fields(schema, "5s").build();
    }();
    return s;
  }
};

/// nullopt after a problem.
std::optional<Settings> read(const std::string& more) {
  const auto value =
      config::parse_value(R"({"mechanism":"password_based","backend":"http","method":"get",)" + more + "}", "settings");
  EXPECT_TRUE(value) << more;
  config::Value tree = *value;
  config::Problems errors, warnings;
  const std::map<std::string, std::string> env;
  config::Checker checker(errors, warnings, env);
  Settings out;
  checker.read_object(Settings::schema(), tree, &out);
  return errors.empty() ? std::optional(out) : std::nullopt;
}

TEST(HttpRequest, NoValueLeadsToAnotherPath) {
  const auto settings = read(R"("url":"http://h/../${clientid}/a.${username}/public?q=${username}")");
  ASSERT_TRUE(settings);
  const HttpRequestTemplate<Template> request(*settings);
  const auto asked = [&](std::string_view client_id, std::string_view username) {
    Credentials who;
    who.subject.client_id = client_id;
    who.subject.username = username;
    return request.make([&](const Template& text, const auto& encode) { return text.render(who, encode); });
  };
  EXPECT_EQ(asked("c/1", "..")->url, "http://h/../c%2F1/a.../public?q=..") << "what the settings say themselves stays";
  for (const char* fine : {"...", "a..", "..a", ". .", "a/b", "a.b/c", "?..", "#.", "", "%2", "..%"})
    EXPECT_TRUE(asked(fine, "joe")) << fine;
  for (const char* bad : {"..", ".", "#/.", "a/..", "../a", "a/./b", "..\\a", "%2e%2e", "a/%2E%2e", "..;x", ".;", "%2e",
                          "..%2fa", "%2e%2e%5c"})
    EXPECT_FALSE(asked(bad, "joe")) << bad;
}

TEST(HttpRequest, NoEmptyValueMakesADotOfWhatStandsBesideIt) {
  const HttpRequestTemplate<Template> request(*read(R"("url":"http://h/.${username}/x")"));
  const auto asked = [&](std::string_view username) {
    Credentials who;
    who.subject.username = username;
    return request.make([&](const Template& text, const auto& encode) { return text.render(who, encode); });
  };
  EXPECT_TRUE(asked("joe"));
  EXPECT_FALSE(asked(""));
  EXPECT_FALSE(asked("."));
}

TEST(HttpSettings, HeadersAreNamesWithTexts) {
  const std::string url = R"("url":"http://h/",)";
  EXPECT_EQ(read(url + R"("headers":{"X-Who":"${clientid}"})")->header_map.at("x-who"), "${clientid}");
  for (const char* bad :
       {R"({"content-length":"0"})", R"({"Content-Length":"5"})", R"({"transfer-encoding":"chunked"})", R"({"":"a"})",
        R"({"a":""})", R"({"a b":"c"})", R"({"a:b":"c"})", R"({"a":"b\r\nc: d"})", R"({"ä":"b"})", R"({"a(":"b"})"})
    EXPECT_FALSE(read(url + R"("headers":)" + bad)) << bad;
}

}  // namespace
}  // namespace sb::access::authn
