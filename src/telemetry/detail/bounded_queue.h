// A bounded queue of many producers and one consumer. Each cell carries the number of the turn in which it may be
// written or read, so that a producer claims a place with one exchange and never waits for another producer.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace sb::telemetry::detail {

template <class T>
class BoundedQueue {
 public:
  /// `size` is a power of two.
  explicit BoundedQueue(std::size_t size) : mask_(size - 1), cells_(new Cell[size]) {  // check: allow new
    for (std::size_t i = 0; i < size; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }

  /// Any thread. False: full.
  bool push(T&& value) {
    std::size_t at = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[at & mask_];
      const std::size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == at) {
        if (tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
          cell.value = std::move(value);
          cell.turn.store(at + 1, std::memory_order_release);
          return true;
        }
      } else if (turn < at) {
        return false;
      } else {
        at = tail_.load(std::memory_order_relaxed);
      }
    }
  }
  /// The consumer's thread.
  bool pop(T& out) {
    const std::size_t at = head_.load(std::memory_order_relaxed);
    Cell& cell = cells_[at & mask_];
    if (cell.turn.load(std::memory_order_acquire) != at + 1) return false;
    out = std::move(cell.value);
    cell.turn.store(at + mask_ + 1, std::memory_order_release);
    head_.store(at + 1, std::memory_order_relaxed);
    return true;
  }
  /// About.
  std::size_t size() const { return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_relaxed); }

 private:
  struct Cell {
    std::atomic<std::size_t> turn{0};
    T value{};
  };
  std::size_t mask_;
  std::unique_ptr<Cell[]> cells_;
  alignas(64) std::atomic<std::size_t> tail_{0};
  alignas(64) std::atomic<std::size_t> head_{0};
};

}  // namespace sb::telemetry::detail
