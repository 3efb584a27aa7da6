// A file as the body of a response: `response.file = *FileBody::open(path)`. It is read and sent piece by piece; a file
// that is unlinked meanwhile is sent to its end.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <memory>
#include <string>

namespace sb::http {

class FileBody {
  struct Private {};  // only open() makes one

 public:
  FileBody(Private, int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  /// NotFound; Invalid: not a regular file. A symbolic link as the last part is refused.
  [[nodiscard]] static Result<std::shared_ptr<FileBody>> open(const std::string& path);
  ~FileBody();
  FileBody(const FileBody&) = delete;
  FileBody& operator=(const FileBody&) = delete;

  std::uint64_t size() const { return size_; }
  /// Appends at most `most` of the bytes not read yet. A file that has become shorter is an error.
  [[nodiscard]] Result<> read(std::string& out, std::size_t most);
  std::uint64_t left() const { return size_ - read_; }

 private:
  int fd_;
  std::uint64_t size_;
  std::uint64_t read_ = 0;
};

}  // namespace sb::http
