// Big-endian writing into room that the caller has measured before; nothing here checks bounds.
#pragma once

#include "base/bytes.h"
#include "codec/mqtt/packets.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sb::codec::mqtt::detail {

/// Length of a Variable Byte Integer. 1.5.5
constexpr std::size_t varint_size(std::size_t value) {
  return value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : 4;
}
constexpr std::size_t sized_size(std::size_t content) {
  return 2 + content;
}

/// Topics are short: a handful of moves instead of a call.
inline void copy_short(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
  if (size > 32) {
    std::memcpy(to, from, size);
  } else if (size >= 16) {
    std::memcpy(to, from, 16);
    std::memcpy(to + size - 16, from + size - 16, 16);
  } else if (size >= 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + size - 8, from + size - 8, 8);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

class Writer {
 public:
  explicit Writer(std::uint8_t* out) : at_(out) {}
  std::uint8_t* at() const { return at_; }

  void u8(unsigned value) { *at_++ = static_cast<std::uint8_t>(value); }
  void u8(ReasonCode code) { u8(static_cast<unsigned>(code)); }
  void u16(unsigned value) {
    at_[0] = static_cast<std::uint8_t>(value >> 8);
    at_[1] = static_cast<std::uint8_t>(value);
    at_ += 2;
  }
  void u32(std::uint32_t value) {
    u16(value >> 16);
    u16(value & 0xFFFF);
  }
  void varint(std::size_t value) {
    while (value >= 128) {
      u8(static_cast<unsigned>(value & 0x7F) | 0x80);
      value >>= 7;
    }
    u8(static_cast<unsigned>(value));
  }
  void raw(ByteView bytes) {
    copy_short(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void sized(ByteView bytes) {
    u16(static_cast<unsigned>(bytes.size()));
    raw(bytes);
  }
  void text(std::string_view value) { sized(as_bytes(value)); }

 private:
  std::uint8_t* at_;
};

/// Writes properties, or only adds up their sizes: the packets list their properties once, for both.
class PropertyCounter {
 public:
  std::size_t size() const { return size_; }
  template <class T>
  void flag(PropertyId, const std::optional<T>& value) {
    if (value) size_ += 2;
  }
  void u16(PropertyId, const std::optional<std::uint16_t>& value) {
    if (value) size_ += 3;
  }
  void u32(PropertyId, const std::optional<std::uint32_t>& value) {
    if (value) size_ += 5;
  }
  void text(PropertyId, const std::optional<std::string_view>& value) {
    if (value) size_ += 1 + sized_size(value->size());
  }
  void binary(PropertyId, const std::optional<ByteView>& value) {
    if (value) size_ += 1 + sized_size(value->size());
  }

 private:
  std::size_t size_ = 0;
};

class PropertyWriter {
 public:
  explicit PropertyWriter(Writer& out) : out_(out) {}
  template <class T>
  void flag(PropertyId id, const std::optional<T>& value) {
    if (value) put(id), out_.u8(static_cast<unsigned>(*value));
  }
  void u16(PropertyId id, const std::optional<std::uint16_t>& value) {
    if (value) put(id), out_.u16(*value);
  }
  void u32(PropertyId id, const std::optional<std::uint32_t>& value) {
    if (value) put(id), out_.u32(*value);
  }
  void text(PropertyId id, const std::optional<std::string_view>& value) {
    if (value) put(id), out_.text(*value);
  }
  void binary(PropertyId id, const std::optional<ByteView>& value) {
    if (value) put(id), out_.sized(*value);
  }

 private:
  void put(PropertyId id) { out_.u8(static_cast<unsigned>(id)); }
  Writer& out_;
};

/// Sum of the properties that `list(sink)` names.
template <class List>
std::size_t properties_size(List&& list) {
  PropertyCounter counter;
  list(counter);
  return counter.size();
}

}  // namespace sb::codec::mqtt::detail
