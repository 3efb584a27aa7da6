#include "http/file_body.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sb::http {

Result<std::shared_ptr<FileBody>> FileBody::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0)
    return fail(errno == ENOENT ? Errc::NotFound : Errc::Io, fmt::format("{}: {}", path, std::strerror(errno)));
  struct stat info {};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return fail(Errc::Invalid, fmt::format("{}: not a file", path));
  }
  return std::make_shared<FileBody>(Private{}, fd, static_cast<std::uint64_t>(info.st_size));
}

FileBody::~FileBody() {
  ::close(fd_);
}

Result<> FileBody::read(std::string& out, std::size_t most) {
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, left()));
  const std::size_t old = out.size();
  out.resize(old + wanted);
  std::size_t got = 0;
  while (got < wanted) {
    const ssize_t n = pread(fd_, out.data() + old + got, wanted - got, static_cast<off_t>(read_ + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      out.resize(old);
      return fail(Errc::Io, n == 0 ? "the file has become shorter" : std::strerror(errno));
    }
    got += static_cast<std::size_t>(n);
  }
  read_ += wanted;
  return {};
}

}  // namespace sb::http
