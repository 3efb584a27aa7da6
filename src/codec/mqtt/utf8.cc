#include "codec/mqtt/decoder.h"

#include <cstring>

namespace sb::codec::mqtt {
namespace {

/// Eight bytes at once: true if all are printable ASCII (0x20..0x7E).
bool all_printable(const char* at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  // With all high bits clear nothing carries between bytes: + 0x60 sets the high bit of bytes >= 0x20, + 1 of 0x7F.
  return (word & kHighs) == 0 && ((word + 0x60 * kOnes) & kHighs) == kHighs && ((word + kOnes) & kHighs) == 0;
}

/// Length of the well formed sequence at `at` (Unicode table 3-7), 0 if there is none or it is a control character.
std::size_t sequence_length(const unsigned char* at, std::size_t left) {
  const unsigned char lead = at[0];
  auto continues = [&](std::size_t i) { return (at[i] & 0xC0) == 0x80; };
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7F ? 1 : 0;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) {
    if (left < 2 || !continues(1)) return 0;
    return lead == 0xC2 && at[1] < 0xA0 ? 0 : 2;  // U+0080..009F
  }
  if (lead < 0xF0) {
    if (left < 3 || !continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && at[1] < 0xA0) return 0;    // overlong
    return lead == 0xED && at[1] >= 0xA0 ? 0 : 3;  // surrogates
  }
  if (lead > 0xF4 || left < 4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  if (lead == 0xF0 && at[1] < 0x90) return 0;    // overlong
  return lead == 0xF4 && at[1] >= 0x90 ? 0 : 4;  // above U+10FFFF
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t left = text.size() - at;
    if (left >= 8 && all_printable(text.data() + at)) {
      at += 8;
      continue;
    }
    // The end of a text that began with whole words: look again at what is known to be good rather than byte by byte.
    if (left < 8 && at >= 8 && all_printable(text.data() + text.size() - 8)) return true;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data() + at);
    const std::size_t length = sequence_length(bytes, left);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace sb::codec::mqtt
