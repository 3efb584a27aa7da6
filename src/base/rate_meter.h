// Events a second, from a counter that is looked at once a second by one thread and read by any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sb {

class RateMeter {
 public:
  /// Called once a second.
  void tick(std::uint64_t total);
  double current() const { return current_.load(std::memory_order_relaxed); }
  double last_5m() const { return last_5m_.load(std::memory_order_relaxed); }
  double most() const { return most_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kWindow = 300;  // seconds
  std::vector<std::uint64_t> totals_;          // a ring, once full
  std::size_t next_ = 0;
  std::uint64_t last_ = 0;
  std::atomic<double> current_{0}, last_5m_{0}, most_{0};
};

}  // namespace sb
