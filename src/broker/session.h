// The state that MQTT keeps for a client beyond a connection (4.1): subscriptions, messages sent and not acknowledged,
// messages waiting, received QoS 2 packet ids. Lives on its home shard; owned by the shard's Broker. A connected
// session has a sink, the channel that writes to the socket.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "broker/delivery.h"
#include "broker/fifo.h"
#include "broker/journal.h"
#include "broker/message_queue.h"
#include "broker/session_settings.h"
#include "broker/subscription.h"
#include "runtime/timer_wheel.h"

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

namespace sb::client {
class Client;
}
namespace sb::broker::detail {
class InflightIndex;
}

namespace sb::broker {

class Broker;
class Replay;
struct Replays;

/// Why a connection ends at the broker's word; the channel turns it into a DISCONNECT.
enum class EndReason : std::uint8_t { TakenOver, Discarded, Kicked, ServerShutdown, HeapTooLarge, Banned };

/// The channel of a connected session.
class SessionSink {
 public:
  enum class Sent : std::uint8_t { Yes, TooLarge, Congested };
  /// Writes one PUBLISH. TooLarge: above the client's Maximum Packet Size. Congested: only for QoS 0, the socket is
  /// full.
  virtual Sent send_publish(Delivery& delivery, const Outgoing& how) = 0;
  /// False while the socket is full and much waits for it; pump() is called when it has drained.
  virtual bool writable() const { return true; }
  /// `ticket`: the commit that must come first, 0 = none.
  virtual void send_pubrel(PacketId id, ReasonCode reason, Ticket ticket) = 0;
  /// The session is gone from this connection; the channel must not use it again.
  virtual void on_session_lost(EndReason reason) = 0;
  /// For management, which walks over sessions: who is connected. The broker itself never looks inside.
  virtual client::Client* connected_client() { return nullptr; }
  virtual void set_keep_alive(std::uint32_t) {}

 protected:
  ~SessionSink() = default;
};

struct Will {
  std::string topic;
  std::string payload;
  std::string properties;
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::uint32_t delay_s = 0;
  std::uint32_t message_expiry_s = kNeverExpires;
  std::uint16_t mount_size = 0;       // how much of `topic` is mountpoint: rules see the rest
  bool trusted = false;               // of a superuser, or allowed by rules of the credentials: not authorized again
  std::int64_t trusted_until_ms = 0;  // wall clock: when those rules end, and with them the permission; 0: never
  // What rules may ask for of a client that is gone, beside its identity and its mountpoint.
  std::string common_name{};
  std::string subject_dn{};
  std::string protocol_name{};
};

/// The connection that a session was used over last, for who lists sessions. Kept of those that outlive theirs.
struct LastConnection {
  std::string listener;  // "tcp:default"
  std::string mountpoint;
  ProtocolVersion version = ProtocolVersion::V5;
  std::uint16_t peer_port = 0;
  std::uint16_t keep_alive_s = 0;
  std::int64_t connected_ms = 0;  // wall clock
};

class Session final : private runtime::Timer {
 public:
  Session(Broker& broker, std::uint64_t number, IdentityRef identity, SessionSettingsRef settings);
  ~Session();

  std::uint64_t number() const { return number_; }
  const IdentityRef& identity() const { return identity_; }
  std::string_view client_id() const { return identity_->client_id; }
  bool connected() const { return sink_ != nullptr; }
  SessionSink* sink() const { return sink_; }
  /// Outlives its connection, and is stored if persistence is on.
  bool persistent() const { return expiry_s_ > 0; }
  std::uint32_t expiry_s() const { return expiry_s_; }
  const Will* will() const { return will_.get(); }

  /// Asks for the memory that a delivery reads first and last; itself reads none.
  void prefetch() const {
    __builtin_prefetch(this);
    __builtin_prefetch(&counts_, 1);
  }

  // --- from the broker, on this shard
  /// A matching message. Never ends the session or the connection while it runs.
  void deliver(Delivery& delivery, const Subscription& subscription);
  /// Retained messages for a subscription follow, after those of earlier ones.
  void start_replay(std::unique_ptr<Replay> replay);
  void stop_replay(const Subscription& subscription);
  /// Sends or queues one message (retained, re-dispatched).
  void accept(Owed owed);

