// An ordered list of changes that commit together or not at all, kept in one contiguous buffer. A shard fills it on the
// hot path: no allocation while the buffer is warm. Reuse it by clear(), or get it back from KeyValue::commit's Done.
//
// Layout, host byte order, entries back to back (memory only; it never reaches the disk):
//   op:u8  table:u8  pad:u16  key_size:u32  value_size:u32  key  value
#pragma once

#include "store/table.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace sb::store {

class Batch {
 public:
  enum class Op : std::uint8_t {
    Put,
    Erase,
    ErasePrefix,  // every key of the table that starts with `key`
    Cancelled,    // skipped when committed
  };
  /// Names one entry until the next clear(), commit or move.
  using Mark = std::size_t;

  struct Entry {
    Op op;
    Table table;
    std::string_view key;
    std::string_view value;
  };
  /// Where to write a key and a value whose sizes were announced. Valid until the next call.
  struct Space {
    std::uint8_t* key;
    std::uint8_t* value;
    Mark mark;
  };

  /// clear() gives back a buffer above this, so that one burst is not paid for ever.
  static constexpr std::size_t kKeptBytes = 1 << 20;

  Batch() = default;
  Batch(Batch&& other) noexcept { swap(other); }
  Batch& operator=(Batch&& other) noexcept {
    Batch taken(std::move(other));
    swap(taken);
    return *this;
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  Mark put(Table table, std::string_view key, std::string_view value) {
    const Space at = put_space(table, key.size(), value.size());
    copy(at.key, key);
    copy(at.value, value);
    return at.mark;
  }
  Mark erase(Table table, std::string_view key) {
    const Space at = add(Op::Erase, table, key.size(), 0);
    copy(at.key, key);
    return at.mark;
  }
  /// Costs a range tombstone, which every later scan of the table looks at until it is compacted away: for clearing
  /// many rows at once, not for one. `prefix` must hold a byte below 0xFF.
  Mark erase_prefix(Table table, std::string_view prefix);

  /// The caller writes exactly `key_size` and `value_size` bytes. Sizes must be below 4 GiB.
  Space put_space(Table table, std::size_t key_size, std::size_t value_size) {
    return add(Op::Put, table, key_size, value_size);
  }
  Space erase_space(Table table, std::size_t key_size) { return add(Op::Erase, table, key_size, 0); }

  /// Adds all entries of another, in their order.
  void append(const Batch& other);

  /// Takes an entry back: what was put and is no longer wanted before its batch commits need not be written.
  void cancel(Mark mark);

  /// Entries that will be written.
  std::size_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  /// Bytes held, cancelled entries included.
  std::size_t bytes() const { return size_; }
  void clear();

  /// Calls `visit(const Entry&)` for each entry that is not cancelled, in order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t at = 0; at < size_;) {
      Header header;
      std::memcpy(&header, data_.get() + at, sizeof header);
      const char* key = reinterpret_cast<const char*>(data_.get() + at + sizeof header);
      if (header.op != Op::Cancelled)
        visit(Entry{header.op, header.table, {key, header.key_size}, {key + header.key_size, header.value_size}});
      at += sizeof header + header.key_size + header.value_size;
    }
  }

 private:
  struct Header {
    Op op;
    Table table;
    std::uint16_t pad;
    std::uint32_t key_size;
    std::uint32_t value_size;
  };
  static_assert(sizeof(Header) == 12);

  static void copy(std::uint8_t* to, std::string_view from) {
    if (!from.empty()) std::memcpy(to, from.data(), from.size());
  }
  Space add(Op op, Table table, std::size_t key_size, std::size_t value_size) {
    const std::size_t total = sizeof(Header) + key_size + value_size;
    if (capacity_ - size_ < total) [[unlikely]]
      grow(total);
    std::uint8_t* at = data_.get() + size_;
    const Header header{op, table, 0, static_cast<std::uint32_t>(key_size), static_cast<std::uint32_t>(value_size)};
    std::memcpy(at, &header, sizeof header);
    const Mark mark = size_;
    size_ += total;
    ++count_;
    return {at + sizeof header, at + sizeof header + key_size, mark};
  }
  void grow(std::size_t more);
  void swap(Batch& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(count_, other.count_);
  }

  std::unique_ptr<std::uint8_t[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t count_ = 0;
};

}  // namespace sb::store
