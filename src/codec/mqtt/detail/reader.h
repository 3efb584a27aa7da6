// Bounds-checked big-endian reading. Every function returns false, and leaves its result alone, when the bytes run out.
#pragma once

#include "base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sb::codec::mqtt::detail {

class Reader {
 public:
  explicit Reader(ByteView in) : at_(in.data()), end_(in.data() + in.size()) {}

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  const std::uint8_t* at() const { return at_; }
  ByteView rest() const { return {at_, left()}; }

  bool u8(std::uint8_t& out) {
    if (left() < 1) return false;
    out = *at_++;
    return true;
  }
  bool u16(std::uint16_t& out) {
    if (left() < 2) return false;
    out = static_cast<std::uint16_t>(at_[0] << 8 | at_[1]);
    at_ += 2;
    return true;
  }
  bool u32(std::uint32_t& out) {
    if (left() < 4) return false;
    out = std::uint32_t{at_[0]} << 24 | std::uint32_t{at_[1]} << 16 | std::uint32_t{at_[2]} << 8 | at_[3];
    at_ += 4;
    return true;
  }
  bool bytes(std::size_t size, ByteView& out) {
    if (left() < size) return false;
    out = {at_, size};
    at_ += size;
    return true;
  }
  /// Two bytes of length, then that many. 1.5.4, 1.5.6
  bool sized(ByteView& out) {
    std::uint16_t size = 0;
    if (left() < 2) return false;
    size = static_cast<std::uint16_t>(at_[0] << 8 | at_[1]);
    if (left() - 2 < size) return false;
    out = {at_ + 2, size};
    at_ += 2 + std::size_t{size};
    return true;
  }
  /// Variable Byte Integer in its shortest form. 1.5.5 [MQTT-1.5.5-1]
  bool varint(std::uint32_t& out) {
    if (left() >= 1 && at_[0] < 0x80) {
      out = *at_++;
      return true;
    }
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i) {
      if (left() <= i) return false;
      value |= static_cast<std::uint32_t>(at_[i] & 0x7F) << (7 * i);
      if (at_[i] & 0x80) continue;
      if (i > 0 && at_[i] == 0) return false;
      at_ += i + 1;
      out = value;
      return true;
    }
    return false;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

}  // namespace sb::codec::mqtt::detail
