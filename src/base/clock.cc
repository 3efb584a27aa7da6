#include "base/clock.h"

#include <ctime>

namespace sb {

namespace {
timespec read(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return t;
}
}  // namespace

Nanos SystemClock::monotonic() const {
  const timespec t = read(CLOCK_MONOTONIC);
  return Nanos{static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec};
}

std::int64_t SystemClock::wall_ms() const {
  const timespec t = read(CLOCK_REALTIME);
  return static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_nsec / 1'000'000;
}

}  // namespace sb
