#include "net/outbox.h"

#include <new>

namespace sb::net {

namespace {
std::uint8_t* room_of(Chunk* chunk) {
  return reinterpret_cast<std::uint8_t*>(chunk + 1);
}
}  // namespace

ChunkPool::~ChunkPool() {
  for (List* list : {&small_, &large_, &reference_})
    while (list->head) {
      Chunk* next = list->head->next;
      ::operator delete(list->head);
      list->head = next;
    }
}

ChunkPool::List& ChunkPool::list_for(std::size_t room) {
  return room <= kSmall ? small_ : large_;
}

Chunk* ChunkPool::take(std::size_t room) {
  const std::size_t size = room <= kSmall ? kSmall : (room <= kLarge ? kLarge : room);
  Chunk* chunk = nullptr;
  List& list = list_for(size);
  if (size <= kLarge && list.head) {
    chunk = list.head;
    list.head = chunk->next;
    --list.count;
  } else {
    chunk = static_cast<Chunk*>(::operator new(sizeof(Chunk) + size));
  }
  std::uint8_t* data = room_of(chunk);
  *chunk = Chunk{nullptr, data, data, data + size, nullptr, nullptr};
  return chunk;
}

Chunk* ChunkPool::take_reference() {
  Chunk* chunk = reference_.head;
  if (chunk) {
    reference_.head = chunk->next;
    --reference_.count;
  } else {
    chunk = static_cast<Chunk*>(::operator new(sizeof(Chunk)));
  }
  *chunk = Chunk{};
  return chunk;
}

void ChunkPool::give(Chunk* chunk) {
  List* list = &reference_;
  if (chunk->release) {
    chunk->release(chunk->owner);
  } else {
    const auto size = static_cast<std::size_t>(chunk->limit - room_of(chunk));
    if (size != kSmall && size != kLarge) {
      ::operator delete(chunk);
      return;
    }
    list = &list_for(size);
  }
  if (list->count >= kKept) {
    ::operator delete(chunk);
    return;
  }
  chunk->next = list->head;
  list->head = chunk;
  ++list->count;
}

std::uint8_t* Outbox::grow(std::size_t n) {
  // The second chunk of a chain is a large one: who writes more than a little goes on writing.
  Chunk* chunk = pool_->take(tail_ && n <= ChunkPool::kLarge ? ChunkPool::kLarge : n);
  if (tail_)
    tail_->next = chunk;
  else
    head_ = chunk;
  tail_ = chunk;
  return chunk->end;
}

void Outbox::append_reference(const std::uint8_t* data, std::size_t size, void (*release)(void*), void* owner) {
  Chunk* chunk = pool_->take_reference();
  auto* bytes = const_cast<std::uint8_t*>(data);
  *chunk = Chunk{nullptr, bytes, bytes + size, bytes + size, release, owner};
  if (tail_)
    tail_->next = chunk;
  else
    head_ = chunk;
  tail_ = chunk;
  size_ += size;
}

int Outbox::gather(iovec* vectors, int max) const {
  int count = 0;
  for (Chunk* chunk = head_; chunk && count < max; chunk = chunk->next) {
    const auto size = static_cast<std::size_t>(chunk->end - chunk->begin);
    if (size == 0) continue;
    vectors[count++] = iovec{chunk->begin, size};
  }
  return count;
}

void Outbox::consume(std::size_t n) {
  if (!head_) return;
  size_ -= n;
  while (head_) {
    const auto here = static_cast<std::size_t>(head_->end - head_->begin);
    if (n < here) {
      head_->begin += n;
      return;
    }
    n -= here;
    Chunk* next = head_->next;
    pool_->give(head_);
    head_ = next;
  }
  tail_ = nullptr;
}

void Outbox::clear() {
  while (head_) {
    Chunk* next = head_->next;
    pool_->give(head_);
    head_ = next;
  }
  tail_ = nullptr;
  size_ = 0;
}

}  // namespace sb::net
