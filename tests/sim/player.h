// One client of the simulation: writes packets, takes apart what the broker sends. What a correct client would think of
// it is the model's business.
#pragma once

#include "codec/mqtt/client.h"
#include "tests/sim/rig.h"

#include <map>
#include <string>
#include <vector>

namespace sb::sim {

/// One packet of the broker.
struct Heard {
  codec::mqtt::PacketType type = codec::mqtt::PacketType::Pingresp;
  PacketId id = 0;
  std::vector<ReasonCode> codes;  // one, but of SUBACK and UNSUBACK one a filter
  bool session_present = false;
  // PUBLISH
  std::string topic;
  std::string payload;
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  bool dup = false;
  std::uint32_t subscription_id = 0;
  std::uint32_t expiry_s = kNeverExpires;
};
std::string to_string(const Heard& packet);

class Player {
 public:
  explicit Player(std::string id) : id_(std::move(id)) {}
  ~Player() { lose(); }
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  const std::string& id() const { return id_; }
  bool open() const { return fd_ >= 0; }
  ProtocolVersion version() const { return version_; }

  /// Over a connection that still stands the new one is made beside it: a take-over.
  void connect(Rig& rig, unsigned shard, const codec::mqtt::ConnectView& packet);
  /// Closes the socket without a word.
  void lose();
  /// Where packets for the broker are put; flush() sends them.
  codec::mqtt::Buffer& out() { return out_; }
  void flush();

  /// Reads what has come; true if there was something. Ends of connections close the socket.
  bool read();
  std::vector<Heard>& heard() { return heard_; }
  /// What the connection that was taken over heard, with its end.
  std::vector<Heard>& heard_before() { return heard_before_; }
  bool old_open() const { return old_fd_ >= 0; }
  /// What no broker may send.
  const std::string& fault() const { return fault_; }

 private:
  bool read(int& fd, std::vector<std::uint8_t>& in, ProtocolVersion version,
            std::map<std::uint16_t, std::string>& names, std::vector<Heard>& heard);
  void take(const codec::mqtt::Frame& frame, ProtocolVersion version, std::map<std::uint16_t, std::string>& names,
            std::vector<Heard>& heard);

  std::string id_;
  int fd_ = -1;
  ProtocolVersion version_ = ProtocolVersion::V5;
  codec::mqtt::Buffer out_;
  std::vector<std::uint8_t> in_;
  std::map<std::uint16_t, std::string> aliases_;
  std::vector<Heard> heard_;
  int old_fd_ = -1;
  ProtocolVersion old_version_ = ProtocolVersion::V5;
  std::vector<std::uint8_t> old_in_;
  std::map<std::uint16_t, std::string> old_aliases_;
  std::vector<Heard> heard_before_;
  std::string fault_;
};

}  // namespace sb::sim
