#include "tests/sim/player.h"

#include "base/check.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace sb::sim {

using codec::mqtt::Frame;
using codec::mqtt::PacketType;

std::string to_string(const Heard& packet) {
  static constexpr const char* kNames[] = {"?",       "CONNECT",  "CONNACK",    "PUBLISH", "PUBACK",      "PUBREC",
                                           "PUBREL",  "PUBCOMP",  "SUBSCRIBE",  "SUBACK",  "UNSUBSCRIBE", "UNSUBACK",
                                           "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"};
  std::string out = kNames[static_cast<unsigned>(packet.type) & 15U];
  if (packet.type == PacketType::Publish)
    return out + fmt::format(" {} \"{}\" qos={}{}{} id={} subscription={} expiry={}", packet.topic,
                             packet.payload.substr(0, 12), to_int(packet.qos), packet.retain ? " retain" : "",
                             packet.dup ? " dup" : "", packet.id, packet.subscription_id,
                             static_cast<std::int32_t>(packet.expiry_s));
  if (packet.id != 0) out += fmt::format(" id={}", packet.id);
  for (const ReasonCode code : packet.codes) out += fmt::format(" {:02X}", static_cast<unsigned>(code));
  return out + (packet.session_present ? " session present" : "");
}

void Player::connect(Rig& rig, unsigned shard, const codec::mqtt::ConnectView& packet) {
  if (fd_ >= 0) {
    SB_CHECK(old_fd_ < 0, "two connections are being taken over");
    old_fd_ = fd_;
    old_version_ = version_;
    old_in_ = std::move(in_);
    old_aliases_ = std::move(aliases_);
  }
  fd_ = rig.connect(shard);
  version_ = packet.version;
  in_.clear();
  out_.clear();
  aliases_.clear();
  codec::mqtt::append_connect(out_, packet);
}

void Player::lose() {
  for (int* fd : {&fd_, &old_fd_})
    if (const int open = std::exchange(*fd, -1); open >= 0) ::close(open);
  in_.clear();
  out_.clear();
}

void Player::flush() {
  std::size_t sent = 0;
  while (fd_ >= 0 && sent < out_.size()) {
    const ssize_t n = ::send(fd_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) break;
    sent += static_cast<std::size_t>(n);
  }
  if (sent < out_.size() && fd_ >= 0) fault_ = "the broker does not read";
  out_.clear();
}

bool Player::read() {
  const bool old = read(old_fd_, old_in_, old_version_, old_aliases_, heard_before_);
  return read(fd_, in_, version_, aliases_, heard_) || old;
}

bool Player::read(int& fd, std::vector<std::uint8_t>& in, ProtocolVersion version,
                  std::map<std::uint16_t, std::string>& names, std::vector<Heard>& heard) {
  if (fd < 0) return false;
  bool any = false;
  bool ended = false;
  for (;;) {
    std::uint8_t chunk[16384];
    const ssize_t n = ::recv(fd, chunk, sizeof chunk, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    any = true;
    if (n <= 0) {
      ended = true;
      break;
    }
    in.insert(in.end(), chunk, chunk + n);
  }
  std::size_t used = 0;
  while (used < in.size()) {
    const auto frame = codec::mqtt::next_frame(ByteView(in).subspan(used), 1U << 20);
    if (!frame) {
      fault_ = "a frame that cannot be";
      break;
    }
    if (frame->size == 0) break;
    take(*frame, version, names, heard);
    used += frame->size;
  }
  in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(used));
  if (ended) {
    if (!in.empty()) fault_ = "the connection ended within a packet";
    ::close(std::exchange(fd, -1));
  }
  return any;
}

void Player::take(const Frame& frame, ProtocolVersion version, std::map<std::uint16_t, std::string>& names,
                  std::vector<Heard>& heard) {
  Heard packet;
  packet.type = frame.type();
  const codec::mqtt::DecodeOptions options{version, true, nullptr};
  const auto bad = [&](ReasonCode code) {
    fault_ = fmt::format("{} that cannot be read ({:02X})", to_string(packet), static_cast<unsigned>(code));
  };
  switch (frame.type()) {
    case PacketType::Connack: {
      const auto got = codec::mqtt::decode_connack(frame, version);
      if (!got) return bad(got.error());
      packet.codes = {got->reason};
      packet.session_present = got->session_present;
      break;
    }
    case PacketType::Publish: {
      codec::mqtt::PropertyScratch scratch;
      // A subscription identifier from the server is no fault; decode_publish() only tells of it.
      const auto got = codec::mqtt::decode_publish(frame, {version, true, &scratch});
      if (!got) return bad(got.error());
      packet.topic = got->topic;
      if (got->topic_alias) {
        std::string& name = names[*got->topic_alias];
        if (packet.topic.empty()) packet.topic = name;
        name = packet.topic;
      }
      packet.payload = as_text(got->payload);
      packet.qos = got->qos;
      packet.retain = got->retain;
      packet.dup = got->dup;
      packet.id = got->packet_id;
      packet.expiry_s = got->message_expiry_s;
      if (version == ProtocolVersion::V5) {
        const auto ids = codec::mqtt::subscription_ids(frame);
        if (ids.size() > 1) fault_ = "one copy with several subscription identifiers";
        if (!ids.empty()) packet.subscription_id = ids.front();
      }
      break;
    }
    case PacketType::Puback:
    case PacketType::Pubrec:
    case PacketType::Pubrel:
    case PacketType::Pubcomp: {
      const auto got = codec::mqtt::decode_ack(frame, options);
      if (!got) return bad(got.error());
      packet.id = got->packet_id;
      packet.codes = {got->reason};
      break;
    }
    case PacketType::Suback:
    case PacketType::Unsuback: {
      const auto got = codec::mqtt::decode_suback(frame, version);
      if (!got) return bad(got.error());
      packet.id = got->packet_id;
      for (const std::uint8_t code : got->codes) packet.codes.push_back(static_cast<ReasonCode>(code));
      break;
    }
    case PacketType::Disconnect: {
      const auto got = codec::mqtt::decode_server_disconnect(frame);
      if (!got) return bad(got.error());
      packet.codes = {got->reason};
      break;
    }
    default:
      fault_ = to_string(packet) + " from a server";
  }
  heard.push_back(std::move(packet));
}

}  // namespace sb::sim
