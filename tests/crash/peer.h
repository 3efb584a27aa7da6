// One MQTT client of the crash test: a socket, the client's half of the protocol, and what a session keeps on the
// client's side (received QoS 2 ids). One thread, driven by Reactor.
#pragma once

#include "codec/mqtt/client.h"

#include <sys/epoll.h>

#include <bitset>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sb::crash {

class Peer;

class Reactor {
 public:
  Reactor();
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  /// Serves what is ready for at most `timeout_ms`, then flushes what was written.
  void turn(int timeout_ms);

 private:
  friend class Peer;
  int epoll_;
  std::vector<Peer*> dirty_;
};

class Peer {
 public:
  struct Options {
    std::string id;
    ProtocolVersion version = ProtocolVersion::V5;
    std::uint32_t expiry_s = kNeverExpires;  // 0: the session ends with the connection
    std::optional<codec::mqtt::WillView> will{};
  };
  Peer(Reactor& reactor, Options options) : options_(std::move(options)), reactor_(reactor) {}
  virtual ~Peer() { lose(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// Sends CONNECT. A connection that still stands is taken over by the new one.
  bool connect(std::uint16_t port);
  /// Closes the socket without a word.
  void lose();
  void disconnect(std::optional<std::uint32_t> expiry_s = {});
  bool online() const { return online_; }
  bool socket_open() const { return fd_ >= 0; }
  const std::string& id() const { return options_.id; }
  Options& options() { return options_; }
  /// What the broker did that no broker may do; empty while all is well.
  static std::vector<std::string>& faults();
  void fault(const std::string& what) const { faults().push_back(options_.id + ": " + what); }

  void subscribe(PacketId id, std::string_view filter, Qos qos);
  void unsubscribe(PacketId id, std::string_view filter);
  void publish(const codec::mqtt::PublishHead& head, ByteView payload);
  void acknowledge(codec::mqtt::PacketType type, PacketId id);

 protected:
  virtual void on_connack(bool present) { (void)present; }
  virtual void on_message(const codec::mqtt::PublishView& message) { (void)message; }
  virtual void on_ack(codec::mqtt::PacketType type, PacketId id, ReasonCode code) { (void)type, (void)id, (void)code; }
  virtual void on_suback(PacketId id, ReasonCode code) { (void)id, (void)code; }
  virtual void on_unsuback(PacketId id) { (void)id; }

 private:
  friend class Reactor;
  void on_ready();
  void read();
  void handle(const codec::mqtt::Frame& frame);
  void handle_publish(const codec::mqtt::Frame& frame);
  void flush();
  void mark_dirty();

  Options options_;
  Reactor& reactor_;
  int fd_ = -1;
  bool online_ = false;
  bool dirty_ = false;
  bool session_expected_ = false;  // a CONNACK promised a session
  std::vector<std::uint8_t> in_;
  codec::mqtt::Buffer out_;
  std::bitset<65536> received_;  // QoS 2 ids between PUBREC and PUBCOMP
};

}  // namespace sb::crash
