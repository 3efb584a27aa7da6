// Well formed UTF-8 (Unicode table 3-7), for the reason of a close frame. RFC 6455 8.1
#pragma once

#include <string_view>

namespace sb::codec::websocket::detail {
bool is_utf8(std::string_view text);
}
