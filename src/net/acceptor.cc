#include "net/acceptor.h"

#include "base/log.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace sb::net {

namespace {
constexpr int kAcceptsPerTurn = 128;
/// Out of descriptors or memory: the next try comes after this, later and later.
constexpr Nanos kRestLeast{100'000'000};
constexpr Nanos kRestMost{1'000'000'000};
/// However many acceptors fail, one line tells of them.
constexpr Nanos kTellFailure{60'000'000'000};

std::uint64_t descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 0;
  return limit.rlim_cur;
}

int open_reserve() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/// Like the admission of log lines: one for all threads.
bool may_tell(Nanos now) {
  static std::atomic<std::int64_t> next{0};
  std::int64_t due = next.load(std::memory_order_relaxed);
  return (due == 0 || now.count() >= due) && next.compare_exchange_strong(due, (now + kTellFailure).count());
}

Result<int> open_socket(const Endpoint& bind_to, bool reuse_port) {
  const int fd = socket(bind_to.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(Errc::Io, fmt::format("socket: {}", std::strerror(errno)));
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (reuse_port) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_storage address{};
  const socklen_t size = bind_to.to_sockaddr(address);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    const int code = errno;
    ::close(fd);
    return fail(code == EADDRINUSE ? Errc::Exists : Errc::Io,
                fmt::format("cannot listen on {}: {}", bind_to.to_string(), std::strerror(code)));
  }
  return fd;
}
}  // namespace

Acceptor::~Acceptor() {
  if (reserve_ >= 0) ::close(reserve_);
  if (fd_ < 0) return;
  loop_.remove(fd_, *this);
  ::close(fd_);
}

Result<Endpoint> Acceptor::probe(const Endpoint& bind_to) {
  SB_TRY(const int fd, open_socket(bind_to, false));
  // Somebody who listens with SO_REUSEPORT would let a bind of the same kind pass, but not this one.
  if (listen(fd, 1) != 0) {
    const int code = errno;
    ::close(fd);
    return fail(Errc::Exists, fmt::format("cannot listen on {}: {}", bind_to.to_string(), std::strerror(code)));
  }
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return Endpoint::from(address);
}

Result<> Acceptor::open(const Endpoint& bind_to, const AcceptorOptions& options) {
  SB_TRY(fd_, open_socket(bind_to, options.reuse_port));
  // Accepted sockets inherit these, which saves calls per connection.
  const int nodelay = options.nodelay ? 1 : 0;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &nodelay, sizeof nodelay);
  if (options.receive_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer, sizeof(int));
  if (options.send_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &options.send_buffer, sizeof(int));
  if (options.send_timeout.count() > 0) {
    const auto limit = static_cast<unsigned>(options.send_timeout.count());
    setsockopt(fd_, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
  }
  if (options.keepalive_idle_s > 0) {
    const int on = 1;
    setsockopt(fd_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd_, IPPROTO_TCP, TCP_KEEPIDLE, &options.keepalive_idle_s, sizeof(int));
    setsockopt(fd_, IPPROTO_TCP, TCP_KEEPINTVL, &options.keepalive_interval_s, sizeof(int));
    setsockopt(fd_, IPPROTO_TCP, TCP_KEEPCNT, &options.keepalive_probes, sizeof(int));
  }
  if (listen(fd_, options.backlog) != 0)
    return fail(Errc::Io, fmt::format("cannot listen on {}: {}", bind_to.to_string(), std::strerror(errno)));
  reserve_ = open_reserve();
  return loop_.add_level_triggered_read(fd_, *this);
}

void Acceptor::on_io(std::uint32_t) {
  accept_some(kAcceptsPerTurn);
}

void Acceptor::accept_some(int budget) {
  // What a connection may use. A limit of 0 is none.
  const std::uint64_t limit = on_shed_ ? descriptor_limit() : 0;
  const std::uint64_t usable = limit - spare_of(limit);
  while (budget-- > 0 && fd_ >= 0 && !paused_) {
    if (gate_) {
      if (const Nanos wait = gate_(); wait.count() > 0) {
        pause();
        loop_.timers().arm(*this, loop_.now(), wait);
        return;
      }
    }
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = accept4(fd_, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) accept_failed(errno, budget);
      return;
    }
    rest_ = Nanos{0};
    if (limit != 0 && static_cast<std::uint64_t>(fd) >= usable) [[unlikely]] {
      shed(fd, limit);
      continue;
    }
    ++accepted_;
    on_accept_(fd, Endpoint::from(address));
  }
}

void Acceptor::shed(int fd, std::uint64_t limit) {
  // Told of before the peer can see the end, so that who has seen it finds it counted.
  if (on_shed_) on_shed_();
  ::close(fd);
  if (may_tell(loop_.now()))
    SB_LOG(log::Level::Error, "connections_refused_for_descriptors", kv("limit", limit), kv("spare", spare_of(limit)));
}

void Acceptor::accept_failed(int code, int budget) {
  const bool descriptors = code == EMFILE || code == ENFILE;
  if (may_tell(loop_.now()))
    SB_LOG(log::Level::Error, "accept_failed", kv("reason", std::strerror(code)), kv("limit", descriptor_limit()));
  // They would wait without an end: nobody tells them that the node is full.
  while (descriptors && budget-- > 0 && reserve_ >= 0) {
    ::close(reserve_);
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) shed(fd, descriptor_limit());
    reserve_ = open_reserve();
    if (fd < 0) break;
  }
  // The socket stays readable as long as somebody waits.
  pause();
  rest_ = std::clamp(rest_ * 2, kRestLeast, kRestMost);
  loop_.timers().arm(*this, loop_.now(), rest_);
}

void Acceptor::pause() {
  if (paused_ || fd_ < 0) return;
  paused_ = true;
  loop_.remove(fd_, *this);
}

void Acceptor::resume() {
  if (!paused_ || fd_ < 0) return;
  if (reserve_ < 0) reserve_ = open_reserve();
  paused_ = false;
  if (const auto added = loop_.add_level_triggered_read(fd_, *this); !added)
    SB_LOG(log::Level::Error, "accept_failed", kv("reason", added.error().what));
}

void Acceptor::close() {
  if (fd_ < 0) return;
  runtime::TimerWheel::cancel(*this);
  gate_ = {};
  if (!paused_) accept_some(1 << 16);
  runtime::TimerWheel::cancel(*this);
  if (!paused_) loop_.remove(fd_, *this);
  paused_ = false;
  ::close(fd_);
  fd_ = -1;
  if (reserve_ >= 0) ::close(std::exchange(reserve_, -1));
}

}  // namespace sb::net
