#include "management/archive.h"

#include <gtest/gtest.h>

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
  for (std::size_t size = 0; size + 8 < bytes.size(); ++size) {  // the last 8 are gzip's own check
    const auto read = read_tar_gz(std::string_view(bytes).substr(0, size));
    if (read) {
      EXPECT_EQ(read->at(0).bytes, "some bytes that are packed") << size;
    }
  }
  EXPECT_FALSE(read_tar_gz(std::string_view(bytes).substr(0, bytes.size() / 2)));
  EXPECT_FALSE(read_tar_gz("no archive"));
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
