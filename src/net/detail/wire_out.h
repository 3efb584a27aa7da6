// The lower end of a layer: hands bytes to the layer below or to the socket and keeps what neither takes. One pointer
// while nothing is kept. Belongs to one shard.
#pragma once

#include "net/layer.h"

#include <memory>
#include <string>
#include <string_view>

namespace sb::net::detail {

class WireOut {
 public:
  /// A peer that makes us answer (pings, key updates) and does not read is given up beyond this.
  static constexpr std::size_t kKeptMax = 1 << 20;

  bool empty() const { return !rest_; }

  /// Pushes what was kept. False: the socket is full or has failed.
  bool flush(int fd, Layer* below);
  /// Sends `bytes` behind what was kept; what is not taken is kept. False: the socket is full or has failed.
  bool send(int fd, Layer* below, std::string_view bytes);
  bool failed() const { return error_ != 0; }
  int error() const { return error_; }  // errno; -1: the layer below tells

 private:
  /// Bytes taken, at least 0.
  std::size_t push(int fd, Layer* below, std::string_view bytes);
  std::unique_ptr<std::string> rest_;
  int error_ = 0;
};

/// recv() in terms of Layer's results.
ssize_t receive(int fd, std::uint8_t* out, std::size_t room);

}  // namespace sb::net::detail
