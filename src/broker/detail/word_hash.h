// Hash of one topic level. Levels are short and every match hashes several, so this is inline and reads at most two
// words of 8 bytes; longer levels go to the common hash. Seeded once a process, as that one is (base/hash.h).
#pragma once

#include "base/hash.h"

#include <cstdint>
#include <cstring>
#include <string_view>

namespace sb::broker::detail {

class WordHash {
 public:
  WordHash() : low_(hash_text("word hash, low") | 1), high_(hash_text("word hash, high") | 1) {}

  /// Never 0.
  std::uint64_t operator()(std::string_view word) const {
    const std::size_t size = word.size();
    const char* text = word.data();
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    if (size > 16) return hash_text(word) | 1;
    if (size >= 8) {
      a = load<std::uint64_t>(text);
      b = load<std::uint64_t>(text + size - 8);
    } else if (size >= 4) {
      a = load<std::uint32_t>(text);
      b = load<std::uint32_t>(text + size - 4);
    } else if (size > 0) {  // first, middle and last byte
      a = static_cast<unsigned char>(text[0]) | std::uint64_t{static_cast<unsigned char>(text[size / 2])} << 8;
      b = static_cast<unsigned char>(text[size - 1]);
    }
    const unsigned __int128 product =
        static_cast<unsigned __int128>(a ^ low_) * ((b ^ high_) + (std::uint64_t{size} << 56));
    return (static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64)) | 1;
  }

 private:
  template <class Integer>
  static std::uint64_t load(const char* from) {
    Integer value = 0;
    std::memcpy(&value, from, sizeof value);
    return value;
  }

  std::uint64_t low_;
  std::uint64_t high_;
};

}  // namespace sb::broker::detail
