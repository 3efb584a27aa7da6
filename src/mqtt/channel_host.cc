#include <unistd.h>

// check: allow new in this file: channels are owned by the list that links them
#include "base/log.h"
#include "base/secret_name.h"
#include "mqtt/channel.h"
#include "mqtt/deferred.h"
#include "mqtt/outbound_aliases.h"

namespace sb::mqtt {

ChannelHost::ChannelHost(client::ShardContext& shard, std::function<void(HandOver)> hand_over)
    : shard_(shard), hand_over_(std::move(hand_over)) {}

ChannelHost::~ChannelHost() {
  while (first_) {
    Channel* channel = first_;
    remove(*channel);
    delete channel;
  }
}

void ChannelHost::accept(net::Stream::Detached stream, const net::Endpoint& peer, client::ListenerRef listener,
                         std::shared_ptr<client::ListenerState> state) {
  if (listener->zone->overload_closes_new && shard_.pressure && shard_.pressure->overloaded(shard_.broker.shard()))
      [[unlikely]] {
    shard_.broker.metrics().add(broker::Metric::OverloadNewConn);
    state->leave();
    ::close(stream.fd);
    return;
  }
  auto* channel = new Channel(*this, peer, std::move(listener), std::move(state));  // owned by the list
  channel->next_ = first_;
  if (first_) first_->previous_ = channel;
  first_ = channel;
  ++count_;
  if (const auto started = channel->start(std::move(stream)); !started) {
    SB_LOG(log::Level::Error, "connection_not_served", kv("reason", started.error().what));
    channel->destroy();
  }
}

void ChannelHost::adopt(HandOver arrived) {
  auto* channel = new Channel(*this, arrived.peer, std::move(arrived.listener), std::move(arrived.state));
  channel->homed_ = true;
  channel->names_ = std::move(arrived.names);
  channel->next_ = first_;
  if (first_) first_->previous_ = channel;
  first_ = channel;
  ++count_;
  if (const auto started = channel->start(std::move(arrived.stream)); !started) {
    SB_LOG(log::Level::Error, "connection_not_served", kv("reason", started.error().what));
    channel->destroy();
  }
}

// ---------------------------------------------------------------- congestion (broker.md 6.7)

namespace {
constexpr Nanos kCongestionCheck{1'000'000'000};

std::string congestion_alarm(const Channel& channel) {
  const broker::Identity& who = *channel.client().identity();
  return fmt::format("conn_congestion/{}/{}", who.client_id,
                     who.username.empty() ? std::string_view("unknown_user") : shown_username(who.username));
}
}  // namespace

void ChannelHost::CongestionWatch::on_timer() {
  const Nanos now = host.shard_.io.loop.now();
  for (std::size_t i = 0; i < congested.size();) {
    Channel& channel = *congested[i];
    if (channel.stream_.congested()) channel.last_congested_ = now;
    if (now - channel.last_congested_ < channel.client_.zone().congestion_sustain) {
      ++i;
      continue;
    }
    host.shard_.alarms->deactivate(congestion_alarm(channel));
    channel.congestion_noted_ = false;
    congested[i] = congested.back();
    congested.pop_back();
  }
  if (!congested.empty()) host.shard_.io.loop.timers().arm(*this, now, kCongestionCheck);
}

void ChannelHost::note_congestion(Channel& channel) {
  if (!shard_.alarms || !channel.client_.zone().congestion_alarm || !channel.client_.identity()) return;
  runtime::Loop& loop = shard_.io.loop;
  channel.last_congested_ = loop.now();
  if (std::exchange(channel.congestion_noted_, true)) return;
  watch_.congested.push_back(&channel);
  if (!watch_.armed()) loop.timers().arm(watch_, loop.now(), kCongestionCheck);
  // Not from within a write: an alarm is published.
  std::string pending = std::to_string(channel.stream_.pending());
  std::string queued = std::to_string(channel.session_ ? channel.session_->queue().size() : 0);
  loop.post([alarms = shard_.alarms, name = congestion_alarm(channel), pending = std::move(pending),
             queued = std::move(queued)] {
    alarms->activate(name, "connection congested: " + name, {{"send_pend", pending}, {"mqueue_len", queued}});
  });
}

void ChannelHost::remove(Channel& channel) {
  if (channel.congestion_noted_) {
    std::erase(watch_.congested, &channel);
    // Behind its activation, which may still be posted.
    shard_.io.loop.post([alarms = shard_.alarms, name = congestion_alarm(channel)] { alarms->deactivate(name); });
  }
  if (channel.previous_)
    channel.previous_->next_ = channel.next_;
  else
    first_ = channel.next_;
  if (channel.next_) channel.next_->previous_ = channel.previous_;
  channel.next_ = channel.previous_ = nullptr;
  --count_;
}

void ChannelHost::set_zones(const std::map<std::string, client::ZoneRef>& zones) {
  // Thousands of connections share a zone: one new snapshot for each old one.
  std::map<client::ZoneRef, client::ZoneRef> exchanged;
  for_each([&](Channel& channel) {
    const client::ZoneRef& live = channel.client_.zone_ref();
    client::ZoneRef& fresh = exchanged[live];
    if (!fresh) {
      const auto named = zones.find(live->name);
      fresh = client::in_force(live, named == zones.end() ? zones.at("default") : named->second);
    }
    channel.client_.set_zone(fresh);
  });
}

void ChannelHost::refresh_limits() {
  for_each([](Channel& channel) { channel.guard_rates(); });
}

void ChannelHost::disconnect_all(ReasonCode code) {
  for_each([code](Channel& channel) { channel.disconnect(code, "server_shutting_down"); });
}

}  // namespace sb::mqtt
