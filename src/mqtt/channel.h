// The MQTT state machine of one connection (broker.md 1.1). Owns its stream and its client; uses the session that the
// broker gives it. Begins on the shard that accepted the socket and, once CONNECT told the client id, is built anew on
// the session's home shard with the unread bytes. Dies at the end of a turn.
#pragma once

#include "broker/session.h"
#include "client/client.h"
#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"
#include "mqtt/client_id.h"
#include "mqtt/rate_guard.h"
#include "net/stream.h"
#include "runtime/loop.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sb::mqtt {

class Channel;
class OutboundAliases;

/// A connection on its way to the shard of its session.
struct HandOver {
  net::Stream::Detached stream;  // unread begins with CONNECT
  net::Endpoint peer;
  client::ListenerRef listener;
  std::shared_ptr<client::ListenerState> state;
  std::unique_ptr<Names> names;  // found where CONNECT came in: they chose the shard
  unsigned to = 0;
};

/// The channels of one shard.
class ChannelHost {
 public:
  /// `hand_over` posts to another shard; it is called within a turn.
  ChannelHost(client::ShardContext& shard, std::function<void(HandOver)> hand_over);
  ~ChannelHost();
  ChannelHost(const ChannelHost&) = delete;
  ChannelHost& operator=(const ChannelHost&) = delete;

  /// A new connection that `state` has counted already; `stream.fd` is a non-blocking socket.
  void accept(net::Stream::Detached stream, const net::Endpoint& peer, client::ListenerRef listener,
              std::shared_ptr<client::ListenerState> state);
  /// One that came from another shard.
  void adopt(HandOver arrived);
  /// DISCONNECT with `code` for everybody (graceful stop).
  void disconnect_all(ReasonCode code);
  /// Changed zones by name: live connections take over what takes effect at once.
  void set_zones(const std::map<std::string, client::ZoneRef>& zones);
  /// Limits appeared where there were none: live connections come under them.
  void refresh_limits();
  std::size_t size() const { return count_; }
  client::ShardContext& shard() { return shard_; }
  template <class Fn>
  void for_each(Fn&& fn);

 private:
  friend class Channel;
  void remove(Channel& channel);
  void note_congestion(Channel& channel);
  /// Clears the alarms of connections that flow again; armed while there are any.
  struct CongestionWatch final : runtime::Timer {
    explicit CongestionWatch(ChannelHost& owner) : host(owner) {}
    void on_timer() override;
    ChannelHost& host;
    std::vector<Channel*> congested;
  };
  CongestionWatch watch_{*this};
  client::ShardContext& shard_;
  std::function<void(HandOver)> hand_over_;
  Channel* first_ = nullptr;
  std::size_t count_ = 0;
};

