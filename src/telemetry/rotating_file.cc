#include "telemetry/rotating_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <utility>

namespace sb::telemetry {

namespace {
std::int64_t seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec;
}

/// A full disk, or a crash, may have left half a line. What cannot be read counts as whole.
bool ends_with_line(const std::string& path, off_t size) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return true;
  char last = '\n';
  const bool read = ::pread(fd, &last, 1, size - 1) == 1;
  ::close(fd);
  return !read || last == '\n';
}
}  // namespace

RotatingFile::RotatingFile(std::string path, unsigned files, std::uint64_t size_max)
    : path_(std::move(path)), files_(files), size_max_(size_max) {
  open();
}

RotatingFile::~RotatingFile() {
  close();
}

void RotatingFile::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool RotatingFile::open() {
  std::error_code ignored;
  if (const auto folder = std::filesystem::path(path_).parent_path(); !folder.empty())
    std::filesystem::create_directories(folder, ignored);
  fd_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (fd_ < 0) {
    if (retry_at_s_ == 0)
      std::fprintf(stderr, "signalbox: cannot write the log %s: %s\n", path_.c_str(), std::strerror(errno));
    retry_at_s_ = seconds_now() + 1;
    return false;
  }
  retry_at_s_ = 0;
  struct stat status {};
  size_ = fstat(fd_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  cut_ = S_ISREG(status.st_mode) && size_ > 0 && !ends_with_line(path_, status.st_size);
  return true;
}

void RotatingFile::rotate() {
  close();
  if (files_ <= 1) {
    ::unlink(path_.c_str());
  } else {
    for (unsigned i = files_ - 1; i > 1; --i)
      ::rename((path_ + "." + std::to_string(i - 1)).c_str(), (path_ + "." + std::to_string(i)).c_str());
    ::rename(path_.c_str(), (path_ + ".1").c_str());
  }
  open();
}

void RotatingFile::write(std::string_view line) {
  if (fd_ < 0 && (seconds_now() < retry_at_s_ || !open())) {
    ++lost_;
    return;
  }
  if (size_max_ != 0 && size_ > 0 && size_ + line.size() > size_max_) rotate();
  std::string rest;
  if (std::exchange(cut_, false)) {
    rest.append("\n").append(line);
    line = rest;
  }
  while (fd_ >= 0 && !line.empty()) {
    const ssize_t n = ::write(fd_, line.data(), line.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      ++lost_;
      close();
      retry_at_s_ = seconds_now() + 1;
      return;
    }
    size_ += static_cast<std::uint64_t>(n);
    line.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace sb::telemetry
