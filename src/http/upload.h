// A body that is too large for memory: kept in a file without a name while it comes, seen as one piece when it is
// whole. The file is gone with the object. Used by one thread at a time.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sb::http {

class Upload {
  struct Private {};  // only create() makes one

 public:
  Upload(Private, int fd) : fd_(fd) {}
  /// In `folder`, which must exist.
  [[nodiscard]] static Result<std::shared_ptr<Upload>> create(const std::string& folder);
  ~Upload();
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  [[nodiscard]] Result<> append(std::string_view bytes);
  std::uint64_t size() const { return size_; }
  /// All bytes, mapped; ends the appending. Lives as long as the object.
  [[nodiscard]] Result<std::string_view> bytes();

 private:
  int fd_;
  std::uint64_t size_ = 0;
  void* map_ = nullptr;
};

}  // namespace sb::http
