// Holds a connection to its inbound rates (broker.md 17.1): what was read is served, then the socket rests until the
// debt is paid. Made only for connections that have a rate. Belongs to the shard of its stream.
#pragma once

#include "client/settings.h"
#include "net/rate.h"
#include "net/stream.h"
#include "runtime/loop.h"

#include <memory>

namespace sb::mqtt {

class RateGuard final : private runtime::Timer {
 public:
  /// Null where nothing limits.
  static std::unique_ptr<RateGuard> make(net::Stream& stream, runtime::Loop& loop,
                                         const client::ListenerSettings& settings,
                                         std::shared_ptr<client::ListenerState> state);
  /// Pays for what one read brought: bytes first, then packets.
  void charge(std::size_t bytes, std::uint64_t packets);

 private:
  RateGuard(net::Stream& stream, runtime::Loop& loop, const client::ListenerSettings& settings,
            std::shared_ptr<client::ListenerState> state)
      : stream_(stream),
        loop_(loop),
        state_(std::move(state)),
        bytes_(settings.bytes_rate),
        messages_(settings.messages_rate) {}
  void on_timer() override { stream_.resume(net::Stream::kRate); }

  net::Stream& stream_;
  runtime::Loop& loop_;
  std::shared_ptr<client::ListenerState> state_;  // shared by the connections of the listener
  net::Bucket bytes_;
  net::Bucket messages_;
  bool told_ = false;
};

}  // namespace sb::mqtt
