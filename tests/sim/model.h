// What MQTT (and the references' choices where it leaves one) says a broker does, in the plainest way: no shards, no
// packets, no limits but those under test. It does not foretell in which order messages of different publishers arrive
// where the specification leaves that open; it is told what was observed and says whether that may be.
#pragma once

#include "tests/sim/player.h"
#include "tests/sim/script.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sb::sim {

/// A message as it was published.
struct Mail {
  std::string topic;
  std::string payload;
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::string publisher;
  std::int64_t published_ms = 0;
  std::uint32_t expiry_s = kNeverExpires;
  std::uint64_t number = 0;  // in the order of publishing

  bool expired(std::int64_t now_ms) const {
    return expiry_s != kNeverExpires && now_ms >= published_ms + std::int64_t{expiry_s} * 1000;
  }
};
using MailRef = std::shared_ptr<const Mail>;

/// One copy for one session.
struct Copy {
  MailRef mail;
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::uint32_t subscription_id = 0;
  std::string group{};        // the full shared filter it came through
  std::uint64_t replay = 0;   // of retained messages: which one, 0 = live
  bool perhaps_gone = false;  // was too large for a connection that may have come to it, or a newer value replaced it
  bool loose = false;         // through which subscription it came could not be seen

  /// Order is promised among copies of one publisher and topic, and within one replay of retained messages.
  bool same_lane(const Copy& other) const;
  bool before(const Copy& other) const;
};

/// Copies that came at one moment: what follows them comes later.
struct Batch {
  std::uint64_t epoch = 0;
  std::vector<Copy> copies;
  std::size_t dropped = 0;  // how many of them the bound of the queue cost; the oldest, whichever these are
  /// Of these, how many may have been among copies that had nothing to send any more, and then cost no other.
  std::size_t undecided = 0;
};

enum class Phase : std::uint8_t { WaitPuback, WaitPubrec, WaitPubcomp };

/// Sent, not completed.
struct Flight {
  PacketId id = 0;
  Copy copy;
  Phase phase = Phase::WaitPuback;
  bool shown = false;       // sent on this connection
  bool pubrel_due = false;  // PUBREC was answered; PUBREL has not come
};

struct Subscribed {
  SubscribeOptions options;
  std::string filter;  // without prefix
  bool shared = false;
};

struct Will {
  Mail mail;
  std::uint32_t delay_s = 0;
};

struct Session {
  std::string client;
  bool connected = false;
  ProtocolVersion version = ProtocolVersion::V5;
  std::uint32_t expiry_s = 0;
  std::uint16_t window = 0;
  std::uint32_t packet_maximum = 0;
  bool auto_acknowledge = true;
  std::optional<Will> will{};
  std::int64_t will_at_ms = 0;     // 0 = none pending
  std::int64_t expires_at_ms = 0;  // 0 = connected, or never
  std::map<std::string, Subscribed> subscriptions;
  std::deque<Batch> queue;
  std::deque<Flight> flights;
  std::vector<Copy> direct;  // QoS 0 that is due at once
  std::set<PacketId> awaiting;

  std::size_t queued() const;
  /// So many more may be queued.
  std::size_t undecided() const;
  std::size_t in_window() const;
  std::size_t parked() const;
};

/// What the broker owes to a connection in answer, in this order.
struct Answer {
  codec::mqtt::PacketType type;
  PacketId id = 0;
  std::vector<ReasonCode> codes;
  bool session_present = false;
};

class Model {
 public:
  explicit Model(const Profile& profile, std::uint16_t window) : profile_(profile), window_(window) {}

  void set_now(std::int64_t now_ms) { now_ms_ = now_ms; }
  void next_epoch() { ++epoch_; }
  /// Runs what is due (wills, ends of sessions).
  void run_due();
  /// Whether something is due so close to `at_ms` that which comes first is luck.
  bool crowded(std::int64_t at_ms) const;

  Session* find(const std::string& client);
  const std::map<std::string, Session>& sessions() const { return sessions_; }
  const std::map<std::string, MailRef>& retained() const { return retained_; }

  // --- what clients do
  void connect(const std::string& client, const Step& step, const Mail& will);
  void disconnect(const std::string& client, bool with_will, std::optional<std::uint32_t> expiry_s);
  void subscribe(const std::string& client, PacketId id, const std::vector<Wish>& wishes);
  void unsubscribe(const std::string& client, PacketId id, const std::vector<Wish>& wishes);
  void publish(const std::string& client, PacketId id, bool dup, Mail mail);
  void release(const std::string& client, PacketId id);
  void acknowledge(Session& session, std::size_t flight, bool refuse);

  // --- what was observed
  /// A copy of a shared message that a session has, on the wire or in its queue.
  struct Seen {
    std::string client;
    std::string payload;
    Qos qos = Qos::AtMostOnce;
    bool retain = false;
    std::optional<std::uint32_t> subscription_id{};  // unknown on the wire of v3
  };
  /// Finds for each shared message of this epoch the one member that has it. What is wrong, or nothing.
  std::string assign_shared(const std::vector<Seen>& seen);
  bool shared_pending() const { return !tickets_.empty(); }
  /// One packet for a client. What is wrong with it, or nothing.
  std::string observe(const std::string& client, const Heard& packet);
  std::string observe_before(const std::string& client, const Heard& packet);
  /// Nothing moves any more: what should have come and did not, or nothing.
  std::string check_quiet();
  /// How many waiting copies are expired or too large.
  std::size_t unsendable(const Session& session) const;

 private:
  /// A message to one member of a group.
  struct Ticket {
    MailRef mail;
    std::string group;
    std::vector<std::string> members;  // who may get it
    bool offline = false;              // none of them is connected
    bool may_vanish = false;           // QoS 0, and one who might have got it is gone
  };

  bool route(const MailRef& mail);
  void deliver(Session& session, const Subscribed& subscription, const MailRef& mail, const std::string& group,
               bool online);
  bool dispatch_shared(const MailRef& mail, const std::string& group, const std::string& filter);
  void enqueue(Session& session, Copy copy, bool bounded);
  void replay_retained(Session& session, const std::string& filter, bool is_new);
  void publish_will(const std::string& client);
  void terminate(const std::string& client, bool redispatch);
  bool nothing_to_send(const Session& session, const Copy& copy) const;
  bool too_large(const Session& session, const Copy& copy) const;
  std::string take_publish(Session& session, const Heard& packet);
  std::string take_again(Session& session, const Heard& packet);
  std::string take_pubrel(Session& session, const Heard& packet);
  bool take_from(Session& session, const Heard& packet);
  bool matches(const Session& session, const Copy& copy, const Heard& packet) const;
  void blur(Session& session, Copy& taken);
  void drop_unsendable(Session& session);
  std::string quiet(const std::string& client, Session& session);
  bool assign(std::size_t ticket, std::map<std::string, std::vector<Seen>>& left,
              std::vector<std::pair<std::string, const Ticket*>>& chosen);

  const Profile& profile_;
  std::uint16_t window_;
  std::int64_t now_ms_ = 0;
  std::uint64_t epoch_ = 1;
  std::uint64_t replays_ = 0;
  std::map<std::string, Session> sessions_;
  std::map<std::string, MailRef> retained_;
  std::map<std::string, std::deque<Answer>> answers_;
  std::map<std::string, std::deque<Answer>> answers_before_;  // of a connection that was taken over
  std::vector<Ticket> tickets_;
};

/// 4.7, written down once more: level by level.
bool filter_matches(const std::string& filter, const std::string& topic);

}  // namespace sb::sim
