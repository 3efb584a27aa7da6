// PointerTable: a hash table of pointers, read without locks beside one writer.
//
// 4096 segments by the top bits of the hash, each an array of words with linear probing. A word is a pointer (low 48
// bits; bit 0 is free for the owner) and 16 further bits of the hash above it, so a look-up follows almost only the
// right pointer and growing a segment needs no look at what the pointers point to. Growth copies one segment (a few
// hundred words at a million entries) and publishes the copy; the old array goes to the reclaimer. A segment's word
// carries log2 of its size in its top byte, so that a look-up touches the segment's word, a line of the array, and the
// object.
//
// Invariants: every array has an empty slot; an entry lies behind its home without an empty slot between.
// Threads: `find` on any shard inside the reclaimer's protection; the rest under the owner's writer lock.
#pragma once

#include "runtime/reclaimer.h"

#include <atomic>
#include <cstdint>
#include <memory>

namespace sb::broker::detail {

class PointerTable {
 public:
  static constexpr unsigned kSegments = 4096;

  explicit PointerTable(runtime::Reclaimer& reclaimer);
  ~PointerTable();
  PointerTable(const PointerTable&) = delete;
  PointerTable& operator=(const PointerTable&) = delete;

  /// The entry with this hash for which `same(entry)` holds, or 0. `same` sees only entries whose hash tag is equal.
  template <class Same>
  std::uint64_t find(std::uint64_t hash, Same&& same) const {
    const std::uint64_t segment = segments_[hash >> kSegmentShift].load(std::memory_order_acquire);
    if (segment == 0) return 0;
    const unsigned bits = bits_of(segment);
    const Slot* slots = slots_of(segment);
    const std::size_t mask = (std::size_t{1} << bits) - 1;
    const std::uint64_t tag = tag_of(hash);
    for (std::size_t at = home(tag, bits);; at = (at + 1) & mask) {
      const std::uint64_t word = slots[at].load(std::memory_order_acquire);
      if (word >> kTagShift == tag) {
        const std::uint64_t entry = word & kEntryMask;
        if (entry == 0) return 0;
        if (entry != kTombstone && same(entry)) return entry;
      } else if (word == 0) {
        return 0;
      }
    }
  }

  void prefetch(std::uint64_t hash) const {
    const std::uint64_t segment = segments_[hash >> kSegmentShift].load(std::memory_order_relaxed);
    if (segment != 0) __builtin_prefetch(slots_of(segment) + home(tag_of(hash), bits_of(segment)));
  }

  /// The entry is not in the table yet.
  void insert(std::uint64_t hash, std::uint64_t entry);
  /// Both must be in the table's terms the same key; readers see one or the other.
  void replace(std::uint64_t hash, std::uint64_t from, std::uint64_t to);
  void erase(std::uint64_t hash, std::uint64_t entry);

  /// Under the writer lock: every entry of one segment.
  template <class Visitor>
  void visit_segment(unsigned index, Visitor&& visitor) const {
    const std::uint64_t segment = segments_[index].load(std::memory_order_relaxed);
    if (segment == 0) return;
    const Slot* slots = slots_of(segment);
    for (std::size_t at = 0; at < std::size_t{1} << bits_of(segment); ++at) {
      const std::uint64_t entry = slots[at].load(std::memory_order_relaxed) & kEntryMask;
      if (entry != 0 && entry != kTombstone) visitor(entry);
    }
  }

  std::size_t size() const { return size_.load(std::memory_order_relaxed); }
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  using Slot = std::atomic<std::uint64_t>;
  static constexpr unsigned kSegmentShift = 52;
  static constexpr unsigned kTagShift = 48;
  static constexpr std::uint64_t kEntryMask = (std::uint64_t{1} << kTagShift) - 1;
  static constexpr std::uint64_t kTombstone = 2;  // never an address
  static constexpr unsigned kBitsMin = 3;         // 8 slots: one cache line

  struct Fill {
    std::uint32_t live = 0;
    std::uint32_t dead = 0;
  };

  static unsigned bits_of(std::uint64_t segment) { return static_cast<unsigned>(segment >> 56); }
  static Slot* slots_of(std::uint64_t segment) { return reinterpret_cast<Slot*>(segment & kEntryMask); }
  static std::uint64_t tag_of(std::uint64_t hash) { return (hash >> 36) & 0xFFFF; }
  static std::size_t home(std::uint64_t tag, unsigned bits) {
    return static_cast<std::size_t>(bits <= 16 ? tag >> (16 - bits) : tag << (bits - 16));
  }

  void rebuild(unsigned index, unsigned bits);
  Slot& slot_with(std::uint64_t hash, std::uint64_t entry);
  void drop_array(std::uint64_t segment);

  runtime::Reclaimer& reclaimer_;
  std::unique_ptr<Slot[]> segments_;
  std::unique_ptr<Fill[]> fills_;  // the writer's
  std::atomic<std::size_t> size_{0};
  std::atomic<std::size_t> bytes_{0};
};

}  // namespace sb::broker::detail
