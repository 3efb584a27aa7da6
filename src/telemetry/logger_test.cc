#include "telemetry/logger.h"

#include "base/secret.h"
#include "telemetry/log_format.h"
#include "telemetry/rotating_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace sb::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

log::Record record() {
  return {log::Level::Warning,
          1'777'629'600'123'456,
          "client_refused",
          {log::kv("reason", std::string("a\nb")), log::kv("count", 3), log::kv("clientid", std::string("c1"))},
          false};
}

TEST(RotatingFile, ALineThatWasCutIsEnded) {
  char name[] = "/tmp/sb_log_XXXXXX";
  const int fd = mkstemp(name);
  ASSERT_GE(fd, 0);
  close(fd);
  const auto text = [&] {
    std::ostringstream out;
    out << std::ifstream(name).rdbuf();
    return out.str();
  };
  std::ofstream(name) << "whole\nhal";  // a crash
  RotatingFile file(name, 1, 0);
  file.write("first\n");
  file.write("second\n");
  EXPECT_EQ(text(), "whole\nhal\nfirst\nsecond\n");
  // A disk that is full after four more bytes.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old = signal(SIGXFSZ, SIG_IGN);
  rlimit full = before;
  full.rlim_cur = text().size() + 4;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  file.write("third\n");
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, old);
  EXPECT_EQ(file.lines_lost(), 1U);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!file.is_open() && std::chrono::steady_clock::now() < deadline) {
    file.write("fourth\n");
    std::this_thread::yield();
  }
  EXPECT_EQ(text(), "whole\nhal\nfirst\nsecond\nthir\nfourth\n");
  std::filesystem::remove(name);
}

TEST(LogFormat, TextPutsClientFirstAndKeepsOneLine) {
  EXPECT_EQ(to_text(record(), 7200),
            "2026-05-01T12:00:00.123456+02:00 [warning] msg: client_refused, clientid: c1, reason: a, b, count: 3\n");
}

TEST(LogFormat, JsonIsFlat) {
  EXPECT_EQ(to_json(record()),
            "{\"time\":1777629600123456,\"level\":\"warning\",\"msg\":\"client_refused\",\"clientid\":\"c1\","
            "\"reason\":\"a\\nb\",\"count\":3}\n");
}

TEST(LogFormat, SecretsAreMasked) {
  log::Record r{log::Level::Error,
                0,
                "x",
                {log::kv("password", std::string("hunter2")), log::kv("key", Secret("hunter3"))},
                false};
  for (const std::string& line : {to_text(r, 0), to_json(r)}) {
    EXPECT_THAT(line, HasSubstr("******"));
    EXPECT_THAT(line, Not(HasSubstr("hunter")));
  }
}

