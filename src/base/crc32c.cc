#include "base/crc32c.h"

#include <array>
#include <cstddef>

namespace sb {

namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;
constexpr std::size_t kSlices = 8;  // bytes looked up at once

using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

/// tables[n][byte]: what `byte` adds to the checksum when n more bytes follow it.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? kPolynomial : 0u);
    tables[0][byte] = crc;
  }
  for (std::size_t n = 1; n < kSlices; ++n)
    for (std::size_t byte = 0; byte < 256; ++byte)
      tables[n][byte] = tables[n - 1][byte] >> 8 ^ tables[0][tables[n - 1][byte] & 0xFF];
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32c(std::uint32_t crc, ByteView bytes) {
  crc = ~crc;
  const std::uint8_t* at = bytes.data();
  const std::uint8_t* const end = at + bytes.size();
  for (; end - at >= static_cast<std::ptrdiff_t>(kSlices); at += kSlices)
    crc = kTables[7][(crc ^ at[0]) & 0xFF] ^ kTables[6][(crc >> 8 ^ at[1]) & 0xFF] ^
          kTables[5][(crc >> 16 ^ at[2]) & 0xFF] ^ kTables[4][crc >> 24 ^ at[3]] ^ kTables[3][at[4]] ^
          kTables[2][at[5]] ^ kTables[1][at[6]] ^ kTables[0][at[7]];
  for (; at != end; ++at) crc = crc >> 8 ^ kTables[0][(crc ^ *at) & 0xFF];
  return ~crc;
}

}  // namespace sb
