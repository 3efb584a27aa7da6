#include "store/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sb::store {

Result<FolderLock> FolderLock::acquire(const std::string& folder) {
  const std::string path = folder + "/LOCK";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    const int code = errno;
    return fail(code == ENOSPC ? Errc::Full : Errc::Io, fmt::format("cannot open {}: {}", path, std::strerror(code)));
  }
  FolderLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail(Errc::Io, fmt::format("cannot lock {}: {}", path, std::strerror(errno)));
    std::array<char, 32> holder{};
    const ssize_t size = ::pread(fd, holder.data(), holder.size(), 0);
    std::string pid(holder.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    while (!pid.empty() && pid.back() == '\n') pid.pop_back();
    return fail(Errc::Busy, fmt::format("data folder {} is in use by process {}", folder, pid.empty() ? "?" : pid));
  }
  // Only a courtesy for the refusal above, so a full disk does not matter here.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) == 0 && ::pwrite(fd, pid.data(), pid.size(), 0) < 0) errno = 0;
  return lock;
}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace sb::store
