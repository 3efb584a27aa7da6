#include "broker/detail/pointer_table.h"

#include "base/check.h"

#include <cstdlib>
#include <new>

namespace sb::broker::detail {

namespace {

using Slot = std::atomic<std::uint64_t>;

Slot* make_array(std::size_t count) {
  void* memory = ::operator new(count * sizeof(Slot), std::align_val_t{64});
  auto* slots = static_cast<Slot*>(memory);
  for (std::size_t i = 0; i < count; ++i) new (slots + i) Slot(0);
  return slots;
}

void free_array(void* slots) {
  ::operator delete(slots, std::align_val_t{64});
}

void add(std::atomic<std::size_t>& counter, std::size_t change) {
  counter.store(counter.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
}

}  // namespace

PointerTable::PointerTable(runtime::Reclaimer& reclaimer)
    : reclaimer_(reclaimer),
      segments_(std::make_unique<Slot[]>(kSegments)),
      fills_(std::make_unique<Fill[]>(kSegments)),
      bytes_(kSegments * (sizeof(Slot) + sizeof(Fill))) {}

PointerTable::~PointerTable() {
  for (unsigned i = 0; i < kSegments; ++i)
    if (const std::uint64_t segment = segments_[i].load(std::memory_order_relaxed)) free_array(slots_of(segment));
}

void PointerTable::drop_array(std::uint64_t segment) {
  if (segment == 0) return;
  add(bytes_, 0 - (sizeof(Slot) << bits_of(segment)));
  reclaimer_.retire(slots_of(segment), free_array);
}

// Copies the live entries into an array of 2^bits and publishes it. Readers in the old one finish there.
void PointerTable::rebuild(unsigned index, unsigned bits) {
  const std::uint64_t old = segments_[index].load(std::memory_order_relaxed);
  Slot* slots = make_array(std::size_t{1} << bits);
  const std::size_t mask = (std::size_t{1} << bits) - 1;
  if (old != 0) {
    const Slot* from = slots_of(old);
    for (std::size_t i = 0; i < std::size_t{1} << bits_of(old); ++i) {
      const std::uint64_t word = from[i].load(std::memory_order_relaxed);
      if (word == 0 || (word & kEntryMask) == kTombstone) continue;
      std::size_t at = home(word >> kTagShift, bits);
      while (slots[at].load(std::memory_order_relaxed) != 0) at = (at + 1) & mask;
      slots[at].store(word, std::memory_order_relaxed);
    }
  }
  add(bytes_, sizeof(Slot) << bits);
  const auto address = reinterpret_cast<std::uint64_t>(slots);
  SB_CHECK((address & ~kEntryMask) == 0, "an address of more than 48 bits");
  segments_[index].store(address | std::uint64_t{bits} << 56, std::memory_order_release);
  fills_[index].dead = 0;
  drop_array(old);
}

void PointerTable::insert(std::uint64_t hash, std::uint64_t entry) {
  SB_CHECK((entry & ~kEntryMask) == 0, "an address of more than 48 bits");
  const auto index = static_cast<unsigned>(hash >> kSegmentShift);
  Fill& fill = fills_[index];
  std::uint64_t segment = segments_[index].load(std::memory_order_relaxed);
  if (segment == 0) {
    rebuild(index, kBitsMin);
  } else if (const std::size_t size = std::size_t{1} << bits_of(segment); (fill.live + fill.dead + 1) * 4 > size * 3) {
    rebuild(index, bits_of(segment) + (fill.live * 2 >= size ? 1 : 0));  // many tombstones: the same size again
  }
  segment = segments_[index].load(std::memory_order_relaxed);
  const std::size_t mask = (std::size_t{1} << bits_of(segment)) - 1;
  Slot* slots = slots_of(segment);
  std::size_t at = home(tag_of(hash), bits_of(segment));
  for (;; at = (at + 1) & mask) {
    const std::uint64_t word = slots[at].load(std::memory_order_relaxed);
    if (word == 0) break;
    if ((word & kEntryMask) == kTombstone) {
      --fill.dead;
      break;
    }
  }
  slots[at].store(entry | tag_of(hash) << kTagShift, std::memory_order_release);
  ++fill.live;
  add(size_, 1);
}

PointerTable::Slot& PointerTable::slot_with(std::uint64_t hash, std::uint64_t entry) {
  const std::uint64_t segment = segments_[hash >> kSegmentShift].load(std::memory_order_relaxed);
  SB_CHECK(segment != 0, "entry is not in the table");
  const std::size_t mask = (std::size_t{1} << bits_of(segment)) - 1;
  Slot* slots = slots_of(segment);
  const std::uint64_t wanted = entry | tag_of(hash) << kTagShift;
  for (std::size_t at = home(tag_of(hash), bits_of(segment));; at = (at + 1) & mask) {
    const std::uint64_t word = slots[at].load(std::memory_order_relaxed);
    if (word == wanted) return slots[at];
    SB_CHECK(word != 0, "entry is not in the table");
  }
}

void PointerTable::replace(std::uint64_t hash, std::uint64_t from, std::uint64_t to) {
  slot_with(hash, from).store(to | tag_of(hash) << kTagShift, std::memory_order_release);
}

void PointerTable::erase(std::uint64_t hash, std::uint64_t entry) {
  const auto index = static_cast<unsigned>(hash >> kSegmentShift);
  Slot& slot = slot_with(hash, entry);
  Fill& fill = fills_[index];
  const std::uint64_t segment = segments_[index].load(std::memory_order_relaxed);
  Slot* slots = slots_of(segment);
  const std::size_t size = std::size_t{1} << bits_of(segment);
  --fill.live;
  add(size_, std::size_t{0} - 1);
  if (fill.live == 0) {
    segments_[index].store(0, std::memory_order_release);
    fill.dead = 0;
    drop_array(segment);
    return;
  }
  const auto at = static_cast<std::size_t>(&slot - slots);
  if (slots[(at + 1) & (size - 1)].load(std::memory_order_relaxed) == 0) {
    slot.store(0, std::memory_order_release);  // nothing lies behind it, so no probe has to pass
  } else {
    slot.store(kTombstone, std::memory_order_release);
    ++fill.dead;
  }
  if (bits_of(segment) > kBitsMin && std::size_t{fill.live} * 8 <= size) rebuild(index, bits_of(segment) - 1);
}

}  // namespace sb::broker::detail
