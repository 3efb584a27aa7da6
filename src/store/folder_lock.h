// Exclusive claim on a folder, by flock on a file in it. Held until destroyed or until the process ends, however it
// ends. The file stays and tells the process id of its last holder.
#pragma once

#include "base/result.h"

#include <string>

namespace sb::store {

class FolderLock {
 public:
  /// Errc::Busy "data folder X is in use by process N", Errc::Io when the folder cannot be written.
  [[nodiscard]] static Result<FolderLock> acquire(const std::string& folder);

  FolderLock(FolderLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FolderLock& operator=(FolderLock&& other) noexcept;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace sb::store
