// Bounded ring between exactly one producing and one consuming thread. Entries are moved in and out; nothing is
// allocated after construction.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace sb::runtime {

template <class T>
class SpscRing {
 public:
  /// `capacity` is a power of two.
  explicit SpscRing(std::size_t capacity) : mask_(capacity - 1), slots_(std::make_unique<T[]>(capacity)) {}

  /// Producer. False when full.
  bool push(T&& value) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - cached_head_ > mask_) {
      cached_head_ = head_.load(std::memory_order_acquire);
      if (tail - cached_head_ > mask_) return false;
    }
    slots_[tail & mask_] = std::move(value);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  /// Consumer: calls fn(T&&) for everything that was there when it began; returns how many.
  template <class Fn>
  std::size_t drain(Fn&& fn) {
    std::size_t head = head_.load(std::memory_order_relaxed);
    const std::size_t tail = tail_.load(std::memory_order_acquire);
    const std::size_t count = tail - head;
    for (; head != tail; ++head) {
      fn(std::move(slots_[head & mask_]));
      slots_[head & mask_] = T{};
      head_.store(head + 1, std::memory_order_release);
    }
    return count;
  }

  /// Either side; exact for the caller's own side.
  std::size_t size() const { return tail_.load(std::memory_order_acquire) - head_.load(std::memory_order_acquire); }
  bool empty() const { return size() == 0; }
  std::size_t capacity() const { return mask_ + 1; }

 private:
  std::size_t mask_;
  std::unique_ptr<T[]> slots_;
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
  std::size_t cached_head_ = 0;  // producer's
};

}  // namespace sb::runtime
