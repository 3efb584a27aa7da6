// Room that the layers of one shard share while one of them works: ciphertext in and out, compressed bytes, zlib
// states. Empty between calls, so a quiet connection holds none of it. Made when first used. Belongs to one shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace sb::codec::websocket {
class ZlibPool;
}

namespace sb::net {

class LayerScratch {
 public:
  /// One receive takes in many TLS records.
  static constexpr std::size_t kIn = 128 * 1024;
  /// Output of a flush is gathered up to about this much before it is sent.
  static constexpr std::size_t kOut = 128 * 1024;
  /// One TLS record, 16384 bytes of plain text (RFC 8446 5.1).
  static constexpr std::size_t kRecord = 16 * 1024;

  LayerScratch();
  ~LayerScratch();
  LayerScratch(const LayerScratch&) = delete;
  LayerScratch& operator=(const LayerScratch&) = delete;

  std::uint8_t* tls_in() { return room(tls_in_, kIn); }
  std::uint8_t* tls_record() { return room(tls_record_, kRecord); }
  std::uint8_t* websocket_in() { return room(websocket_in_, kIn); }
  std::string tls_out;
  std::string websocket_out;
  std::string deflated;
  codec::websocket::ZlibPool& zlib();

 private:
  static std::uint8_t* room(std::unique_ptr<std::uint8_t[]>& buffer, std::size_t size) {
    if (!buffer) buffer = std::make_unique_for_overwrite<std::uint8_t[]>(size);
    return buffer.get();
  }
  std::unique_ptr<std::uint8_t[]> tls_in_;
  std::unique_ptr<std::uint8_t[]> tls_record_;
  std::unique_ptr<std::uint8_t[]> websocket_in_;
  std::unique_ptr<codec::websocket::ZlibPool> zlib_;
};

}  // namespace sb::net
