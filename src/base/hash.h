// Hashing of keys that peers choose (client ids, topics): XXH3 with a seed drawn once a process, so that nobody outside
// can aim at one bucket.
#pragma once

#include "base/bytes.h"

#include <cstdint>
#include <string_view>

namespace sb {

std::uint64_t hash_bytes(const void* data, std::size_t size);
inline std::uint64_t hash_text(std::string_view text) {
  return hash_bytes(text.data(), text.size());
}

/// Transparent hasher for unordered maps keyed by strings.
struct TextHash {
  using is_transparent = void;
  using is_avalanching = void;
  std::size_t operator()(std::string_view text) const noexcept { return hash_text(text); }
};
struct TextEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const noexcept { return a == b; }
};

/// Stable across processes: for what is stored or must agree between nodes (home shard uses its own stored seed).
std::uint64_t hash_stable(std::string_view text, std::uint64_t seed);

}  // namespace sb
