// Timers of one shard: a hierarchical wheel of intrusive nodes. Arm and cancel are O(1) and allocate nothing; precision
// is one tick (8 ms), late but never early. Belongs to one shard.
#pragma once

#include "base/clock.h"

#include <array>
#include <cstdint>

namespace sb::runtime {

class TimerWheel;

/// A timer is a member or base of the object it wakes; destroying it cancels it.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  bool armed() const { return next_ != nullptr; }

 protected:
  ~Timer() { unlink(); }
  virtual void on_timer() = 0;

 private:
  friend class TimerWheel;
  void unlink() {
    if (!next_) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    next_ = prev_ = nullptr;
  }
  Timer* next_ = nullptr;
  Timer* prev_ = nullptr;
  std::uint64_t due_ = 0;  // tick
};

class TimerWheel {
 public:
  static constexpr Nanos kTick{8'000'000};

  explicit TimerWheel(Nanos now);

  /// Fires once, `delay` from `now`. Arming an armed timer moves it.
  void arm(Timer& timer, Nanos now, Nanos delay);
  static void cancel(Timer& timer) { timer.unlink(); }

  /// Runs what is due.
  void advance(Nanos now);

  /// Until the next possible firing, at most `limit`.
  Nanos until_next(Nanos now, Nanos limit) const;

 private:
  static constexpr unsigned kBits = 8;
  static constexpr unsigned kSlots = 1U << kBits;
  static constexpr unsigned kLevels = 4;  // 2 s, 9 min, 37 h, 1.1 years

  struct Head final : Timer {
    Head();
    void on_timer() override {}
    bool empty() const;
    friend class TimerWheel;
  };

  std::uint64_t to_tick(Nanos t) const;
  void place(Timer& timer);
  void cascade(unsigned level);

  std::array<std::array<Head, kSlots>, kLevels> slots_;
  std::uint64_t current_;  // every tick up to and including this one has fired
};

}  // namespace sb::runtime
