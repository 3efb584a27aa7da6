// What a packet trace shows (broker.md 12.5). Out of the way: reached only while somebody traces.
#include "mqtt/channel.h"

namespace sb::mqtt {

using codec::mqtt::PacketType;

namespace {
std::string_view name_of(PacketType type) {
  switch (type) {
    case PacketType::Connect:
      return "CONNECT";
    case PacketType::Connack:
      return "CONNACK";
    case PacketType::Publish:
      return "PUBLISH";
    case PacketType::Puback:
      return "PUBACK";
    case PacketType::Pubrec:
      return "PUBREC";
    case PacketType::Pubrel:
      return "PUBREL";
    case PacketType::Pubcomp:
      return "PUBCOMP";
    case PacketType::Subscribe:
      return "SUBSCRIBE";
    case PacketType::Suback:
      return "SUBACK";
    case PacketType::Unsubscribe:
      return "UNSUBSCRIBE";
    case PacketType::Unsuback:
      return "UNSUBACK";
    case PacketType::Pingreq:
      return "PINGREQ";
    case PacketType::Pingresp:
      return "PINGRESP";
    case PacketType::Disconnect:
      return "DISCONNECT";
    case PacketType::Auth:
      return "AUTH";
    default:
      return "RESERVED";
  }
}

std::string publish_text(Qos qos, bool retain, bool dup, std::string_view topic, PacketId id) {
  std::string out =
      fmt::format("PUBLISH(Q{}, R{}, D{}, Topic={}, PacketId=", to_int(qos), int{retain}, int{dup}, topic);
  return out + (id == 0 ? std::string("undefined") : std::to_string(id)) + ')';
}
}  // namespace

void Channel::trace(broker::PacketEvent event) {
  const std::string peer = client_.peer().to_string();
  event.identity = client_.identity().get();
  event.peer_name = peer;
  host_.shard().broker.hooks().packet.run(event);
}

void Channel::trace_received(const Frame& frame) {
  broker::PacketEvent event;
  std::string text;
  if (frame.type() == PacketType::Publish) {
    const auto packet = codec::mqtt::decode_publish(frame, decode_options());
    if (packet) {
      event.topic = packet->topic;
      // An alias was resolved for an earlier packet, else the packet is refused.
      if (packet->topic.empty() && packet->topic_alias && inbound_aliases_ &&
          *packet->topic_alias < inbound_aliases_->topics.size())
        event.topic = inbound_aliases_->topics[*packet->topic_alias];
      event.payload = packet->payload;
      text = publish_text(packet->qos, packet->retain, packet->dup, event.topic, packet->packet_id);
    }
  }
  if (text.empty()) text = fmt::format("{}({} bytes)", name_of(frame.type()), frame.size);
  event.packet = text;
  trace(event);
}

void Channel::trace_sent(broker::Metric metric) {
  // The counter's name tells the packet: "packets.puback.sent".
  std::string_view name = to_string(metric);
  name.remove_prefix(std::min(name.size(), std::string_view("packets.").size()));
  std::string text(name.substr(0, name.find('.')));
  for (char& c : text) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  broker::PacketEvent event;
  event.received = false;
  event.packet = text;
  trace(event);
}

void Channel::trace_sent_publish(const broker::Publication& p, const broker::Outgoing& how) {
  const std::string text = publish_text(how.qos, how.retain, how.dup, client_.unmount(p.topic), how.packet_id);
  broker::PacketEvent event;
  event.received = false;
  event.packet = text;
  event.topic = p.topic;
  event.payload = p.payload;
  trace(event);
}

}  // namespace sb::mqtt
