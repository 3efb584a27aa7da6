// How long a blocking step of a driver may last, and that it ends when its resource stops. Passed down to everything
// that waits.
#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <atomic>
#include <chrono>

namespace sb::driver::resource {

using Moment = std::chrono::steady_clock::time_point;

/// Said once, wakes everything that waits under a Limit of it. Any thread.
class Stop {
 public:
  Stop();
  ~Stop();
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;
  void say();
  bool said() const { return said_.load(std::memory_order_acquire); }
  int fd() const { return fd_; }

 private:
  std::atomic<bool> said_{false};
  int fd_ = -1;
};

class Limit {
 public:
  Limit(Moment until, const Stop& stop) : until_(until), stop_(&stop) {}
  /// The same stop, but not later than `longest` from now.
  Limit at_most(Millis longest) const;

  Moment until() const { return until_; }
  /// Never negative.
  Millis left() const;
  /// Until `fd` is ready for `events` (POLLIN, POLLOUT). Timeout; Unavailable: stopped.
  [[nodiscard]] Result<short> wait(int fd, short events) const;
  /// Ready to read when it is time to stop: for libraries that wait by themselves.
  int stop_fd() const { return stop_->fd(); }
  /// Timeout or Unavailable when there is no time left.
  [[nodiscard]] Result<> check() const;

 private:
  Moment until_;
  const Stop* stop_;
};

}  // namespace sb::driver::resource
