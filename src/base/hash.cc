#include "base/hash.h"

#define XXH_INLINE_ALL
#include <sys/random.h>
#include <xxhash.h>

#include <chrono>

namespace sb {

namespace {
std::uint64_t draw_seed() {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof seed))
    seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  return seed;
}
const std::uint64_t kSeed = draw_seed();
}  // namespace

std::uint64_t hash_bytes(const void* data, std::size_t size) {
  return XXH3_64bits_withSeed(data, size, kSeed);
}

std::uint64_t hash_stable(std::string_view text, std::uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace sb
