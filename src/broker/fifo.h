// A growing ring buffer: a queue that costs 16 bytes while empty and gives its memory back when it empties.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace sb::broker {

template <class T>
class Fifo {
 public:
  Fifo() = default;
  ~Fifo() { clear(); }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;

  void swap(Fifo& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(capacity_, other.capacity_);
    std::swap(head_, other.head_);
    std::swap(size_, other.size_);
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return slots_[(head_ + i) & (capacity_ - 1)]; }
  const T& operator[](std::size_t i) const { return slots_[(head_ + i) & (capacity_ - 1)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }

  void push_back(T&& value) {
    if (size_ == capacity_) grow();
    ::new (&slots_[(head_ + size_) & (capacity_ - 1)]) T(std::move(value));
    ++size_;
  }
  void push_front(T&& value) {
    if (size_ == capacity_) grow();
    head_ = (head_ - 1) & (capacity_ - 1);
    ::new (&slots_[head_]) T(std::move(value));
    ++size_;
  }
  T pop_front() {
    T out = std::move(front());
    drop_front();
    return out;
  }
  void drop_front() {
    front().~T();
    head_ = (head_ + 1) & (capacity_ - 1);
    if (--size_ == 0 && capacity_ > kKeep) release();
  }
  void clear() {
    while (size_ > 0) {
      front().~T();
      head_ = (head_ + 1) & (capacity_ - 1);
      --size_;
    }
    release();
  }

 private:
  static constexpr std::uint32_t kKeep = 64;
  void grow() {
    const std::uint32_t capacity = capacity_ ? capacity_ * 2 : 8;
    T* slots = static_cast<T*>(::operator new(capacity * sizeof(T)));
    for (std::uint32_t i = 0; i < size_; ++i) {
      T& from = (*this)[i];
      ::new (&slots[i]) T(std::move(from));
      from.~T();
    }
    ::operator delete(slots_);
    slots_ = slots;
    capacity_ = capacity;
    head_ = 0;
  }
  void release() {
    ::operator delete(slots_);
    slots_ = nullptr;
    capacity_ = head_ = 0;
  }
  T* slots_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace sb::broker
