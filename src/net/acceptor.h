// The listening socket of one shard. Takes connections within a budget per turn and gives each to `on_accept`. The
// first acceptor of an address binds it without SO_REUSEPORT to find out whether somebody else has it (probe()).
// When file descriptors run out it rests and tries again; what waits meanwhile is closed at once, as far as a
// descriptor that it keeps for this allows.
#pragma once

#include "base/clock.h"
#include "net/endpoint.h"
#include "runtime/loop.h"

#include <algorithm>
#include <functional>

namespace sb::net {

struct AcceptorOptions {
  int backlog = 1024;
  bool nodelay = true;
  bool reuse_port = true;
  int receive_buffer = 0;  // 0 = the system's
  int send_buffer = 0;
  /// An unread peer ends the connection after this, by the kernel (TCP_USER_TIMEOUT, inherited); 0 = never.
  Millis send_timeout{0};
  /// tcp_options.keepalive: idle, interval and probes; idle 0 = off.
  int keepalive_idle_s = 0;
  int keepalive_interval_s = 0;
  int keepalive_probes = 0;
  friend bool operator==(const AcceptorOptions&, const AcceptorOptions&) = default;
};

class Acceptor final : private runtime::IoHandler, private runtime::Timer {
 public:
  /// Asked before each accept: how long to wait (0 = go on). Connections wait in the backlog meanwhile.
  using Gate = std::function<Nanos()>;
  /// Gets a non-blocking socket and owns it from then on.
  using OnAccept = std::function<void(int fd, const Endpoint& peer)>;
  /// A connection was closed because descriptors are short.
  using OnShed = std::function<void()>;
  /// So many descriptors are left for files and for the management while clients come; fewer of a low limit.
  static constexpr std::uint64_t kSpare = 64;
  static std::uint64_t spare_of(std::uint64_t limit) { return std::min(kSpare, limit / 8); }

  Acceptor(runtime::Loop& loop, OnAccept on_accept) : loop_(loop), on_accept_(std::move(on_accept)) {}
  ~Acceptor();

  /// Fails by name if another process or listener holds the address.
  [[nodiscard]] static Result<Endpoint> probe(const Endpoint& bind);
  [[nodiscard]] Result<> open(const Endpoint& bind, const AcceptorOptions& options);
  /// Serves what waits in the accept queue, then closes.
  void close();
  void set_gate(Gate gate) { gate_ = std::move(gate); }
  /// From here on connections that would take one of the last descriptors are closed at once, and told of.
  void set_shed(OnShed on_shed) { on_shed_ = std::move(on_shed); }
  /// Stops and goes on taking connections; they wait in the backlog meanwhile.
  void pause();
  void resume();

  std::uint64_t accepted() const { return accepted_; }

 private:
  void on_io(std::uint32_t events) override;
  void on_timer() override { resume(); }
  void accept_some(int budget);
  void accept_failed(int code, int budget);
  void shed(int fd, std::uint64_t limit);
  runtime::Loop& loop_;
  OnAccept on_accept_;
  OnShed on_shed_;
  Gate gate_;
  int fd_ = -1;
  int reserve_ = -1;  // given up for a moment when there is no other descriptor
  bool paused_ = false;
  Nanos rest_{0};  // after the last failure; 0: there was none since a connection was taken
  std::uint64_t accepted_ = 0;
};

}  // namespace sb::net
