// Holds a connection to its inbound rates (broker.md 17.1): what was read is served, then the socket rests until the
// debt is paid. Routing is the exception: what exceeds it is refused. Made only for connections that have a rate.
// Belongs to the shard of its stream.
#pragma once

#include "client/settings.h"
#include "net/rate.h"
#include "net/stream.h"
#include "runtime/loop.h"

#include <memory>
#include <utility>

namespace sb::mqtt {

class RateGuard final : private runtime::Timer {
 public:
  /// Null where nothing limits.
  static std::unique_ptr<RateGuard> make(net::Stream& stream, runtime::Loop& loop,
                                         const client::ListenerSettings& settings,
                                         std::shared_ptr<client::ListenerState> state);
  /// Pays for what one read brought: bytes first, then packets.
  void charge(std::size_t bytes, std::uint64_t packets);
  /// Whether one more publish may be routed now (message_routing).
  bool may_route() const;
  /// Pays for a publish and its receivers.
  void charge_routing(std::uint32_t dispatches);
  /// Whether the socket has rested since this was asked last: that silence was not the client's.
  bool has_rested() { return std::exchange(rested_, false); }
  bool limits_routing() const {
    return own_routing_ || state_->limits.routing.limits() || state_->node_limits->routing.limits();
  }

 private:
  RateGuard(net::Stream& stream, runtime::Loop& loop, const client::ListenerSettings& settings,
            std::shared_ptr<client::ListenerState> state)
      : stream_(stream),
        loop_(loop),
        state_(std::move(state)),
        bytes_(settings.bytes_rate),
        messages_(settings.messages_rate),
        routing_(settings.routing_rate),
        own_routing_(settings.routing_rate.limits()) {}
  void on_timer() override {
    rested_ = true;
    stream_.resume(net::Stream::kRate);
  }

  net::Stream& stream_;
  runtime::Loop& loop_;
  std::shared_ptr<client::ListenerState> state_;  // shared by the connections of the listener
  net::Bucket bytes_;
  net::Bucket messages_;
  net::Bucket routing_;
  bool own_routing_;
  bool told_ = false;
  bool rested_ = false;
};

}  // namespace sb::mqtt
