#include "runtime/slab.h"

#include "base/check.h"

#include <sys/mman.h>

#include <utility>

namespace sb::runtime {

Slab::Slab(std::span<const Size> sizes, std::size_t reserve) {
  for (const Size& size : sizes) {
    SB_CHECK(size.slot % 64 == 0 && size.slot <= kSpan && size.from < size.slot, "slot size");
    Kind kind;
    kind.size = size;
    kinds_.push_back(kind);
  }
  void* at = mmap(nullptr, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return;
  base_ = reinterpret_cast<std::uintptr_t>(at);
  reserved_ = reserve / kSpan * kSpan;
}

Slab::~Slab() {
  if (reserved_ != 0) munmap(reinterpret_cast<void*>(base_), reserved_);
}

std::size_t Slab::index_of(const void* pointer) const {
  return (reinterpret_cast<std::uintptr_t>(pointer) - base_) / kSpan;
}

std::size_t Slab::slot_size(const void* pointer) const {
  const std::lock_guard guard(mutex_);
  return kinds_[spans_[index_of(pointer)].kind].size.slot;
}

std::size_t Slab::spans_held() const {
  const std::lock_guard guard(mutex_);
  return spans_.size() - empty_.size();
}

void* Slab::allocate(std::size_t size) {
  std::uint8_t kind = 0;
  while (kind < kinds_.size() && (size <= kinds_[kind].size.from || size > kinds_[kind].size.slot)) ++kind;
  if (kind == kinds_.size() || reserved_ == 0) return nullptr;
  const std::lock_guard guard(mutex_);
  Kind& kept = kinds_[kind];
  if (kept.partial == kNone) {
    const std::uint32_t index = take_span(kind);
    if (index == kNone) return nullptr;
    link(kept, index);
  }
  const std::uint32_t index = kept.partial;
  Span& span = spans_[index];
  if (kept.spare == index) kept.spare = kNone;
  void* slot = span.free;
  if (slot) {
    span.free = *static_cast<void**>(slot);
  } else {
    const std::size_t given = kSpan / kept.size.slot - span.fresh;
    slot = reinterpret_cast<void*>(start_of(index) + given * kept.size.slot);
    --span.fresh;
  }
  ++span.used;
  if (!span.free && span.fresh == 0) unlink(kept, index);
  return slot;
}

void Slab::release(void* pointer) {
  const std::lock_guard guard(mutex_);
  const auto index = static_cast<std::uint32_t>(index_of(pointer));
  Span& span = spans_[index];
  Kind& kind = kinds_[span.kind];
  if (!span.free && span.fresh == 0) link(kind, index);
  *static_cast<void**>(pointer) = std::exchange(span.free, pointer);
  if (--span.used != 0) return;
  if (kind.spare == kNone) {
    kind.spare = index;
    return;
  }
  unlink(kind, index);
  give_back(index);
}

std::uint32_t Slab::take_span(std::uint8_t kind) {
  std::uint32_t index = kNone;
  if (!empty_.empty()) {
    index = empty_.back();
    empty_.pop_back();
  } else {
    if ((spans_.size() + 1) * kSpan > reserved_) return kNone;
    index = static_cast<std::uint32_t>(spans_.size());
    if (mprotect(reinterpret_cast<void*>(start_of(index)), kSpan, PROT_READ | PROT_WRITE) != 0) return kNone;
    spans_.emplace_back();
  }
  Span& span = spans_[index];
  span = Span{};
  span.kind = kind;
  span.fresh = static_cast<std::uint16_t>(kSpan / kinds_[kind].size.slot);
  return index;
}

void Slab::give_back(std::uint32_t index) {
  madvise(reinterpret_cast<void*>(start_of(index)), kSpan, MADV_DONTNEED);
  empty_.push_back(index);
}

void Slab::link(Kind& kind, std::uint32_t index) {
  Span& span = spans_[index];
  span.previous = kNone;
  span.next = kind.partial;
  if (kind.partial != kNone) spans_[kind.partial].previous = index;
  kind.partial = index;
}

void Slab::unlink(Kind& kind, std::uint32_t index) {
  Span& span = spans_[index];
  if (span.previous != kNone)
    spans_[span.previous].next = span.next;
  else
    kind.partial = span.next;
  if (span.next != kNone) spans_[span.next].previous = span.previous;
  span.next = span.previous = kNone;
}

}  // namespace sb::runtime
