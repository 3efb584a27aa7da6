// What a connection still has to write: a chain of pooled chunks, some of which only refer to bytes owned elsewhere (a
// payload shared by many receivers). Costs three words while empty. Belongs to one shard.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

namespace sb::net {

struct Chunk {
  Chunk* next = nullptr;
  std::uint8_t* begin = nullptr;           // first byte not yet written to the socket
  std::uint8_t* end = nullptr;             // first free byte
  std::uint8_t* limit = nullptr;           // end of room; == end for a referring chunk
  void (*release)(void* owner) = nullptr;  // set for a referring chunk
  void* owner = nullptr;
};

/// Recycles chunks of one shard. Memory beyond kKept chunks of a size goes back to the allocator.
class ChunkPool {
 public:
  static constexpr std::size_t kSmall = 2048;
  static constexpr std::size_t kLarge = 16384;
  static constexpr std::size_t kKept = 4096;

  ChunkPool() = default;
  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  /// A chunk with at least `room` free bytes.
  Chunk* take(std::size_t room);
  Chunk* take_reference();
  void give(Chunk* chunk);

 private:
  struct List {
    Chunk* head = nullptr;
    std::size_t count = 0;
  };
  List& list_for(std::size_t room);
  List small_, large_, reference_;
};

class Outbox {
 public:
  explicit Outbox(ChunkPool& pool) : pool_(&pool) {}
  ~Outbox() { clear(); }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  bool empty() const { return head_ == nullptr; }
  std::size_t size() const { return size_; }

  /// Room for `n` contiguous bytes; commit() what was used before anything else is called.
  std::uint8_t* reserve(std::size_t n) {
    if (tail_ && static_cast<std::size_t>(tail_->limit - tail_->end) >= n) return tail_->end;
    return grow(n);
  }
  /// How many bytes that were.
  std::size_t commit(const std::uint8_t* end) {
    const auto count = static_cast<std::size_t>(end - tail_->end);
    size_ += count;
    tail_->end = const_cast<std::uint8_t*>(end);
    return count;
  }
  /// Refers to bytes that stay valid until release(owner) is called.
  void append_reference(const std::uint8_t* data, std::size_t size, void (*release)(void*), void* owner);

  /// Fills at most `max` vectors from the front.
  int gather(iovec* vectors, int max) const;
  /// Drops `n` written bytes from the front.
  void consume(std::size_t n);
  void clear();

 private:
  std::uint8_t* grow(std::size_t n);
  ChunkPool* pool_;
  Chunk* head_ = nullptr;
  Chunk* tail_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace sb::net
