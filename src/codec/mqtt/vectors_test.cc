// Every line of tests/vectors/mqtt in every version and mode that it names.
#include "codec/mqtt/describe_test.h"

#include <gtest/gtest.h>

#include <fstream>

namespace sb::codec::mqtt {
namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::size_t at = 0;
  while (fields.size() < 5) {
    const std::size_t bar = fields.size() < 4 ? line.find(" | ", at) : std::string::npos;
    fields.push_back(line.substr(at, bar == std::string::npos ? bar : bar - at));
    if (bar == std::string::npos) break;
    at = bar + 3;
  }
  return fields;
}

class Vectors : public ::testing::TestWithParam<const char*> {};

TEST_P(Vectors, BecomeWhatTheySay) {
  std::ifstream file(std::string(SB_VECTORS "/mqtt/") + GetParam());
  ASSERT_TRUE(file.is_open());
  std::string line;
  std::size_t cases = 0;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    SCOPED_TRACE(std::string(GetParam()) + ":" + std::to_string(number) + ": " + line);
    const auto fields = split(line);
    ASSERT_EQ(fields.size(), 5u);
    const auto bytes = testing::to_bytes(fields[3]);
    const auto frame = next_frame(bytes, 1 << 20);
    ASSERT_TRUE(frame.has_value());
    ASSERT_EQ(frame->size, bytes.size());
    ASSERT_TRUE(fields[2] == "both" || fields[2] == "strict" || fields[2] == "lenient");
    for (const bool strict : {false, true}) {
      if (fields[2] == (strict ? "lenient" : "strict")) continue;
      for (const char version : fields[1]) {
        if (version < '3' || version > '5') continue;
        EXPECT_EQ(testing::describe(*frame, static_cast<ProtocolVersion>(version - '0'), strict), fields[4])
            << "v" << version << (strict ? " strict" : " lenient");
        ++cases;
      }
    }
  }
  EXPECT_GE(cases, 40u);
  RecordProperty("cases", static_cast<int>(cases));
}

INSTANTIATE_TEST_SUITE_P(All, Vectors,
                         ::testing::Values("connect.txt", "publish.txt", "acks.txt", "subscribe.txt", "others.txt"),
                         [](const auto& file) { return std::string(file.param, std::strchr(file.param, '.')); });

}  // namespace
}  // namespace sb::codec::mqtt
