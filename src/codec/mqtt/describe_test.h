// For tests: one line that says all there is in a decoded packet, and packets written as text (tests/vectors/mqtt).
#pragma once

#include "codec/mqtt/decoder.h"

#include <string>
#include <vector>

namespace sb::codec::mqtt::testing {

/// Decodes by type and describes the view, or names the reason code.
std::string describe(const Frame& frame, ProtocolVersion version, bool strict);

std::string name_of(ReasonCode code);

/// Bytes of the notation that tests/vectors/mqtt/README.md explains.
std::vector<std::uint8_t> to_bytes(std::string_view notation);

}  // namespace sb::codec::mqtt::testing
