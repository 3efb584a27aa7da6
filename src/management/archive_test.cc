#include "management/archive.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sb::management {
namespace {

class Archive : public ::testing::Test {
 protected:
  Archive() {
    std::string pattern = "/tmp/archive_test_XXXXXX";
    folder = mkdtemp(pattern.data());
  }
  ~Archive() override { std::filesystem::remove_all(folder); }
  std::string packed(const std::vector<ArchiveEntry>& entries) {
    const std::string path = folder + "/a.tar.gz";
    EXPECT_TRUE(write_tar_gz(path, entries, 1'700'000'000'000));
    std::ifstream file(path, std::ios::binary);
    std::ostringstream out;
    out << file.rdbuf();
    return std::move(out).str();
  }
  std::string folder;
};

TEST_F(Archive, ComesBackAsItWas) {
  const std::string large(300'000, 'x');
  const auto entries = read_tar_gz(packed({{"a/one", "1"}, {"a/deep/two", large + "end"}, {"a/empty", ""}}));
  ASSERT_TRUE(entries) << entries.error().what;
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[0].name, "a/one");
  EXPECT_EQ((*entries)[1].bytes, large + "end");
  EXPECT_EQ((*entries)[2].bytes, "");
}

TEST_F(Archive, IsForItsOwnerAlone) {
  packed({{"a/one", "1"}});
  const auto rights = std::filesystem::status(folder + "/a.tar.gz").permissions();
  EXPECT_EQ(rights & (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
            std::filesystem::perms::none);
}

TEST_F(Archive, IsRefusedAboveEachLimit) {
  constexpr std::size_t kLarge = 20'000'000;
  const std::string bytes = packed({{"a/one", std::string(kLarge, 'x')}, {"a/two", "2"}});
  ArchiveLimits limits;
  EXPECT_EQ(read_tar_gz(bytes, limits).error().code, Errc::Full) << "the ratio";
  limits.ratio_max = 1'000'000;
  EXPECT_TRUE(read_tar_gz(bytes, limits));
  limits.entries_max = 1;
  EXPECT_EQ(read_tar_gz(bytes, limits).error().code, Errc::Full);
  limits.entries_max = 10;
  limits.entry_bytes_max = kLarge - 1;
  EXPECT_EQ(read_tar_gz(bytes, limits).error().code, Errc::Full);
  limits.entry_bytes_max = kLarge;
  limits.total_bytes_max = kLarge;
  EXPECT_EQ(read_tar_gz(bytes, limits).error().code, Errc::Full);
}

TEST_F(Archive, EveryTruncationIsRefused) {
  const std::string bytes = packed({{"a/one", "some bytes that are packed"}});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(read_tar_gz(std::string_view(bytes).substr(0, size))) << size;
  EXPECT_FALSE(read_tar_gz("no archive"));
}

TEST_F(Archive, AChangedSumOrLengthIsRefused) {
  const std::string bytes = packed({{"a/one", "some bytes that are packed"}});
  for (std::size_t i = 1; i <= 8; ++i) {
    std::string changed = bytes;
    changed[changed.size() - i] = static_cast<char>(changed[changed.size() - i] ^ 1);
    EXPECT_EQ(read_tar_gz(changed).error().code, Errc::Corrupt) << i;
  }
}

TEST_F(Archive, WhatFollowsTheEndIsRefused) {
  const std::string bytes = packed({{"a/one", "1"}});
  for (const std::string& more :
       {std::string("x"), std::string(1, '\0'), std::string(8, '\0'), std::string("\x1f\x8b")})
    EXPECT_EQ(read_tar_gz(bytes + more).error().code, Errc::Corrupt) << more.size();
}

TEST_F(Archive, TheTarIsWhole) {
  packed({{"a/one", "1"}});
  std::string tar(1 << 20, '\0');
  const gzFile in = gzopen((folder + "/a.tar.gz").c_str(), "rb");
  const int size = gzread(in, tar.data(), static_cast<unsigned>(tar.size()));
  gzclose(in);
  ASSERT_GE(size, 2048);
  tar.resize(static_cast<std::size_t>(size));
  const auto read = [&](std::string_view inner) {
    const std::string path = folder + "/b.tar.gz";
    const gzFile out = gzopen(path.c_str(), "wb");
    gzwrite(out, inner.data(), static_cast<unsigned>(inner.size()));
    gzclose(out);
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    return read_tar_gz(std::move(content).str());
  };
  const std::size_t entry = tar.find_last_not_of('\0') / 512 * 512 + 512;
  EXPECT_TRUE(read(tar));
  EXPECT_TRUE(read(tar.substr(0, entry + 1024)));
  for (const std::size_t end : {entry - 512, entry - 1, entry, entry + 512, entry + 1023})
    EXPECT_FALSE(read(tar.substr(0, end))) << end;
  EXPECT_FALSE(read(tar + "x")) << "a byte behind the end";
  EXPECT_FALSE(read(tar + tar)) << "the same file once more behind the end";
}

TEST_F(Archive, ANameTwiceIsRefused) {
  EXPECT_EQ(read_tar_gz(packed({{"a/one", "1"}, {"a/one", "2"}})).error().code, Errc::Invalid);
}

TEST_F(Archive, ZipTakesFilesAsTheyAre) {
  std::ofstream(folder + "/source") << "line\n";
  ASSERT_TRUE(write_zip(folder + "/a.zip", {{"node-trace.log", folder + "/source"}, {"gone", folder + "/none"}}, 0));
  EXPECT_GT(std::filesystem::file_size(folder + "/a.zip"), 20u);
}

TEST(ArchiveNames, LeadNowhere) {
  for (const char* good : {"a", "a/b", "a/b.c", "a/..b"}) EXPECT_TRUE(plain_name(good)) << good;
  for (const char* bad : {"", "/a", "../a", "a/../b", "a/..", ".", "a/./b", "a//b", "a/", "a\\b", "a\nb"})
    EXPECT_FALSE(plain_name(bad)) << bad;
}

}  // namespace
}  // namespace sb::management
