#include "http/upload.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sb::http {

Result<std::shared_ptr<Upload>> Upload::create(const std::string& folder) {
  int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {
    // Not every file system has files without a name.
    std::string name = folder + "/upload.XXXXXX";
    fd = mkostemp(name.data(), O_CLOEXEC);
    if (fd >= 0) unlink(name.c_str());
  }
  if (fd < 0) return fail(Errc::Io, fmt::format("{}: {}", folder, std::strerror(errno)));
  return std::make_shared<Upload>(Private{}, fd);
}

Upload::~Upload() {
  if (map_) munmap(map_, static_cast<std::size_t>(size_));
  ::close(fd_);
}

Result<> Upload::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(errno == ENOSPC ? Errc::Full : Errc::Io, std::strerror(errno));
    size_ += static_cast<std::uint64_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<std::string_view> Upload::bytes() {
  if (size_ == 0) return std::string_view{};
  if (!map_) {
    void* const at = mmap(nullptr, static_cast<std::size_t>(size_), PROT_READ, MAP_PRIVATE, fd_, 0);
    if (at == MAP_FAILED) return fail(Errc::Io, std::strerror(errno));
    map_ = at;
  }
  return std::string_view{static_cast<const char*>(map_), static_cast<std::size_t>(size_)};
}

}  // namespace sb::http
