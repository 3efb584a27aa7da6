// Memory for objects of a few known sizes that an allocator's size classes round up too far: they lie next to each
// other in spans of whole pages. A pointer tells by its address alone whether it came from here, so that a library's
// free(void*) can be served. Any thread; one lock, so for objects that live long. Source of the idea: slab allocation
// (Bonwick 1994).
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace sb::runtime {

class Slab {
 public:
  /// One kind of object: requests above `from` bytes, up to `slot`, a multiple of 64 that fits into a span.
  struct Size {
    std::size_t from;
    std::size_t slot;
  };
  /// Fifteen pages: 8 slots of 7,680 or 64 of 960 bytes without waste.
  static constexpr std::size_t kSpan = 61'440;

  /// Reserves `reserve` bytes of addresses, no memory. Where the system refuses, allocate() always returns null.
  Slab(std::span<const Size> sizes, std::size_t reserve);
  ~Slab();
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  /// 64-byte aligned; null: not a size of ours, or nothing is left.
  void* allocate(std::size_t size);
  bool owns(const void* pointer) const {
    const auto at = reinterpret_cast<std::uintptr_t>(pointer);
    return at - base_ < reserved_;
  }
  /// For a pointer that owns() knows.
  void release(void* pointer);
  std::size_t slot_size(const void* pointer) const;
  /// Spans that hold memory of the system, for tests.
  std::size_t spans_held() const;

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Span {
    void* free = nullptr;  // a slot's first word is the next one
    std::uint32_t next = kNone, previous = kNone;
    std::uint16_t used = 0;
    std::uint16_t fresh = 0;  // slots that were never given out
    std::uint8_t kind = 0;
  };
  struct Kind {
    Size size{};
    std::uint32_t partial = kNone;  // spans with room
    std::uint32_t spare = kNone;    // one empty span is kept: a single object that comes and goes costs no system call
  };
  std::size_t index_of(const void* pointer) const;
  std::uintptr_t start_of(std::uint32_t index) const { return base_ + std::size_t{index} * kSpan; }
  std::uint32_t take_span(std::uint8_t kind);
  void give_back(std::uint32_t index);
  void link(Kind& kind, std::uint32_t index);
  void unlink(Kind& kind, std::uint32_t index);

  std::uintptr_t base_ = 0;
  std::size_t reserved_ = 0;
  mutable std::mutex mutex_;
  std::vector<Kind> kinds_;
  std::vector<Span> spans_;
  std::vector<std::uint32_t> empty_;  // spans given back
};

}  // namespace sb::runtime