  // --- from the channel
  /// While held nothing is sent: a SUBACK waits for the disk, and precedes every message of its subscriptions (7.1).
  void hold(bool held);
  /// The client was sent its last packet, or is gone: until Broker::close() what comes is for an offline session.
  void leave() { on_hold_ = leaving_ = true; }
  /// CONNACK is out: no longer held, replays.
  void begin() {
    on_hold_ = false;
    replay();
  }
  /// After CONNACK: PUBLISH with DUP or PUBREL for what is in flight, in order, then the queue (4.3 "replay").
  void replay();
  void on_puback(PacketId id);
  /// Sends PUBREL, or ends the exchange for an error code.
  void on_pubrec(PacketId id, ReasonCode reason);
  void on_pubcomp(PacketId id);
  /// Fills the window from the queue.
  void pump();

  /// Inbound QoS 2 (5.3): whether the id is known; adding and removing it.
  bool awaiting_rel(PacketId id) const;
  bool awaiting_rel_full() const {
    return settings_->max_awaiting_rel != 0 && awaiting_.size() >= settings_->max_awaiting_rel;
  }
  /// `receipt`: what its PUBREC waits for, if that is more than this shard's commit.
  void add_awaiting_rel(PacketId id, ReceiptRef receipt);
  /// What the PUBREC of a repetition waits for: the same as the first one's.
  struct Taken {
    Ticket ticket = 0;
    ReceiptRef receipt{};
  };
  Taken awaiting_taken(PacketId id) const;
  /// Separate, because it may have to be written with what other shards store of the message (receipt.h).
  void store_awaiting_rel(PacketId id);
  bool remove_awaiting_rel(PacketId id);

  Subscription* find_subscription(std::string_view full_filter) const;
  template <class Fn>
  void for_each_subscription(Fn&& fn) const {
    for (Subscription* s : subscriptions_) fn(*s);
  }
  std::size_t subscription_count() const { return subscriptions_.size(); }
  /// Retained messages of a new subscription follow as the client takes them.
  bool replaying() const { return replays_ != nullptr; }
  std::size_t inflight_count() const { return inflight_used_; }
  std::size_t awaiting_rel_count() const { return awaiting_.size(); }
  const MessageQueue& queue() const { return queue_; }
  /// For management: what was sent and not acknowledged, in order of sequence, at most `most` of those above `after`.
  /// Valid until the session does anything else.
  std::vector<const Owed*> unacknowledged(std::uint64_t after, std::size_t most) const;
  /// Memory is short: drops the oldest waiting message, counted; what it took, 0 if nothing waits.
  std::size_t shed_oldest();
  const SessionSettings& settings() const { return *settings_; }

  struct Counts {
    std::uint64_t delivered = 0;
    std::uint64_t enqueued = 0;
    std::uint64_t dropped = 0;
    std::uint64_t dropped_queue_full = 0;
    std::uint64_t dropped_too_large = 0;
    std::uint64_t dropped_expired = 0;
    std::uint64_t received_timed_out = 0;  // received QoS 2 ids whose PUBREL did not come (5.3)
  };
  const Counts& counts() const { return counts_; }
  std::int64_t created_ms() const { return created_ms_; }
  /// Wall clock; 0 while connected.
  std::int64_t disconnected_ms() const { return connected_ ? 0 : disconnected_ms_; }
  /// Null: of a session that ends with its connection, or stored by an older program.
  const LastConnection* last_connection() const { return last_connection_.get(); }
  bool clean_start() const { return clean_start_; }
  std::uint16_t window() const { return window_; }

 private:
  friend class Broker;
  friend class Recovery;
  friend class SessionSet;

  /// 8.4: what another member of the group gets when the session ends. QoS 2 in flight stays with this client
  /// [MQTT-4.8.2-5].
  static bool goes_to_another(const Owed& waiting) { return waiting.group && waiting.qos != Qos::AtMostOnce; }

  enum class Phase : std::uint8_t { WaitPuback, WaitPubrec, WaitPubcomp, Done };
  struct Inflight {
    Owed owed;                 // without a message if nothing could ever send it again
    std::int64_t sent_ms = 0;  // monotonic: a clock that is set must not hold repetitions up
    PacketId id = 0;
    Phase phase = Phase::Done;
    bool parked = false;  // waits for room in a window that became smaller
  };
  static bool goes_to_another(const Inflight& sent) { return sent.phase == Phase::WaitPuback && sent.owed.group; }
  struct Awaiting {
    PacketId id;
    std::int64_t since_ms;
    ReceiptRef receipt{};
    Ticket ticket = 0;  // of its row, and of what this shard stores of the message
  };

