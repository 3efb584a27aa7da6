#include "base/regular_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace sb {

namespace {
tl::unexpected<Error> system_error(const std::string& path) {
  const int error = errno;
  return fail(error == ENOENT || error == ENOTDIR ? Errc::NotFound : Errc::Io,
              fmt::format("cannot read '{}': {}", path, std::strerror(error)));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};
}  // namespace

Result<std::string> read_regular_file(const std::string& path, std::size_t max_bytes) {
  if (path.find('\0') != std::string::npos) return fail(Errc::NotFound, "cannot read a file with a NUL in its name");
  // Without O_NONBLOCK the open itself waits for who writes into a pipe.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (file.get() < 0) return system_error(path);
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return system_error(path);
  if (!S_ISREG(about.st_mode)) return fail(Errc::Invalid, fmt::format("cannot read '{}': not a regular file", path));
  const auto too_large = [&] {
    return fail(Errc::Full, fmt::format("cannot read '{}': larger than {} bytes", path, max_bytes));
  };
  if (static_cast<std::uintmax_t>(about.st_size) > max_bytes) return too_large();
  // The size is but a hint: files of /proc say 0, and others grow meanwhile. The byte more tells the end without
  // growing the text, which would leave a copy of a secret behind.
  std::string out(static_cast<std::size_t>(about.st_size) + 1, '\0');
  constexpr std::size_t kStep = 4096;
  std::size_t have = 0;
  for (;;) {
    if (have == out.size()) {
      if (have > max_bytes) return too_large();
      out.resize(std::min(max_bytes + 1, have + kStep));
    }
    const ssize_t got = ::read(file.get(), out.data() + have, out.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  if (have > max_bytes) return too_large();
  out.resize(have);
  return out;
}

}  // namespace sb
