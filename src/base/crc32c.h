// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as iSCSI, the PROXY protocol and RocksDB's logs have it.
#pragma once

#include "base/bytes.h"

#include <cstdint>

namespace sb {

/// The checksum of what `crc` covers, followed by `bytes`. Begin with 0.
std::uint32_t crc32c(std::uint32_t crc, ByteView bytes);

}  // namespace sb
