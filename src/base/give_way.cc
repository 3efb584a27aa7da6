#include "base/give_way.h"

#include <sched.h>

#include <chrono>

namespace sb {

namespace {
using Clock = std::chrono::steady_clock;
constexpr std::chrono::microseconds kPiece{50};
thread_local bool enabled = false;
thread_local Clock::time_point last;
}  // namespace

void gives_way() {
  enabled = true;
}

void give_way() {
  if (!enabled || Clock::now() - last < kPiece) return;
  sched_yield();
  last = Clock::now();
}

}  // namespace sb
