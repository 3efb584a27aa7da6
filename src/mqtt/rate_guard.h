// Holds a connection to its inbound rates (broker.md 17.1): of what was read as much is served as the rates allow, at
// least one packet, then the socket rests until the debt is paid; what is left of it is kept and comes first. So a
// connection is ahead of its rate by less than one packet, and those that share a rate take turns. Routing is the
// exception: what exceeds it is refused. Made only for connections that have a rate. Belongs to the shard of its
// stream.
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
  /// How much of one read may be served at once.
  struct Allowance {
    double packets = 0;
    double bytes = 0;
    /// After a packet: whether one more may follow; `used` are the bytes so far.
    bool another(std::size_t used) {
      packets -= 1;
      return !(spent = packets < 1 || static_cast<double>(used) >= bytes);
    }
    bool spent = false;
  };
  Allowance allowance() const;
  /// Pays for what one read brought: bytes first, then packets. `more`: of it is left, which waits in any case.
  void charge(std::size_t bytes, std::uint64_t packets, bool more);
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
  void on_timer() override;

  net::Stream& stream_;
  runtime::Loop& loop_;
  std::shared_ptr<client::ListenerState> state_;  // shared by the connections of the listener
  net::Bucket bytes_;
  net::Bucket messages_;
  net::Bucket routing_;
  Nanos paid_at_{0};  // when it may go on
  bool own_routing_;
  bool told_ = false;
  bool rested_ = false;
};

}  // namespace sb::mqtt
