// Rules between keys: each is told as soon as the keys that it reads are good, whatever else is wrong.
#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sb::config {
namespace {

/// "line path" of each problem.
std::vector<std::string> problems(const std::string& text) {
  LoadOptions options;
  options.main_file = "etc/emqx.conf";
  options.read = [&text](const std::string& path) {
    return path == "etc/emqx.conf" ? std::optional<std::string>(text) : std::nullopt;
  };
  std::vector<std::string> out;
  const Loaded loaded = load(options);
  EXPECT_EQ(loaded.config != nullptr, loaded.errors.empty());
  for (const Problem& p : loaded.errors) out.push_back(fmt::format("{} {}", p.line, p.path));
  return out;
}

using testing::ElementsAre;

TEST(CrossChecks, AreNotHiddenByOtherMistakes) {
  EXPECT_THAT(problems("sysmon.os.cpu_high_watermark = 50%\n"
                       "sysmon.os.cpu_check_interval = often\n"
                       "listeners.ssl.default.ssl_options.fail_if_no_peer_cert = true\n"
                       "listeners.ssl.default.ssl_options.dept = 3\n"
                       "listeners.tcp.default.zone = nowhere\n"),
              ElementsAre("1 sysmon.os.cpu_high_watermark", "2 sysmon.os.cpu_check_interval",
                          "3 listeners.ssl.default.ssl_options.fail_if_no_peer_cert",
                          "4 listeners.ssl.default.ssl_options.dept", "5 listeners.tcp.default.zone"));
}

TEST(CrossChecks, SayNothingWhereAKeyTheyReadIsBadItself) {
  EXPECT_THAT(problems("sysmon.os { cpu_high_watermark = 50%\n cpu_low_watermark = low }\n"
                       "listeners.ssl.default.ssl_options { fail_if_no_peer_cert = true\n verify = maybe }\n"
                       "rewrite = [{action = never, source_topic = a, dest_topic = \"b/#\", re = a}]\n"
                       "license { connection_high_watermark = x }\n"),
              ElementsAre("2 sysmon.os.cpu_low_watermark", "4 listeners.ssl.default.ssl_options.verify",
                          "5 rewrite.1.action", "6 license.connection_high_watermark"));
}

TEST(CrossChecks, AListenerWithoutAnAddressTakesNobodys) {
  EXPECT_THAT(problems("listeners.tcp.a.bind = nowhere\nlisteners.tcp.b.bind = elsewhere\n"),
              ElementsAre("1 listeners.tcp.a.bind", "2 listeners.tcp.b.bind"));
}

TEST(CrossChecks, MistakesOfLayersDoNotHideThoseOfKeys) {
  EXPECT_THAT(problems("rewrite = []\nrewrite.5 { action = publish }\nmqtt.max_inflight = 0\n"
                       "mqtt.max_awaiting_rel = ${nothing}\n"),
              ElementsAre("2 rewrite.5", "3 mqtt.max_inflight", "4 mqtt.max_awaiting_rel"));
}

}  // namespace
}  // namespace sb::config