  void on_timer() override;
  void want_timer(std::int64_t due_ms);
  void rearm();
  std::int64_t now_ms() const;  // monotonic
  /// True if what is sent may have to be sent again: then the window holds the message.
  bool keeps_inflight() const { return persistent() || settings_->retry_interval.count() > 0; }
  bool window_free() const { return inflight_used_ < window_ && !on_hold_; }
  /// Takes from the replays what there is room for.
  void feed();
  /// One message of a replay. False: nothing to be had now.
  bool feed_one();
  void deliver_retained(const MessageRef& message, const Subscription& subscription);
  void send_now(Delivery& delivery, Owed owed);
  void enqueue(Owed owed);
  void send_again(Inflight& entry);
  Inflight* find_inflight(PacketId id);
  void add_inflight(Inflight entry);
  void finish(Inflight& entry);
  /// Packet id of a message about to be sent: follows from its sequence, so that it is the same after a crash. If that
  /// is taken another is chosen, and its row says so.
  PacketId assign_packet_id(Owed& owed);
  /// Known without a search: no message in flight has the usual id of this sequence.
  bool surely_free(std::uint64_t sequence) const;
  PacketId free_id(PacketId taken);
  detail::InflightIndex& index();
  /// From where on a walk meets all parked ones: a large window is not walked from its front for each acknowledgement.
  std::size_t first_parked() const { return inflight_.size() - std::min<std::size_t>(parked_tail_, inflight_.size()); }
  void rename(Inflight& entry, PacketId id);
  void restore_inflight(Owed owed, PacketId id, store::QueueState state);
  /// Changes are written to the journal.
  bool durable() const;
  void forget(Owed& owed);
  /// From a stored row, in order of sequence. Bounds of the queue hold for what comes, not for what is owed already.
  void restore(Owed owed, store::QueueState state, PacketId packet_id);
  /// The connection is over: the row of the newest message in flight must tell that it was sent, and with it all
  /// before; with priorities that of each.
  void remember_sent();
  /// By client id: what was stored, or comes late, may be of a former session of the client. [MQTT-3.8.3-3]
  bool is_own(const IdentityRef& from) const { return from && from->client_id == client_id(); }
  void drop_own(const Publication& publication);
  void count_drop(const Owed& owed, std::uint64_t Counts::*kind);
  void completed(const Inflight& entry);
  void retry();
  void drop_suppressed();
  void expire_awaiting(std::int64_t now);

  Broker& broker_;
  SessionSink* sink_ = nullptr;
  IdentityRef identity_;
  std::uint64_t number_;
  SessionSettingsRef settings_;
  boost::unordered_flat_set<Subscription*, SubscriptionHash, SubscriptionEqual> subscriptions_;
  Fifo<Inflight> inflight_;
  std::unique_ptr<detail::InflightIndex> index_;  // of a large window with gaps
  std::uint32_t inflight_used_ = 0;               // neither Done nor parked
  std::uint32_t parked_ = 0;
  std::uint32_t parked_tail_ = 0;  // the parked ones are among so many last entries
  std::uint32_t renamed_ = 0;      // of those in flight: with an id that is not their sequence's
  std::uint16_t window_ = 32;
  MessageQueue queue_;
  std::vector<Awaiting> awaiting_;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t perhaps_sent_below_ = 0;  // see store::SessionRecord

  std::uint32_t place_ = 0;  // in the SessionSet
  std::uint32_t expiry_s_ = 0;
  bool clean_start_ = true;
  bool connected_ = false;
  bool on_hold_ = false;
  bool leaving_ = false;
  std::int64_t disconnected_ms_ = 0;  // wall clock
  std::int64_t created_ms_ = 0;
  std::int64_t expires_at_ms_ = 0;  // monotonic; 0 = connected or never
  std::int64_t will_at_ms_ = 0;     // monotonic; 0 = no will pending
  std::int64_t timer_due_ms_ = 0;
  std::unique_ptr<Will> will_;
  std::unique_ptr<const LastConnection> last_connection_;
  Counts counts_;

  /// Waits until QoS 2 messages at the head of the queue are on disk: they must not be sent before (4.3.3: never
  /// twice).
  struct Held;
  std::unique_ptr<Held> held_;
  /// While retained messages are replayed, and until what came of it has left the queue.
  std::unique_ptr<Replays> replays_;
};

}  // namespace sb::broker
