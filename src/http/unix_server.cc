#include "http/unix_server.h"

#include "base/log.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace sb::http {

namespace {

constexpr int kBacklog = 64;
/// Out of descriptors or memory: the next try.
constexpr Nanos kTryAgain{100'000'000};

/// sun_path holds 107 bytes; a longer path is reached through a descriptor of its folder.
class SocketAddress {
 public:
  explicit SocketAddress(const std::string& path) {
    address_.sun_family = AF_UNIX;
    std::string name = path;
    if (name.size() >= sizeof address_.sun_path) {
      const std::filesystem::path whole(path);
      folder_ = ::open(whole.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
      name = fmt::format("/proc/self/fd/{}/{}", folder_, whole.filename().string());
    }
    usable_ = name.size() < sizeof address_.sun_path;
    if (usable_) std::memcpy(address_.sun_path, name.c_str(), name.size() + 1);
  }
  ~SocketAddress() {
    if (folder_ >= 0) ::close(folder_);
  }
  SocketAddress(const SocketAddress&) = delete;
  SocketAddress& operator=(const SocketAddress&) = delete;
  bool usable() const { return usable_; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t size() const { return sizeof address_; }

 private:
  sockaddr_un address_{};
  int folder_ = -1;
  bool usable_ = false;
};

bool somebody_answers(const SocketAddress& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const bool answers = connect(fd, address.get(), address.size()) == 0 || errno == EAGAIN;
  ::close(fd);
  return answers;
}

}  // namespace

UnixServer::UnixServer(runtime::Loop& loop, Options options, Connections::Handler handler, PlanBody plan)
    : loop_(loop), options_(std::move(options)), connections_(loop, std::move(handler), std::move(plan)) {}

UnixServer::~UnixServer() {
  close();
}

Result<> UnixServer::open() {
  const SocketAddress address(options_.path);
  if (!address.usable())
    return fail(Errc::Invalid, fmt::format("{}: the path is too long for a socket", options_.path));
  if (somebody_answers(address)) return fail(Errc::Busy, fmt::format("{}: another node answers there", options_.path));
  if (::unlink(options_.path.c_str()) != 0 && errno != ENOENT)
    return fail(Errc::Io, fmt::format("{}: {}", options_.path, std::strerror(errno)));
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) return fail(Errc::Io, fmt::format("{}: {}", options_.path, std::strerror(errno)));
  // The file gets the mode of the descriptor: nobody else can open it, not even for a moment (unix(7), Linux).
  if (fchmod(fd_, S_IRUSR | S_IWUSR) != 0 || bind(fd_, address.get(), address.size()) != 0 ||
      listen(fd_, kBacklog) != 0) {
    const int why = errno;
    ::close(std::exchange(fd_, -1));
    return fail(Errc::Io, fmt::format("{}: {}", options_.path, std::strerror(why)));
  }
  return loop_.add(fd_, *this);
}

void UnixServer::close() {
  connections_.close();
  if (fd_ < 0) return;
  runtime::TimerWheel::cancel(*this);
  loop_.remove(fd_, *this);
  ::close(std::exchange(fd_, -1));
  ::unlink(options_.path.c_str());
}

void UnixServer::on_io(std::uint32_t) {
  while (true) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      // Edge-triggered: nobody tells again of those that wait.
      if (errno != EAGAIN && errno != EWOULDBLOCK) loop_.timers().arm(*this, loop_.now(), kTryAgain);
      return;
    }
    if (connections_.size() >= options_.connections_max) {
      SB_LOG(log::Level::Warning, "management_connection_refused", kv("max", options_.connections_max));
      ::close(fd);
      continue;
    }
    Accepted accepted;
    accepted.fd = fd;
    accepted.door = Door::Cli;
    accepted.limits = options_.limits;
    connections_.add(std::move(accepted));
  }
}

}  // namespace sb::http
