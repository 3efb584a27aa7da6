#include "base/regular_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace sb {
namespace {

class RegularFile : public ::testing::Test {
 protected:
  RegularFile() {
    char name[] = "/tmp/regular_file_test_XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~RegularFile() override { std::filesystem::remove_all(folder_); }
  std::string with(const std::string& content) {
    std::ofstream(folder_ + "/f", std::ios::binary) << content;
    return folder_ + "/f";
  }
  std::string folder_;
};

TEST_F(RegularFile, IsReadAsAWhole) {
  const std::string text("a\0\xff\n", 4);
  EXPECT_EQ(read_regular_file(with(text), 100).value(), text);
  EXPECT_EQ(read_regular_file(with(""), 100).value(), "");
  EXPECT_EQ(read_regular_file(with(""), 0).value(), "");
  const std::string large(100'000, 'x');
  EXPECT_EQ(read_regular_file(with(large), 100'000).value(), large);
  std::filesystem::create_symlink(folder_ + "/f", folder_ + "/link");
  EXPECT_EQ(read_regular_file(folder_ + "/link", 100'000).value(), large);
}

TEST_F(RegularFile, HasABound) {
  EXPECT_EQ(read_regular_file(with("12345"), 5).value(), "12345");
  EXPECT_EQ(read_regular_file(with("12345"), 4).error().code, Errc::Full);
  EXPECT_EQ(read_regular_file(with("1"), 0).error().code, Errc::Full);
  // A file whose size says nothing of what it holds.
  EXPECT_FALSE(read_regular_file("/proc/self/status", 1 << 20).value().empty());
  EXPECT_EQ(read_regular_file("/proc/self/status", 10).error().code, Errc::Full);
}

TEST_F(RegularFile, NothingElseIsRead) {
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_regular_file(pipe, 100).error().code, Errc::Invalid);  // and at once: nobody writes into it
  for (const char* other : {"/dev/zero", "/dev/null"})
    EXPECT_EQ(read_regular_file(other, 100).error().code, Errc::Invalid) << other;
  EXPECT_EQ(read_regular_file(folder_, 100).error().code, Errc::Invalid);
}

TEST_F(RegularFile, WhatIsNotThereIsNotFound) {
  const auto none = read_regular_file(folder_ + "/none", 100);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::NotFound);
  EXPECT_NE(none.error().what.find(folder_ + "/none"), std::string::npos);
  EXPECT_EQ(read_regular_file(with("x") + "/y", 100).error().code, Errc::NotFound);
  EXPECT_EQ(read_regular_file("", 100).error().code, Errc::NotFound);
  EXPECT_EQ(read_regular_file(std::string("/dev/null\0x", 11), 100).error().code, Errc::NotFound);
}

}  // namespace
}  // namespace sb
