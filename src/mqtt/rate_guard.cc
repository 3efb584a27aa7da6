#include "mqtt/rate_guard.h"

#include "base/log.h"

#include <algorithm>

namespace sb::mqtt {

namespace {
constexpr Nanos kRestLeast{50'000'000};
/// A longer debt is looked at again: the shared rates may have been raised.
constexpr Nanos kRestMost{5'000'000'000};
}  // namespace

std::unique_ptr<RateGuard> RateGuard::make(net::Stream& stream, runtime::Loop& loop,
                                           const client::ListenerSettings& settings,
                                           std::shared_ptr<client::ListenerState> state) {
  const client::SharedLimits& node = *state->node_limits;
  if (!settings.bytes_rate.limits() && !settings.messages_rate.limits() && !settings.routing_rate.limits() &&
      !state->limits.limit_traffic() && !node.limit_traffic())
    return nullptr;
  return std::unique_ptr<RateGuard>(new RateGuard(stream, loop, settings, std::move(state)));  // check: allow new
}

RateGuard::Allowance RateGuard::allowance() const {
  const Nanos now = loop_.now();
  return {std::min({messages_.available(now), state_->limits.messages.available(now),
                    state_->node_limits->messages.available(now)}),
          std::min(
              {bytes_.available(now), state_->limits.bytes.available(now), state_->node_limits->bytes.available(now)})};
}

void RateGuard::charge(std::size_t bytes, std::uint64_t packets, bool more) {
  const Nanos now = loop_.now();
  const auto cost = static_cast<double>(bytes);
  Nanos debt = std::max(
      {bytes_.take(now, cost), state_->limits.bytes.take(now, cost), state_->node_limits->bytes.take(now, cost)});
  const auto count = static_cast<double>(packets);
  debt = std::max({debt, messages_.take(now, count), state_->limits.messages.take(now, count),
                   state_->node_limits->messages.take(now, count)});
  if (debt.count() == 0 && !more) return;
  debt = std::max(debt, kRestLeast);
  stream_.pause(net::Stream::kRate);
  paid_at_ = now + debt;
  loop_.timers().arm(*this, now, std::min(debt, kRestMost));
  if (!std::exchange(told_, true))
    SB_LOG(log::Level::Info, "connection_rate_limited",
           kv("rest_ms", std::chrono::duration_cast<Millis>(debt).count()));
}

void RateGuard::on_timer() {
  rested_ = true;
  const Nanos now = loop_.now();
  const Nanos debt = std::max({bytes_.wait(now), messages_.wait(now), state_->limits.bytes.wait(now),
                               state_->limits.messages.wait(now), state_->node_limits->bytes.wait(now),
                               state_->node_limits->messages.wait(now)});
  const Nanos left = std::min(paid_at_ - now, debt);
  if (left.count() > 0)
    loop_.timers().arm(*this, now, std::clamp(left, kRestLeast, kRestMost));
  else
    stream_.resume(net::Stream::kRate);
}

bool RateGuard::may_route() const {
  const Nanos now = loop_.now();
  return std::max({routing_.wait(now), state_->limits.routing.wait(now), state_->node_limits->routing.wait(now)})
             .count() == 0;
}

void RateGuard::charge_routing(std::uint32_t dispatches) {
  const Nanos now = loop_.now();
  const double cost = 1.0 + dispatches;
  routing_.take(now, cost);
  state_->limits.routing.take(now, cost);
  state_->node_limits->routing.take(now, cost);
}

}  // namespace sb::mqtt
