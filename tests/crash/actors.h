// The parts that clients play in the crash test.
#pragma once

#include "tests/crash/ledger.h"
#include "tests/crash/peer.h"

#include <deque>
#include <map>
#include <set>

namespace sb::crash {

/// Publishes numbered messages on its streams in turn and plays the handshakes through, also over lost connections.
class Publisher final : public Peer {
 public:
  Publisher(Reactor& reactor, Options options, Streams& streams, std::vector<std::uint32_t> own, std::size_t window)
      : Peer(reactor, std::move(options)), streams_(streams), own_(std::move(own)), window_(window) {}
  void run(bool running) {
    running_ = running;
    pump();
  }
  bool drained() const { return pending_.empty(); }

 protected:
  void on_connack(bool present) override;
  void on_ack(codec::mqtt::PacketType type, PacketId id, ReasonCode code) override;

 private:
  struct Pending {
    PacketId id;
    Stamp stamp;
    bool released = false;  // PUBREC came: only PUBREL is owed
  };
  void pump();
  void send(const Pending& one, bool dup);

  Streams& streams_;
  std::vector<std::uint32_t> own_;
  std::size_t window_;
  std::size_t turn_ = 0;
  bool running_ = false;
  PacketId last_id_ = 0;
  std::deque<Pending> pending_;
};

/// Subscribes once in its life; from then on messages must flow without it.
class Receiver final : public Peer {
 public:
  Receiver(Reactor& reactor, Options options, std::string filter, Qos qos, Arrivals& arrivals)
      : Peer(reactor, std::move(options)), filter_(std::move(filter)), qos_(qos), arrivals_(arrivals) {}
  bool ready() const { return subscribed_ && online(); }
  /// Its session ended: it will subscribe anew.
  void forget() { subscribed_ = false; }

 protected:
  void on_connack(bool present) override;
  void on_message(const codec::mqtt::PublishView& message) override;
  void on_suback(PacketId id, ReasonCode code) override;

 private:
  std::string filter_;
  Qos qos_;
  Arrivals& arrivals_;
  bool subscribed_ = false;
};

/// Collects what comes, by topic.
class Watcher final : public Peer {
 public:
  Watcher(Reactor& reactor, Options options, std::string filter)
      : Peer(reactor, std::move(options)), filter_(std::move(filter)) {}
  bool ready() const { return subscribed_ && online(); }
  std::map<std::string, std::multiset<std::string>> got;

 protected:
  void on_connack(bool) override {
    if (!subscribed_) subscribe(1, filter_, Qos::AtLeastOnce);
  }
  void on_suback(PacketId, ReasonCode) override { subscribed_ = true; }
  void on_message(const codec::mqtt::PublishView& m) override {
    got[std::string(m.topic)].insert(std::string(as_text(m.payload)));
  }

 private:
  std::string filter_;
  bool subscribed_ = false;
};

/// Subscribes and unsubscribes all the time.
class Fickle final : public Peer {
 public:
  static constexpr unsigned kTopics = 8;
  enum class Is { Off, On, Unknown };
  using Peer::Peer;
  void toggle(unsigned topic);
  std::array<Is, kTopics> state{};
  std::array<std::set<std::string>, kTopics> got;
  static std::string topic_of(unsigned i) { return "x/" + std::to_string(i); }

 protected:
  void on_suback(PacketId id, ReasonCode) override { state[id - 1U] = Is::On; }
  void on_unsuback(PacketId id) override { state[id - 1U] = Is::Off; }
  void on_message(const codec::mqtt::PublishView& m) override {
    got[static_cast<unsigned>(m.topic[2] - '0')].insert(std::string(as_text(m.payload)));
  }
};

/// Publishes single messages and counts their acknowledgements.
class Prober final : public Peer {
 public:
  using Peer::Peer;
  unsigned acknowledged = 0;

 protected:
  void on_ack(codec::mqtt::PacketType, PacketId, ReasonCode) override { ++acknowledged; }
};

}  // namespace sb::crash