class Channel final : public runtime::Disposable,
                      private net::StreamOwner,
                      private broker::SessionSink,
                      private runtime::Timer {
 public:
  enum class State : std::uint8_t { Idle, Connecting, Connected, Reauthenticating, Closing };

  Channel(ChannelHost& host, const net::Endpoint& peer, client::ListenerRef listener,
          std::shared_ptr<client::ListenerState> state);
  ~Channel() override;

  State state() const { return state_; }
  broker::Session* session() const { return session_; }
  const client::Client& client() const { return client_; }
  client::Client& client() { return client_; }
  void set_keep_alive(std::uint32_t seconds) override;
  /// Ends the connection as the server's wish.
  void disconnect(ReasonCode code, std::string_view reason);

 private:
  friend class ChannelHost;
  using Frame = codec::mqtt::Frame;
  enum class Step : std::uint8_t {
    Next,     // packet done
    Suspend,  // an answer is outstanding; the packet is looked at again
    Pause,    // packet done; what follows waits
    Stop,     // connection over or moved
  };

  // --- net::StreamOwner
  std::size_t on_bytes(ByteView bytes, std::size_t& want) override;
  void on_stream_end(const net::StreamError& error) override;
  void on_drained() override;
  void on_blocked() override;
  // --- broker::SessionSink
  Sent send_publish(broker::Delivery& delivery, const broker::Outgoing& how) override;
  bool writable() const override;
  void send_pubrel(PacketId id, ReasonCode reason, broker::Ticket ticket) override;
  void on_session_lost(broker::EndReason reason) override;
  client::Client* connected_client() override { return &client_; }
  // --- runtime::Timer
  void on_timer() override;

  [[nodiscard]] Result<> start(net::Stream::Detached stream);
  /// Makes the guard of the connection's rates, unless there is one or nothing limits.
  void guard_rates();
  /// `allowance`: how much may be taken in now; null = all of it.
  std::size_t consume(ByteView bytes, std::size_t& want, RateGuard::Allowance* allowance);
  Step handle(const Frame& frame, ByteView from_here);
  /// Tells the broker the topics of the next packets; how many bytes those are.
  std::size_t look_ahead(ByteView bytes);
  Step bad_frame(ReasonCode code);
  Step protocol_error(ReasonCode code, std::string_view reason);

  // channel_connect.cc
  Step on_connect(const Frame& frame, ByteView from_here);
  /// overload_protection: whether CONNECT is looked at later (broker.md 2.1, step 1).
  /// Whether a header of the upgrade is believed that names this address.
  bool may_speak_for(const net::Endpoint& client);
  bool overload_holds();
  Step refuse_connect(ReasonCode code, std::string_view reason);
  ReasonCode check_connect(const codec::mqtt::ConnectView& packet) const;
  void derive_identity(const codec::mqtt::ConnectView& packet);
  Step open_session(const codec::mqtt::ConnectView& packet, const access::Authenticated& result);
  codec::mqtt::Connack make_connack(const codec::mqtt::ConnectView& packet, const access::Authenticated& result) const;
  void begin_session(std::string_view connack);
  Step send_auth(ReasonCode code, std::string_view data);
  Step on_auth(const Frame& frame);
  Step on_disconnect(const Frame& frame);

  // channel_publish.cc
  Step on_publish(const Frame& frame);
  Step publish(codec::mqtt::PublishView& packet);
  Step on_ack(const Frame& frame);
  void count_received(Qos qos);
  Step acknowledge_again(const codec::mqtt::PublishView& packet);
  Step refuse_routing(const codec::mqtt::PublishView& packet);
  /// Whether something of it would be stored.
  bool wants_disk(const codec::mqtt::PublishView& packet);
  bool resolve_alias(codec::mqtt::PublishView& packet, Step& step);
  /// What an acknowledgement waits for: a commit of this shard, and those of others.
  struct After {
    broker::Ticket ticket = 0;
    broker::ReceiptRef receipt{};
  };
  void acknowledge(codec::mqtt::PacketType type, PacketId id, ReasonCode code, const After& after);
  void acknowledge_now(codec::mqtt::PacketType type, PacketId id, ReasonCode code);
  void release_subscriptions(const std::vector<std::pair<std::string, bool>>& filters);
  bool release_deferred(const broker::Journal& journal);
  void release_aside(const broker::Journal& journal);
  void defer(codec::mqtt::PacketType type, PacketId id, ReasonCode code, const After& after, std::string packet);
  /// Sends a SUBACK or UNSUBACK; false: later, after the commit it depends on.
  bool answer(codec::mqtt::PacketType type, std::vector<std::uint8_t> packet, const After& after);
  After after_changes(std::size_t changes_before) const;
  /// What every change made so far has to wait for.
  After after_everything() const;
  void count_sent(Qos qos, bool system, std::size_t bytes);
  std::uint32_t remaining_expiry(const broker::Publication& publication) const;

  // channel_subscribe.cc
  Step on_subscribe(const Frame& frame);
  Step on_unsubscribe(const Frame& frame);

  // channel_trace.cc
  bool traced() const { return !host_.shard().broker.hooks().packet.empty(); }
  void trace(broker::PacketEvent event);
  void trace_received(const Frame& frame);
  void trace_sent(broker::Metric metric);
  void trace_sent_publish(const broker::Publication& p, const broker::Outgoing& how);

  codec::mqtt::DecodeOptions decode_options() {
    return {version_, client_.zone().strict_mode, &host_.shard().property_scratch};
  }
  broker::MetricCells& metrics() { return host_.shard().broker.metrics(); }
  std::uint8_t* reserve(std::size_t n) { return stream_.reserve(n); }
  void commit(std::uint8_t* end, broker::Metric metric);
  /// [MQTT-3.1.2-24]; once CONNACK was sent, only packets that have no bound of their own are longer.
  bool fits(std::size_t packet_size) const { return client_max_packet_ == 0 || packet_size <= client_max_packet_; }
  /// An answer does not fit: the connection ends without it.
  Step unsendable();
  /// Sends DISCONNECT (v5), then closes; the session ends as `reason` says.
  void end(ReasonCode code, std::string_view reason, bool publish_will);
  void leave_session(std::string_view reason, bool publish_will, std::optional<std::uint32_t> expiry_s = {});
  void close_soon();
  void destroy();
  void arm_keep_alive();
  void on_idle();
  /// force_shutdown: a connection whose output piles up behind a full socket is ended in the next turn.
  void check_output();
  std::function<void()> resumer();

  ChannelHost& host_;
  Channel* next_ = nullptr;
  Channel* previous_ = nullptr;
  net::Stream stream_;
  client::Client client_;
  std::shared_ptr<client::ListenerState> listener_state_;
  broker::Session* session_ = nullptr;
  std::unique_ptr<Names> names_;  // until the client's identity is derived from them

  State state_ = State::Idle;
  ProtocolVersion version_ = ProtocolVersion::V311;
  bool homed_ = false;
  bool id_assigned_ = false;
  bool bridge_ = false;
  bool destroyed_ = false;
  bool waits_for_room_ = false;
  bool problem_information_ = true;
  bool connect_done_ = false;  // CONNECT was taken in; another one is an error
  bool connect_seen_ = false;  // CONNECT is looked at again after a late answer
  bool congestion_noted_ = false;
  bool overload_over_ = false;           // it has waited
  bool overflowed_ = false;              // more output than force_shutdown allows; ends in the next turn
  bool suspended_ = false;               // the packet in front waits for an answer and was seen before
  std::uint32_t client_max_packet_ = 0;  // 0 = no limit
  std::uint32_t receive_maximum_ = 65535;
  std::uint16_t outbound_alias_max_ = 0;
  Nanos keep_alive_{0};  // silence that ends the connection; 0 = none
  Nanos last_activity_{0};
  Nanos silence_limit_{0};  // keep_alive_, or the WebSocket's idle time where that is less
  Nanos last_congested_{0};
  Nanos overload_since_{0};  // CONNECT waits for an overloaded shard

  // Cold: made when first used.
  struct InboundAliases {
    std::vector<std::string> topics;
    std::size_t bytes = 0;  // of all of them
  };
  std::unique_ptr<InboundAliases> inbound_aliases_;
  std::unique_ptr<OutboundAliases> outbound_aliases_;
  std::unique_ptr<broker::PublisherState> publisher_state_;
  std::unique_ptr<RateGuard> rate_guard_;  // only where a rate is limited
  struct Deferred;
  std::unique_ptr<Deferred> deferred_;  // acknowledgements that wait for the disk
  struct Asking;
  std::unique_ptr<Asking> asking_;  // a SUBSCRIBE that waits for a verdict
  /// Enhanced authentication (4.12), only where CONNECT asked for it.
  struct Enhanced {
    Enhanced(std::string_view method_of, std::string_view connect) : method(method_of), connect_packet(connect) {}
    ~Enhanced() { forget_connect(); }
    Enhanced(const Enhanced&) = delete;
    Enhanced& operator=(const Enhanced&) = delete;
    /// It holds the password.
    void forget_connect();

    std::string method;
    std::string connect_packet;  // kept until the session opens
  };
  std::unique_ptr<Enhanced> enhanced_;
};

template <class Fn>
void ChannelHost::for_each(Fn&& fn) {
  for (Channel* channel = first_; channel;) {
    Channel* next = channel->next_;
    fn(*channel);
    channel = next;
  }
}

}  // namespace sb::mqtt
