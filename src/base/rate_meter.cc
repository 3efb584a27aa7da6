#include "base/rate_meter.h"

namespace sb {

void RateMeter::tick(std::uint64_t total) {
  const auto gained = static_cast<double>(total - last_);
  last_ = total;
  current_.store(gained, std::memory_order_relaxed);
  if (gained > most()) most_.store(gained, std::memory_order_relaxed);
  const std::uint64_t before = totals_.size() < kWindow ? 0 : totals_[next_];
  if (totals_.size() < kWindow)
    totals_.push_back(total);
  else
    totals_[next_] = total;
  next_ = (next_ + 1) % kWindow;
  last_5m_.store(static_cast<double>(total - before) / static_cast<double>(totals_.size()), std::memory_order_relaxed);
}

}  // namespace sb
