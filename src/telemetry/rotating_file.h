// A log file that starts anew when it is full: path is the current one, path.1 the one before, up to `files` in all.
// Belongs to one thread. A disk that fails loses lines, never the caller: the file is tried again a second later, and
// what comes then begins a line of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sb::telemetry {

class RotatingFile {
 public:
  /// `size_max` 0 = never rotated.
  RotatingFile(std::string path, unsigned files, std::uint64_t size_max);
  ~RotatingFile();
  RotatingFile(const RotatingFile&) = delete;
  RotatingFile& operator=(const RotatingFile&) = delete;

  void write(std::string_view line);
  /// False while it cannot be opened.
  bool is_open() const { return fd_ >= 0; }
  std::uint64_t lines_lost() const { return lost_; }

 private:
  bool open();
  void rotate();
  void close();
  std::string path_;
  unsigned files_;
  std::uint64_t size_max_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t lost_ = 0;
  std::int64_t retry_at_s_ = 0;
  bool cut_ = false;  // what is there ends within a line
};

}  // namespace sb::telemetry
