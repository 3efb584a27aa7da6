// Views of bytes. A ByteView never owns; it lives until the call that received it returns.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sb {

using ByteView = std::span<const std::uint8_t>;

inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace sb
