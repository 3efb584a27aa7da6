// Time comes in through the constructor, so that tests own it. Monotonic time drives timers; wall time is for records
// and for deadlines that must survive a restart.
#pragma once

#include <chrono>
#include <cstdint>

namespace sb {

using Nanos = std::chrono::nanoseconds;
using Millis = std::chrono::milliseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  /// Monotonic, from an arbitrary start; never steps back.
  virtual Nanos monotonic() const = 0;
  /// Milliseconds since the UNIX epoch; may step.
  virtual std::int64_t wall_ms() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  Nanos monotonic() const override;
  std::int64_t wall_ms() const override;
};

/// A clock that moves when told to. For tests; not thread safe.
class ManualClock final : public Clock {
 public:
  Nanos monotonic() const override { return now_; }
  std::int64_t wall_ms() const override { return wall_ms_; }
  void advance(Nanos by) {
    now_ += by;
    wall_ms_ += std::chrono::duration_cast<Millis>(by).count();
  }
  void step_wall(Millis by) { wall_ms_ += by.count(); }

 private:
  Nanos now_{1'000'000'000};
  std::int64_t wall_ms_ = 1'700'000'000'000;
};

}  // namespace sb
