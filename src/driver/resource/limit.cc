#include "driver/resource/limit.h"

#include "base/check.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace sb::driver::resource {

Stop::Stop() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  SB_CHECK(fd_ >= 0, "eventfd");
}

Stop::~Stop() {
  ::close(fd_);
}

void Stop::say() {
  said_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  (void)!::write(fd_, &one, sizeof one);
}

Limit Limit::at_most(Millis longest) const {
  return {std::min(until_, std::chrono::steady_clock::now() + longest), *stop_};
}

Millis Limit::left() const {
  const auto left = std::chrono::ceil<Millis>(until_ - std::chrono::steady_clock::now());
  return std::max(left, Millis{0});
}

Result<> Limit::check() const {
  if (stop_->said()) return fail(Errc::Unavailable, "the resource stops");
  if (left() == Millis{0}) return fail(Errc::Timeout, "no answer in time");
  return {};
}

Result<short> Limit::wait(int fd, short events) const {
  for (;;) {
    SB_CHECKED(check());
    pollfd set[2] = {{fd, events, 0}, {stop_->fd(), POLLIN, 0}};
    const int ready = ::poll(set, 2, static_cast<int>(std::min<Millis::rep>(left().count(), 60'000)));
    if (ready < 0 && errno != EINTR) return fail(Errc::Io, "poll: " + std::system_category().message(errno));
    if (ready > 0 && set[0].revents != 0) return set[0].revents;
  }
}

}  // namespace sb::driver::resource
