#include "net/tls_memory.h"

#include "runtime/slab.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace sb::net {

namespace {

// OpenSSL 3.0: an SSL has 7,624 bytes; an AES-GCM context 960, of which a connection has two, and its session 928.
constexpr std::array<runtime::Slab::Size, 2> kSizes{{{896, 960}, {7168, 7680}}};
constexpr std::size_t kReserve = std::size_t{64} << 30;

/// Sanitizers watch each allocation themselves.
#ifdef SB_SANITIZED
constexpr bool kWatched = true;
#else
constexpr bool kWatched = false;
#endif

/// Never destroyed: OpenSSL frees its last objects at exit, after the destructors of this program.
runtime::Slab& slab() {
  static auto* one = new runtime::Slab(kSizes, kReserve);  // check: allow new
  return *one;
}

void* allocate(std::size_t size, const char*, int) {
  if (void* slot = slab().allocate(size)) return slot;
  return std::malloc(size);
}
void release(void* pointer, const char*, int) {
  if (slab().owns(pointer))
    slab().release(pointer);
  else
    std::free(pointer);
}
void* resize(void* pointer, std::size_t size, const char* file, int line) {
  if (!pointer) return allocate(size, file, line);
  if (!slab().owns(pointer)) return std::realloc(pointer, size);
  if (size == 0) {
    slab().release(pointer);
    return nullptr;
  }
  void* moved = allocate(size, file, line);
  if (!moved) return nullptr;
  std::memcpy(moved, pointer, std::min(size, slab().slot_size(pointer)));
  slab().release(pointer);
  return moved;
}

}  // namespace

void install_tls_memory() {
  if (!kWatched) CRYPTO_set_mem_functions(allocate, resize, release);
}

}  // namespace sb::net
