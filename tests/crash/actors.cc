#include "tests/crash/actors.h"

#include <algorithm>

namespace sb::crash {

using codec::mqtt::PacketType;

void Publisher::on_connack(bool) {
  for (const Pending& one : pending_) {  // [MQTT-4.4.0-1]
    if (one.released) {
      acknowledge(PacketType::Pubrel, one.id);
      continue;
    }
    Stream& stream = streams_[one.stamp.stream];
    if (stream.resent.size() <= one.stamp.number) stream.resent.resize(one.stamp.number + 1);
    stream.resent[one.stamp.number] = true;
    send(one, true);
  }
  pump();
}

void Publisher::pump() {
  while (running_ && online() && pending_.size() < window_) {
    do last_id_ = last_id_ == 65535 ? PacketId{1} : static_cast<PacketId>(last_id_ + 1);
    while (std::any_of(pending_.begin(), pending_.end(), [this](const Pending& p) { return p.id == last_id_; }));
    const std::uint32_t stream = own_[turn_++ % own_.size()];
    pending_.push_back({last_id_, {stream, ++streams_[stream].last}});
    send(pending_.back(), false);
  }
}

void Publisher::send(const Pending& one, bool dup) {
  const Stream& stream = streams_[one.stamp.stream];
  std::string payload = stamped(one.stamp);
  if (stream.retain && one.stamp.number % 8 == 7) payload.clear();
  codec::mqtt::PublishHead head;
  head.topic = stream.topic;
  head.qos = stream.qos;
  head.retain = stream.retain;
  head.dup = dup;
  head.packet_id = one.id;
  head.payload_size = payload.size();
  publish(head, as_bytes(payload));
}

void Publisher::on_ack(PacketType type, PacketId id, ReasonCode code) {
  const auto one = std::find_if(pending_.begin(), pending_.end(), [id](const Pending& p) { return p.id == id; });
  if (one == pending_.end()) return fault("an acknowledgement of nothing");
  if (is_error(code) && type != PacketType::Pubcomp)
    return fault("refused with " + std::to_string(int(code)) + ": " + streams_[one->stamp.stream].topic);
  const bool exactly_once = streams_[one->stamp.stream].qos == Qos::ExactlyOnce;
  if (type == PacketType::Pubrec && exactly_once) {
    one->released = true;
    acknowledge(PacketType::Pubrel, id);
    return;
  }
  if (type == PacketType::Pubcomp && !one->released) return fault("PUBCOMP before PUBREC");
  if ((type == PacketType::Puback) == exactly_once) return fault("an acknowledgement of the wrong kind");
  pending_.erase(one);
  pump();
}

void Receiver::on_connack(bool) {
  if (subscribed_) return;
  subscribe(1, filter_, qos_);
}

void Receiver::on_suback(PacketId, ReasonCode code) {
  if (is_error(code)) fault("not subscribed");
  subscribed_ = true;
}

void Receiver::on_message(const codec::mqtt::PublishView& message) {
  Stamp stamp;
  if (!read_stamp(message.payload, stamp)) return fault("a message that nobody sent on " + std::string(message.topic));
  if (const std::string wrong = arrivals_.add(stamp, message.dup); !wrong.empty()) fault(wrong);
}

void Fickle::toggle(unsigned topic) {
  if (state[topic] == Is::Unknown || !online()) return;
  const bool on = state[topic] == Is::On;
  state[topic] = Is::Unknown;
  const auto id = static_cast<PacketId>(topic + 1);
  if (on)
    unsubscribe(id, topic_of(topic));
  else
    subscribe(id, topic_of(topic), Qos::AtLeastOnce);
}

}  // namespace sb::crash
