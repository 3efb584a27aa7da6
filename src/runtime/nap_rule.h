// When a loop naps after a wake-up, to gather what arrives meanwhile (node.coalesce): above so many wake-ups a second,
// so that a quiet broker answers at once. See docs/decisions/0007-naps.md.
#pragma once

#include "base/clock.h"

#include <cstdint>

namespace sb::runtime {

class NapRule {
 public:
  /// Wake-ups a second from which on naps pay.
  static constexpr std::uint64_t kWakeUpsPerSecond = 3000;

  /// `length`: of a nap; 0 = never.
  explicit NapRule(Nanos length) : length_(length) {}

  bool napping() const { return napping_; }
  Nanos length() const { return length_; }

  /// What a window of time held: so many waits, and so much time spent in them. Naps themselves make waits fewer: while
  /// they are taken, the same load shows fewer of them, by the time that a nap takes and by what is left for waiting.
  void judge(std::uint64_t waits, Nanos idle, Nanos window) {
    if (length_ <= Nanos{0} || window <= Nanos{0}) return;
    constexpr double kSecond = 1e9;
    const double span = static_cast<double>(window.count());
    double least = static_cast<double>(kWakeUpsPerSecond) * span / kSecond;
    if (napping_)
      least *= static_cast<double>(idle.count()) / span /
               (1.0 + static_cast<double>(kWakeUpsPerSecond) * static_cast<double>(length_.count()) / kSecond);
    napping_ = static_cast<double>(waits) > least;
  }

 private:
  Nanos length_;
  bool napping_ = false;
};

}  // namespace sb::runtime
