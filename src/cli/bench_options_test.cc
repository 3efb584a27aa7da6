#include "cli/bench/options.h"

#include <gtest/gtest.h>

namespace sb::cli::bench {
namespace {

TEST(BenchOptions, ReadsWhatTheFieldsToolsTake) {
  const auto options = parse_options({"pub", "-h", "broker", "-c",    "5",          "-i", "0.5", "-t", "a/%i/%c/%u/%%",
                                      "-q",  "2",  "-s",     "64",    "-I",         "0",  "-V",  "4",  "-u",
                                      "joe", "-P", "pw",     "--ssl", "--prefix=p", "-L", "10"});
  ASSERT_TRUE(options) << options.error().what;
  EXPECT_EQ(options->mode, Mode::Publish);
  EXPECT_EQ(options->clients, 5U);
  EXPECT_EQ(options->connect_interval_ms, 0.5);
  EXPECT_EQ(options->qos, Qos::ExactlyOnce);
  EXPECT_EQ(options->version, ProtocolVersion::V311);
  EXPECT_EQ(options->port_used(), 8883);
  EXPECT_EQ(options->limit, 10U);
  EXPECT_EQ(expand_topic(*options, 7, "p7"), "a/7/p7/joe/%%");
}

TEST(BenchOptions, RatesBecomeIntervals) {
  const auto options = parse_options({"conn", "-R", "200", "--ssl", "false"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->connect_interval_ms, 5);
  EXPECT_EQ(options->port_used(), 1883);
}

TEST(BenchOptions, NamesWhatIsWrong) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{}, "expected conn, pub or sub"},
      {{"fly"}, "'fly': expected conn, pub or sub"},
      {{"pub", "-q", "3"}, "-q '3': expected a number 0..2"},
      {{"pub", "-p", "0"}, "-p '0': expected a number 1..65535"},
      {{"pub", "-c", "5x"}, "-c '5x': expected a number 1..10000000"},
      {{"pub", "-c"}, "-c: expected a value"},
      {{"pub", "-C", "1"}, "-C '1': expected true or false"},
      {{"pub", "--nonsense", "1"}, "unknown option '--nonsense'"},
  };
  for (const auto& [arguments, what] : cases) {
    const auto options = parse_options(arguments);
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().what, what);
  }
}

}  // namespace
}  // namespace sb::cli::bench
