// A header that was taken must be taken again from exactly its bytes, and must be incomplete without the last one.
#include "codec/proxy/proxy.h"

#include <cstdlib>
#include <vector>

namespace {
void require(bool condition) {
  if (!condition) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sb;
  using namespace sb::codec::proxy;
  const auto parsed = parse({data, size});
  if (!parsed) return 0;
  if (!*parsed) {
    require(size < kMaxV2);
    return 0;
  }
  const Header& header = **parsed;
  require(header.size > 0 && header.size <= size && header.size <= kMaxV2);
  std::vector<std::uint8_t> exact(data, data + header.size);
  const auto again = parse(exact);
  require(again && *again && (*again)->source == header.source && (*again)->common_name == header.common_name);
  exact.pop_back();
  const auto cut = parse(exact);
  require(cut && !*cut);
  return 0;
}
