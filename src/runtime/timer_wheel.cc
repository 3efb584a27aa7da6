#include "runtime/timer_wheel.h"

#include <algorithm>

namespace sb::runtime {

TimerWheel::Head::Head() {
  next_ = prev_ = this;
}
bool TimerWheel::Head::empty() const {
  return next_ == this;
}

TimerWheel::TimerWheel(Nanos now) : current_(to_tick(now)) {}

std::uint64_t TimerWheel::to_tick(Nanos t) const {
  return static_cast<std::uint64_t>(t / kTick);
}

void TimerWheel::arm(Timer& timer, Nanos now, Nanos delay) {
  timer.unlink();
  // One tick more than the quotient: the current tick is already partly gone, and a timer must not fire early.
  timer.due_ = std::max(to_tick(now + std::max(delay, Nanos{0})) + 1, current_ + 1);
  place(timer);
}

void TimerWheel::place(Timer& timer) {
  const std::uint64_t distance = timer.due_ - current_;
  unsigned level = 0;
  while (level + 1 < kLevels && distance >= (std::uint64_t{1} << (kBits * (level + 1)))) ++level;
  std::uint64_t tick = timer.due_;
  // Beyond the last level: park it as far away as the wheel reaches; cascading places it anew.
  const std::uint64_t reach = (std::uint64_t{1} << (kBits * kLevels)) - 1;
  if (distance > reach) tick = current_ + reach;
  Head& head = slots_[level][(tick >> (kBits * level)) & (kSlots - 1)];
  timer.next_ = &head;
  timer.prev_ = head.prev_;
  head.prev_->next_ = &timer;
  head.prev_ = &timer;
}

void TimerWheel::cascade(unsigned level) {
  if (level >= kLevels) return;
  const unsigned slot = (current_ >> (kBits * level)) & (kSlots - 1);
  if (slot == 0) cascade(level + 1);
  Head& head = slots_[level][slot];
  if (head.empty()) return;
  // Take the list off first: a timer that is still far away may go back into this very slot.
  Timer* first = head.next_;
  head.prev_->next_ = nullptr;
  head.next_ = head.prev_ = &head;
  while (first) {
    Timer* next = first->next_;
    place(*first);
    first = next;
  }
}

void TimerWheel::advance(Nanos now) {
  const std::uint64_t target = to_tick(now);
  while (current_ < target) {
    ++current_;
    if ((current_ & (kSlots - 1)) == 0) cascade(1);
    Head& head = slots_[0][current_ & (kSlots - 1)];
    while (!head.empty()) {
      Timer* timer = head.next_;
      timer->unlink();
      if (timer->due_ > current_)
        place(*timer);
      else
        timer->on_timer();
    }
  }
}

Nanos TimerWheel::until_next(Nanos now, Nanos limit) const {
  // Look through the rest of level 0 up to the next cascade; a cascade is itself a moment to wake up for, if any
  // higher slot that it opens holds timers.
  const auto max_ticks = static_cast<std::uint64_t>(limit / kTick) + 1;
  for (std::uint64_t tick = current_ + 1; tick <= current_ + max_ticks; ++tick) {
    const bool opens = (tick & (kSlots - 1)) == 0;
    bool due = !slots_[0][tick & (kSlots - 1)].empty();
    for (unsigned level = 1; opens && !due && level < kLevels; ++level) {
      const unsigned slot = (tick >> (kBits * level)) & (kSlots - 1);
      due = !slots_[level][slot].empty();
      if (slot != 0) break;
    }
    if (due) {
      const Nanos when = kTick * static_cast<std::int64_t>(tick);
      return std::clamp(when - now, Nanos{0}, limit);
    }
  }
  return limit;
}

}  // namespace sb::runtime