class LoggerTest : public testing::Test {
 protected:
  LoggerTest() {
    char name[] = "/tmp/sb_log_XXXXXX";
    folder = mkdtemp(name);
    settings.console.enable = true;
    settings.console.burst_limit.enable = false;
    settings.throttling.time_window = std::chrono::milliseconds(0);
    auto& file = settings.file["default"];
    file.enable = true;
    file.burst_limit.enable = false;
    file.path = folder + "/log/emqx.log";
    file.rotation_size = config::kInfinity;
    file.time_offset = "utc";
  }
  ~LoggerTest() override { std::filesystem::remove_all(folder); }
  std::string read(const std::string& path) {
    std::stringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  std::string folder, console;
  config::Log settings;
  Logger::Console to_console = [this](std::string_view line) { console += line; };
};

TEST_F(LoggerTest, WritesToEachHandlerByItsLevel) {
  settings.file["default"].level = config::LogLevel::Info;
  Logger logger(settings, to_console);
  SB_LOG(log::Level::Info, "told", kv("n", 1));
  SB_LOG(log::Level::Debug, "hidden");
  logger.flush();
  EXPECT_EQ(console, "");
  EXPECT_THAT(read(settings.file["default"].path), testing::EndsWith("+00:00 [info] msg: told, n: 1\n"));
}

TEST_F(LoggerTest, MasksWhatUrlsHold) {
  Logger logger(settings, to_console);
  SB_LOG(log::Level::Error, "asked", kv("url", "http://joe:hunter2@h/?token=hunter3"),
         kv("reason", std::string("no http://h?x=hunter4 here")));
  logger.flush();
  EXPECT_THAT(console, HasSubstr("url: http://joe:******@h/?token=******, reason: no http://h?x=****** here"));
  EXPECT_THAT(read(settings.file["default"].path), Not(HasSubstr("hunter")));
}

TEST_F(LoggerTest, RotatesAndKeepsTheNewest) {
  settings.file["default"].rotation_size = 200;
  settings.file["default"].rotation_count = 3;
  Logger logger(settings, to_console);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(log::write(log::Level::Error, "line", log::kv("number", i)));
  logger.flush();
  const std::string path = settings.file["default"].path;
  EXPECT_THAT(read(path), HasSubstr("number: 19"));
  EXPECT_TRUE(std::filesystem::exists(path + ".2"));
  EXPECT_FALSE(std::filesystem::exists(path + ".3"));
  EXPECT_LE(std::filesystem::file_size(path + ".1"), 200U);
}

TEST_F(LoggerTest, EqualLinesAreToldOnceWithTheirNumber) {
  settings.throttling.time_window = std::chrono::minutes(1);
  {
    Logger logger(settings, to_console);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(log::write(log::Level::Error, "again"));
  }
  EXPECT_THAT(console, HasSubstr("event: again, count: 4"));
}

TEST_F(LoggerTest, TellsWhatWasHeldBackOncePerEvent) {
  settings.throttling.time_window = std::chrono::minutes(1);
  {
    Logger logger(settings, to_console);
    for (int i = 0; i < 3; ++i)
      for (const char* topic : {"a", "b"}) ASSERT_TRUE(log::write(log::Level::Error, "again", log::kv("topic", topic)));
  }
  const std::string told = "log_events_throttled_during_last_period";
  ASSERT_THAT(console, HasSubstr("event: again, count: 4"));
  EXPECT_EQ(console.find(told), console.rfind(told));
}

TEST_F(LoggerTest, KnowsWhichFileCannotBeOpened) {
  settings.file["elsewhere"] = settings.file["default"];
  settings.file["elsewhere"].path = "/proc/no/such/file.log";
  const Logger logger(settings, to_console);
  for (const HandlerInfo& handler : logger.handlers()) EXPECT_EQ(handler.open, handler.id != "elsewhere") << handler.id;
}

TEST_F(LoggerTest, BurstIsCut) {
  settings.console.burst_limit = {true, 2, std::chrono::minutes(1)};
  Logger logger(settings, to_console);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(log::write(log::Level::Error, "burst", log::kv("i", i)));
  logger.flush();
  EXPECT_EQ(std::count(console.begin(), console.end(), '\n'), 2);
}

TEST_F(LoggerTest, FullQueueDropsAndTells) {
  settings.console.drop_mode_qlen = 1;
  settings.file.clear();
  std::mutex gate;
  Logger logger(settings, [&](std::string_view line) {
    const std::lock_guard wait(gate);
    console += line;
  });
  gate.lock();
  int lost = 0;
  for (int i = 0; i < 10; ++i) lost += log::write(log::Level::Error, "full", log::kv("i", i)) ? 0 : 1;
  gate.unlock();
  EXPECT_GE(lost, 7);
  logger.flush();
  ASSERT_TRUE(log::write(log::Level::Error, "after"));
  logger.flush();
  EXPECT_THAT(console, HasSubstr("log_lines_dropped, count: "));
}

TEST_F(LoggerTest, LevelsAndHandlersChangeAtRunTime) {
  Logger logger(settings, to_console);
  EXPECT_EQ(logger.primary_level(), log::Level::Warning);
  ASSERT_TRUE(logger.set_handler_level("console", log::Level::Info));
  EXPECT_EQ(logger.primary_level(), log::Level::Info);
  ASSERT_TRUE(logger.stop_handler("console"));
  EXPECT_EQ(logger.primary_level(), log::Level::Warning);
  EXPECT_FALSE(logger.stop_handler("nothing"));
  logger.set_primary_level(log::Level::Error);
  EXPECT_EQ(logger.primary_level(), log::Level::Error);
}

TEST_F(LoggerTest, AuditGoesToItsFileOnly) {
  settings.audit.enable = true;
  settings.audit.level = config::LogLevel::Info;
  settings.audit.path = folder + "/audit.log";
  Logger logger(settings, to_console);
  logger.audit(log::Level::Warning, "api_call", {log::kv("from", std::string("cli"))});
  logger.flush();
  EXPECT_THAT(read(settings.audit.path), HasSubstr("\"msg\":\"api_call\",\"from\":\"cli\""));
  EXPECT_EQ(console, "");
}

}  // namespace
}  // namespace sb::telemetry
