#include "config/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

namespace sb::config {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kBackups = 10;

std::string stamp(std::int64_t wall_ms) {
  const auto seconds = static_cast<std::time_t>(wall_ms / 1000);
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:04}.{:02}.{:02}.{:02}.{:02}.{:02}.{:03}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,
                     local.tm_hour, local.tm_min, local.tm_sec, wall_ms % 1000);
}

void drop_old_backups(const fs::path& file) {
  std::error_code ec;
  std::vector<fs::path> backups;
  const std::string prefix = file.filename().string() + ".";
  for (const auto& entry : fs::directory_iterator(file.parent_path(), ec)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".bak")) backups.push_back(entry.path());
  }
  std::sort(backups.begin(), backups.end());  // the names sort by time
  for (std::size_t i = 0; i + kBackups < backups.size(); ++i) fs::remove(backups[i], ec);
}

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

Result<void> write_private(const std::string& path, std::string_view content) {
  std::error_code ec;
  const fs::path folder = fs::path(path).parent_path();
  if (!folder.empty()) fs::create_directories(folder, ec);
  if (ec) return fail(Errc::Io, fmt::format("cannot make {}: {}", folder.string(), ec.message()));
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::Io, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  int error = 0;
  while (!content.empty() && error == 0) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0) {
      if (errno != EINTR) error = errno;
    } else {
      content.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  if (error == 0 && ::fsync(fd) != 0) error = errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error == 0) return {};
  return fail(Errc::Io, fmt::format("cannot write {}: {}", path, std::strerror(error)));
}

Result<void> write_rotating(const std::string& path, std::string_view content, std::int64_t wall_ms) {
  const fs::path file(path);
  std::error_code ec;
  const std::string temporary = path + ".tmp";
  SB_CHECKED(write_private(temporary, content));
  if (fs::exists(file, ec)) {
    // Two changes in one millisecond must not share a name.
    std::string backup = fmt::format("{}.{}.bak", path, stamp(wall_ms));
    for (int i = 1; fs::exists(backup, ec) && i < 1000; ++i)
      backup = fmt::format("{}.{}.bak", path, stamp(wall_ms + i));
    // A link, so that there is a file under the real name at every moment.
    fs::create_hard_link(file, backup, ec);
    if (ec) fs::copy_file(file, backup, fs::copy_options::overwrite_existing, ec);
  }
  fs::rename(temporary, file, ec);
  if (ec) return fail(Errc::Io, fmt::format("cannot replace {}: {}", path, ec.message()));
  sync_folder(file.parent_path());
  drop_old_backups(file);
  return {};
}

}  // namespace sb::config
