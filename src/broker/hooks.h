// The closed list of points where the rest of the platform listens to the core (broker.md 13). One Hooks a shard,
// filled before the shard starts; listeners run in priority order, highest first. A point without listeners costs one
// branch.
#pragma once

#include "base/mqtt_types.h"
#include "broker/message.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::broker {

class Broker;
class Session;
struct Subscription;

/// What a listener of `publish` says.
enum class PublishVerdict : std::uint8_t {
  Continue,
  Consumed,  // not to be routed (delayed, file command); the publisher gets "no matching subscribers"
  Denied,    // not a topic that may be published to; the publisher gets 0x87
  Refused,   // cannot be done; the publisher gets 0x83
};

/// Asks on behalf of a listener that does something in a client's place. Owned by client/, valid during the call.
class Permission {
 public:
  /// Runs once: within the call, or later on this shard; not when the connection has ended meanwhile.
  using Then = std::function<void(bool allowed)>;
  virtual void may_subscribe(std::string_view filter, Qos qos, Then then) = 0;

 protected:
  ~Permission() = default;
};

/// Everything about a connection that events tell; owned by client/, valid during the call.
struct ClientEvent {
  const Identity& identity;
  std::string_view protocol;       // "mqtt", a gateway's name
  std::string_view protocol_name;  // "MQTT", "MQIsdp"
  int protocol_version = 0;
  std::string_view listener;  // "tcp:default"
  std::string_view mountpoint;
  std::uint16_t peer_port = 0;
  std::uint16_t local_port = 0;
  std::uint32_t keep_alive_s = 0;
  bool clean_start = true;
  std::uint32_t expiry_s = 0;
  bool superuser = false;
  std::int64_t connected_ms = 0;
  std::int64_t disconnected_ms = 0;
  std::string_view reason;           // of disconnection: "normal", "tcp_closed", ...
  Permission* permission = nullptr;  // of a connection that begins; null: nobody needs to be asked
};

/// Listeners in order. On the shard's thread listeners may come and go while it runs, but not from within one: a
/// feature that has nothing to do leaves the point, so that it costs nothing.
template <class F>
class ListenerList {
 public:
  using Listener = std::function<F>;
  using Token = std::uint32_t;  // never 0
  Token add(int priority, Listener listener) {
    const auto at = std::find_if(list_.begin(), list_.end(), [&](const Entry& e) { return e.priority < priority; });
    list_.insert(at, Entry{priority, ++last_, std::move(listener)});
    return last_;
  }
  void remove(Token token) {
    std::erase_if(list_, [token](const Entry& entry) { return entry.token == token; });
  }
  bool empty() const { return list_.empty(); }

 protected:
  struct Entry {
    int priority;
    Token token;
    Listener listener;
  };
  std::vector<Entry> list_;

 private:
  Token last_ = 0;
};

template <class... Args>
class HookPoint : public ListenerList<void(Args...)> {
 public:
  void run(Args... args) const {
    for (const auto& entry : this->list_) entry.listener(args...);
  }
};

class PublishPoint : public ListenerList<PublishVerdict(Publication&)> {
 public:
  /// The first that does not say Continue ends the chain.
  PublishVerdict run(Publication& publication) const {
    for (const Entry& entry : list_)
      if (const PublishVerdict verdict = entry.listener(publication); verdict != PublishVerdict::Continue)
        return verdict;
    return PublishVerdict::Continue;
  }
};

/// A packet of a connection as it came or before it goes (12.5).
struct PacketEvent {
  const Identity* identity = nullptr;  // null before CONNECT was understood
  std::string_view peer_name;          // "10.0.0.1:5432"
  bool received = true;
  std::string_view packet;          // "PUBLISH(Q1, R0, D0, Topic=t, PacketId=7)"
  std::string_view topic;           // of PUBLISH
  std::optional<ByteView> payload;  // of PUBLISH
};

/// What else a trace shows of a connection: its socket, and what access control said (12.5).
struct TraceEvent {
  const Identity* identity = nullptr;  // null before CONNECT was understood
  std::string_view peer_name;
  std::string_view tag;      // "SOCKET", "AUTHN", "AUTHZ"
  std::string_view event;    // "authorization_result"
  std::string_view details;  // "action: publish, result: deny"
  std::string_view topic;    // of AUTHZ: a topic, or a filter
};

/// A filter on its way in: listeners may rewrite it.
struct FilterRequest {
  std::string filter;
  SubscribeOptions options;
};

/// Why a message did not reach a session.
enum class DropReason : std::uint8_t { NoLocal, TooLarge, Qos0Offline, QueueFull, Expired, Congested };
std::string_view to_string(DropReason reason);

struct Hooks {
  // Priorities as broker.md 13 lists them.
  static constexpr int kRewrite = 980;
  static constexpr int kSysEvents = 950;
  static constexpr int kTopicMetrics = 940;
  static constexpr int kRetainer = 930;
  static constexpr int kAutoSubscribe = 920;
  static constexpr int kRules = 900;
  static constexpr int kSlowSubscriptions = 880;
  static constexpr int kDelayed = 860;

  HookPoint<const ClientEvent&> client_connected;
  HookPoint<const ClientEvent&> client_disconnected;
  HookPoint<const Identity&, std::vector<FilterRequest>&> client_subscribe;
  HookPoint<const Identity&, std::vector<std::string>&> client_unsubscribe;
  HookPoint<Session&> session_created;
  HookPoint<Session&> session_resumed;
  HookPoint<Session&, std::string_view> session_terminated;           // reason
  HookPoint<Session&, const Subscription&, bool> session_subscribed;  // is new
  HookPoint<Session&, std::string_view> session_unsubscribed;
  PublishPoint message_publish;
  HookPoint<const Publication&> message_dropped;  // no subscribers
  HookPoint<const Session&, const Publication&, Qos> message_delivered;
  HookPoint<const Session&, const Message&> message_acked;
  HookPoint<const Session&, const Publication&, DropReason> delivery_dropped;
  /// session, message, ms of send start, ms of completion (slow subscriptions, 12.3)
  HookPoint<const Session&, const Message&, std::int64_t, std::int64_t> delivery_completed;
  HookPoint<const PacketEvent&> packet;
  HookPoint<const TraceEvent&> trace;
};

}  // namespace sb::broker
