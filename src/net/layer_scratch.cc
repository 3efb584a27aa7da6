#include "net/layer_scratch.h"

#include "codec/websocket/deflate.h"

namespace sb::net {

LayerScratch::LayerScratch() = default;
LayerScratch::~LayerScratch() = default;

codec::websocket::ZlibPool& LayerScratch::zlib() {
  if (!zlib_) zlib_ = std::make_unique<codec::websocket::ZlibPool>();
  return *zlib_;
}

}  // namespace sb::net
