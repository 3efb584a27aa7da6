// check: allow new in this file: channels are owned by the list that links them
#include "base/log.h"
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
  channel->assigned_id_ = std::move(arrived.assigned_id);
  channel->next_ = first_;
  if (first_) first_->previous_ = channel;
  first_ = channel;
  ++count_;
  if (const auto started = channel->start(std::move(arrived.stream)); !started) {
    SB_LOG(log::Level::Error, "connection_not_served", kv("reason", started.error().what));
    channel->destroy();
  }
}

void ChannelHost::remove(Channel& channel) {
  if (channel.previous_)
    channel.previous_->next_ = channel.next_;
  else
    first_ = channel.next_;
  if (channel.next_) channel.next_->previous_ = channel.previous_;
  channel.next_ = channel.previous_ = nullptr;
  --count_;
}

void ChannelHost::disconnect_all(ReasonCode code) {
  for_each([code](Channel& channel) { channel.disconnect(code, "server_shutting_down"); });
}

}  // namespace sb::mqtt
