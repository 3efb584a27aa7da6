#include "codec/websocket/detail/utf8.h"

namespace sb::codec::websocket::detail {

bool is_utf8(std::string_view text) {
  std::size_t at = 0;
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  while (at < text.size()) {
    const unsigned char lead = byte(at);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || text.size() - at < length) return false;
    for (std::size_t i = 1; i < length; ++i)
      if ((byte(at + i) & 0xC0) != 0x80) return false;
    if (length > 2) {
      const unsigned char second = byte(at + 1);
      const bool bad = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second >= 0xA0) ||  // overlong, surrogate
                       (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second >= 0x90);    // overlong, too high
      if (bad) return false;
    }
    at += length;
  }
  return true;
}

}  // namespace sb::codec::websocket::detail
