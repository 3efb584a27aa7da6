// Fields of keys and values. Values: little endian, text and bytes behind a u32 length. Keys: big endian, so that their
// byte order is their order; text without a length where it ends the key.
#pragma once

#include "base/bytes.h"
#include "base/mqtt_types.h"

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sb::store::detail {

static_assert(std::endian::native == std::endian::little, "stored integers are copied as they are");

constexpr std::size_t kLength = 4;  // of a text or bytes field

constexpr std::size_t size_of(std::string_view text) {
  return kLength + text.size();
}
constexpr std::size_t size_of(ByteView bytes) {
  return kLength + bytes.size();
}

template <std::unsigned_integral T>
T to_big_endian(T number) {
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(number);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(number);
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(number);
  return number;
}

/// Writes into space of the announced size; `at()` must be its end when done.
class Writer {
 public:
  explicit Writer(std::uint8_t* at) : at_(at) {}

  void u8(std::uint8_t number) { *at_++ = number; }
  void u16(std::uint16_t number) { raw(&number, sizeof number); }
  void u32(std::uint32_t number) { raw(&number, sizeof number); }
  void u64(std::uint64_t number) { raw(&number, sizeof number); }
  void i64(std::int64_t number) { raw(&number, sizeof number); }
  void text(std::string_view text) {
    u32(static_cast<std::uint32_t>(text.size()));
    raw(text.data(), text.size());
  }
  void bytes(ByteView bytes) { text(as_text(bytes)); }

  template <std::unsigned_integral T>
  void key(T number) {
    const T big = to_big_endian(number);
    raw(&big, sizeof big);
  }
  void raw(const void* from, std::size_t size) {
    if (size == 0) return;
    std::memcpy(at_, from, size);
    at_ += size;
  }
  const std::uint8_t* at() const { return at_; }

 private:
  std::uint8_t* at_;
};

/// Reads with bounds: past the end everything is zero or empty and done() is false.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  std::uint8_t u8() { return number<std::uint8_t>(); }
  std::uint16_t u16() { return number<std::uint16_t>(); }
  std::uint32_t u32() { return number<std::uint32_t>(); }
  std::uint64_t u64() { return number<std::uint64_t>(); }
  std::int64_t i64() { return number<std::int64_t>(); }
  std::string_view text() { return take(u32()); }
  ByteView bytes() { return as_bytes(text()); }

  template <std::unsigned_integral T>
  T key() {
    return to_big_endian(number<T>());
  }
  std::string_view rest() { return take(in_.size()); }
  std::string_view take(std::size_t size) {
    if (size > in_.size()) {
      failed_ = true;
      in_ = {};
      return {};
    }
    const std::string_view taken = in_.substr(0, size);
    in_.remove_prefix(size);
    return taken;
  }

  // A value outside its range marks the record as bad.
  bool flag() { return in_range(u8(), std::uint8_t{1}) != 0; }
  Qos qos() { return static_cast<Qos>(in_range(u8(), std::uint8_t{2})); }
  template <std::unsigned_integral T>
  T in_range(T number, T most) {
    if (number > most) failed_ = true;
    return number > most ? T{0} : number;
  }
  void fail_unless(bool condition) {
    if (!condition) failed_ = true;
  }

  /// All was there and nothing is left.
  bool done() const { return !failed_ && in_.empty(); }

 private:
  template <class T>
  T number() {
    T number{};
    if (const std::string_view raw = take(sizeof number); !raw.empty()) std::memcpy(&number, raw.data(), sizeof number);
    return number;
  }

  std::string_view in_;
  bool failed_ = false;
};

}  // namespace sb::store::detail
