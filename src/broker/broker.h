// The broker on one shard: sessions whose home it is, their subscriptions, publishing and what crosses to other shards.
// One Broker a shard, all of them joined by a Core. Every call belongs to the shard's thread unless it says otherwise.
#pragma once

#include "broker/hooks.h"
#include "broker/match_cache.h"
#include "broker/message.h"
#include "broker/metrics.h"
#include "broker/replay.h"
#include "broker/replay_budget.h"
#include "broker/retained.h"
#include "broker/router.h"
#include "broker/session.h"
#include "broker/session_set.h"
#include "broker/shared_group.h"
#include "runtime/loop.h"
#include "runtime/reclaimer.h"
#include "runtime/spsc_ring.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace sb::broker {

class Broker;

/// What one shard tells another about a publish: serve your local subscribers of `route`, or that one member.
struct Crossing {
  MessageRef message;
  Route* route = nullptr;
  SharedMember* member = nullptr;
  /// The publisher waits for this shard's commit, or for its rows.
  ReceiptRef receipt;
};

/// Settings of the core that can change while it runs; every shard holds the current snapshot.
struct CoreSettings {
  SharedStrategy shared_strategy = SharedStrategy::RoundRobin;
  boost::unordered_flat_map<std::string, SharedStrategy, TextHash, TextEqual> group_strategies;
  struct Retained {
    bool enable = true;
    std::size_t max_messages = 0;       // node-wide, 0 = unlimited
    std::size_t max_payload = 1 << 20;  // 0 = unlimited
    bool stop_publish_clear = false;
    std::uint32_t default_expiry_s = 0;  // 0 = never
    /// So many of a replay go at once, queued if they must be: in their place among what comes live, and stored for a
    /// durable session. The others follow as the client takes them.
    std::uint32_t replay_at_once = 256;
    Millis clear_interval{0};  // 0 = expired messages stay until they are replaced
    // Replay to new subscriptions. Numbers of 0 leave it to the broker.
    std::uint32_t batch_read = 0;
    std::uint32_t batch_deliver = 0;
    double replay_per_second = 0;  // node-wide, 0 = no limit
    double replay_burst = 0;
  } retained;
};
using CoreSettingsRef = std::shared_ptr<const CoreSettings>;

/// What all shards share.
class Core {
 public:
  Core(std::unique_ptr<Router> router, runtime::Reclaimer& reclaimer, unsigned shards);
  ~Core();

  unsigned shards() const { return shards_; }
  Router& router() { return *router_; }
  runtime::Reclaimer& reclaimer() { return reclaimer_; }
  /// Called once per shard before any of them runs.
  void join(Broker& broker);
  Broker& shard(unsigned id) { return *brokers_[id]; }

  /// The shard where a client's session lives for ever (architecture: home shard).
  unsigned home_of(std::string_view client_id) const {
    return shards_ == 1 ? 0 : static_cast<unsigned>(hash_stable(client_id, home_seed_) % shards_);
  }
  void set_home_seed(std::uint64_t seed) { home_seed_ = seed; }
  unsigned retained_home_of(std::string_view topic) const {
    return shards_ == 1 ? 0 : static_cast<unsigned>(hash_stable(topic, 0) % shards_);
  }
  std::uint64_t next_group_number() { return group_numbers_.fetch_add(1, std::memory_order_relaxed) + 1; }

  /// Exclusive topics (9.1), by topic. Guarded by their own lock: claims are rare.
  bool claim_exclusive(std::string_view topic, std::string_view client_id);
  void release_exclusive(std::string_view topic, std::string_view client_id);

  std::uint64_t metric(Metric metric) const;  // any thread: sum over shards
  /// Whether what a publisher left behind is held back, because it is banned now (11.1): retained messages and what
  /// waits for a session that comes back. Set before the shards run.
  using Suppressed = std::function<bool(const Identity&)>;
  void set_suppressed(Suppressed suppressed) { suppressed_ = std::move(suppressed); }
  bool suppressed(const Message& message) const {
    return suppressed_ && message.from() && suppressed_(*message.from());
  }
  std::atomic<std::size_t>& retained_count() { return retained_count_; }
  ReplayBudget& replay_budget() { return replay_budget_; }

 private:
  friend class Broker;
  using Ring = runtime::SpscRing<Crossing>;
  Ring& ring(unsigned from, unsigned to) { return *rings_[from * shards_ + to]; }

  unsigned shards_;
  std::unique_ptr<Router> router_;
  runtime::Reclaimer& reclaimer_;
  std::vector<Broker*> brokers_;
  std::vector<std::unique_ptr<Ring>> rings_;
  std::uint64_t home_seed_ = 0;
  std::atomic<std::uint64_t> group_numbers_{0};
  std::atomic<std::size_t> retained_count_{0};
  ReplayBudget replay_budget_;
  Suppressed suppressed_;
  std::mutex exclusive_mutex_;  // guards exclusive_
  boost::unordered_flat_map<std::string, std::string, TextHash, TextEqual> exclusive_;
};

/// What opening a session needs.
struct OpenRequest {
  IdentityRef identity;
  bool clean_start = true;
  std::uint32_t expiry_s = 0;
  SessionSettingsRef settings;
  std::uint16_t window = 32;  // min(max_inflight, Receive Maximum)
  std::unique_ptr<Will> will;
  std::unique_ptr<const LastConnection> connection{};  // where the session may outlive it
};

/// How a connection ended, for its session.
struct CloseRequest {
  bool publish_will = true;
  std::optional<std::uint32_t> expiry_s;  // DISCONNECT may change it
  std::string_view reason;                // broker.md 4.4
};

enum class WillVerdict : std::uint8_t {
  Publish,
  Deny,
  Held,  // the guard answers when it knows
};

class Broker {
 public:
  Broker(Core& core, unsigned shard, runtime::Loop& loop, CoreSettingsRef settings);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  unsigned shard() const { return shard_; }
  Core& core() { return core_; }
  runtime::Loop& loop() { return loop_; }
  Hooks& hooks() { return hooks_; }
  /// Asked when a will is due (4.5). Set once before the shard runs. After Held it calls the reply, on this shard; a
  /// will that it never answers for is published by the next start.
  using WillReply = std::function<void(bool publish)>;
  using WillGuard = std::function<WillVerdict(const IdentityRef&, const Will&, WillReply)>;
  void set_will_guard(WillGuard guard) { will_guard_ = std::move(guard); }
  MetricCells& metrics() { return metrics_; }
  const MetricCells& metrics() const { return metrics_; }
  /// The disk, null without persistence. Set once before the shard runs.
  void set_journal(std::unique_ptr<Journal> journal);
  /// From here on sessions and retained messages are written.
  void set_durable(bool sessions, bool retained) {
    sessions_durable_ = journal_ && sessions;
    retained_durable_ = journal_ && retained;
  }
  Journal* journal() { return journal_.get(); }
  /// The loop has ended: writes what is still open and writes no more.
  void finish_journal() {
    set_durable(false, false);
    journal_.reset();
  }
  bool sessions_durable() const { return sessions_durable_; }
  bool retained_durable() const { return retained_durable_; }
  void set_settings(CoreSettingsRef settings);
  const CoreSettings& settings() const { return *settings_; }

  // --- sessions (their home is this shard)
  struct Opened {
    Session* session;
    bool present;  // Session Present of CONNACK
  };
  Opened open(OpenRequest request, SessionSink& sink);
  /// The connection is over. The session ends too unless it has an expiry interval.
  void close(Session& session, const CloseRequest& request);
  struct WillChange {
    bool keep = true;  // false: there is no will any longer
    bool trusted = false;
    std::int64_t trusted_until_ms = 0;
  };
  /// The author's rights are others than at open().
  void change_will(Session& session, const WillChange& change);
  Session* find(std::string_view client_id) const { return sessions_.find(client_id); }
  /// Ends connection and session. False if there is none.
  bool kick(std::string_view client_id, EndReason reason);
  const std::vector<Session*>& sessions() const { return sessions_.all(); }
  std::size_t session_count() const { return sessions_.size(); }

  // --- subscriptions
  struct Subscribed {
    ReasonCode code;
    Subscription* subscription;  // null on failure
    bool is_new;
  };
  /// `filter` is the full text, already mounted, rewritten and checked for syntax. The subscription tells what of
  /// `asked` is granted.
  Subscribed subscribe(Session& session, std::string_view filter, const SubscribeOptions& asked);
  ReasonCode unsubscribe(Session& session, std::string_view filter);
  /// Retained messages for a fresh subscription; call after the SUBACK was written (7.1).
  void replay_retained(Session& session, const Subscription& subscription, bool is_new);

  // --- publishing
  /// Success or NoMatchingSubscribers. `publication.published_ms` is set here if 0.
  ReasonCode publish(Publication& publication);
  /// For `publication.receipt`, if what several shards store of it must be there as a whole or not at all. `conclude`
  /// adds what goes with it on this shard. Null if this shard's own batch does that anyway.
  ReceiptRef begin_joint(std::function<void()> conclude);
  /// Shared messages of a session that was gone when the node died (start-up): dispatched once the shards run.
  void dispatch_orphan(std::uint64_t session, Owed owed);
  /// Rings to other shards are too full: publishers should pause until on_uncongested.
  bool congested() const { return !overflow_.empty(); }
  /// So many routes do not fit into a processor's cache: then it pays to tell which topics come next.
  bool profits_from_look_ahead() const { return core_.router().count() >= kRoutesBeyondCache; }
  /// Topics, at most Router::kAheadMost, that will be published at once: what that will read is asked from memory for
  /// all together. Changes nothing.
  void look_ahead(std::span<const std::string_view> topics) const;

  /// Rings to other shards or the disk are behind: whoever publishes should not be read until when_room() calls back.
  bool must_wait() const { return congested() || (journal_ && journal_->congested()); }
  void when_room(std::function<void()> resume);
  /// Calls `done` once what was changed here before this call, and what `receipt` (may be null) waits for elsewhere, is
  /// on disk; before it returns where nothing is waited for. False: the disk refused it or takes nothing at present.
  void when_kept(ReceiptRef receipt, std::function<void(bool kept)> done);
  /// Whether a message of QoS 1 or 2 to this topic, already mounted, may have to be stored.
  bool wants_disk(std::string_view topic, bool retain) const;

  /// Polled by the loop: what other shards sent.
  bool poll();
  bool has_work() const;
  /// Any thread: entries of other shards wait.
  bool has_input() const;

  RetainedStore& retained() { return retained_; }
  /// On this shard, for a topic whose retained home it is. False: refused (table full).
  bool store_retained(const MessageRef& message);
  void clear_retained(std::string_view topic);

  std::uint64_t random() { return random_(); }
  std::size_t subscription_count() const { return subscription_count_; }
  std::size_t shared_subscription_count() const { return shared_count_; }

 private:
  friend class Session;
  friend class Recovery;

  /// Of subscribe(), whatever the limits: what a stored session has is given back to it.
  Subscribed add_subscription(Session& session, std::string_view filter, const SubscribeOptions& options);
  void keep_retained(const MessageRef& message);
  ReasonCode publish_now(Publication& publication);
  ReasonCode publish_apart(Publication& publication);
  std::uint32_t count_dispatches(const Route& route) const;
  bool route_all(Publication& publication, RouteList& matched, WireScratch& scratch);
  /// `last`: of the routes of this publication.
  bool route(Delivery& delivery, Route& route, bool last);
  bool deliver_local(Delivery& delivery, Route& route);
  bool dispatch_shared(Delivery& delivery, const SharedGroup& group, std::uint64_t excluded_session);
  void deliver_to_member(Delivery& delivery, SharedMember& member);
  void cross(unsigned shard, Crossing&& crossing);
  void push_overflow();
  void release_waiting();
  void accept_crossing(Crossing& crossing);
  void prefetch(const Crossing& crossing, std::size_t stage) const;
  const Subscription* single_local(const Route& route) const;
  static constexpr std::size_t kRoutesBeyondCache = 16384;
  /// False: the publication must not be routed.
  bool handle_retain(Publication& publication);
  void follow_retained_settings();
  // Of Replay: what it asks of its shard and of the others.
  friend class Replay;
  std::uint64_t add_replay(Replay& replay);
  void remove_replay(std::uint64_t id) { replays_.erase(id); }
  void post_replay(std::uint64_t id);
  std::size_t replay_page(std::size_t usual, std::size_t most) const;
  void ask_remote_reader(unsigned shard, std::uint64_t id, std::string_view filter, std::size_t page);
  void drop_remote_reader(unsigned shard, std::uint64_t id);
  Replay::Page read_page(std::uint64_t id, std::string_view filter, std::size_t page);

  /// The publication's receipt, made when the first other shard gets a part of it.
  ReceiptRef expect_receipt(Delivery& delivery);
  void finish_receipt(const ReceiptRef& receipt);
  std::size_t changes() const { return journal_ ? journal_->changes() : 0; }
  /// A part of the publication is dealt with: the receipt, null if nobody waits, hears of it when what was changed
  /// since `changes_before` is kept.
  void conclude(const ReceiptRef& receipt, std::size_t changes_before);
  void store_session(const Session& session);
  void store_will_of_mortal(const Session& session);
  void store_will(std::string_view key, const Identity& from, const Will& will);
  void store_subscription(const Session& session, const Subscription& subscription);
  /// `keep_shared`: rows of messages that will be dispatched again stay until that is stored.
  void forget_rows(Session& session, bool keep_shared);
  void at_home_of_retained(unsigned home, Publication& publication, std::function<void(Broker&)> change);

  void publish_will(Session& session);
  void release_will(const IdentityRef& from, const Will& will);
  /// A will apart from its session, which may be gone or have another will, until what is published of it is stored:
  /// the key of its row, empty without persistence.
  std::string set_aside_will(const Identity& from, const Will& will);
  /// The publication and the end of that row commit as one.
  void publish_set_aside(Publication& publication, const std::string& key);
  void terminate(Session& session, std::string_view reason, bool redispatch);
  void detach_subscription(Session& session, Subscription& subscription);
  void join_group(Subscription& subscription, std::string_view group_name, std::string_view full);
  void leave_group(Subscription& subscription);
  // Under the router's writer lock:
  void add_member(Subscription& subscription, SharedMember* member, std::string_view group_name, std::string_view full);
  void remove_member(Route& route, SharedGroup* group, SharedMember* member);
  void set_online(Session& session, bool online);
  void redispatch(std::uint64_t session, Owed owed);
  void return_to_sender(const Crossing& crossing);
  void dispatch_again(const MessageRef& message, const SharedGroupRef& group, std::uint64_t left,
                      const ReceiptRef& receipt);
  /// Null: nobody is in it now.
  const SharedGroup* find_group(std::string_view topic, std::string_view full_filter) const;
  /// A part of a joint publication whose origin is this shard; null: nothing to store there.
  void join(const ReceiptRef& receipt, PartRef part);

  Core& core_;
  unsigned shard_;
  runtime::Loop& loop_;
  CoreSettingsRef settings_;
  Hooks hooks_;
  WillGuard will_guard_;
  MetricCells metrics_;

  SessionSet sessions_;
  std::uint64_t session_numbers_ = 0;
  std::unique_ptr<Journal> journal_;
  bool sessions_durable_ = false;
  bool retained_durable_ = false;
  std::size_t subscription_count_ = 0;
  std::size_t shared_count_ = 0;

  MatchCache match_cache_;
  RouteList matched_;
  WireScratch scratch_;
  int publish_depth_ = 0;  // a will published while another message is routed must not share scratch

  std::deque<std::pair<unsigned, Crossing>> overflow_;
  std::vector<std::function<void()>> waiting_;
  std::vector<bool> to_wake_;
  struct WakeOthers final : runtime::TurnEnd {
    explicit WakeOthers(Broker& b) : broker(b) {}
    void on_turn_end() override;
    Broker& broker;
  } wake_others_;
  struct DiskRelief final : CommitWaiter {
    explicit DiskRelief(Broker& b) : broker(b) {}
    bool on_commit(const Journal& journal) override;
    Broker& broker;
  } disk_relief_;
  struct Awaited final : CommitWaiter {
    Awaited(Broker& b, Ticket t, ReceiptRef r, std::function<void(bool)> d)
        : broker(b), ticket(t), receipt(std::move(r)), done(std::move(d)) {}
    bool on_commit(const Journal& journal) override;
    Broker& broker;
    Ticket ticket;
    ReceiptRef receipt;
    std::function<void(bool)> done;
    std::list<Awaited>::iterator place{};
  };
  std::list<Awaited> awaited_;  // of when_kept()

  RetainedStore retained_;
  /// Takes expired retained messages away, a few at a time (retainer.msg_clear_interval).
  struct Sweeper final : private runtime::Timer {
    explicit Sweeper(Broker& b) : broker(b) {}
    void follow_settings();
    void on_timer() override;
    Broker& broker;
    Millis interval{0};
    std::uint32_t at = 0;
  } sweeper_;
  std::uint64_t replay_ids_ = 0;
  boost::unordered_flat_map<std::uint64_t, Replay*> replays_;  // of sessions here
  /// Of replays to sessions of other shards, by their id.
  boost::unordered_flat_map<std::uint64_t, std::unique_ptr<RetainedReader>> readers_;
  bool closing_ = false;  // the other shards may be gone
  std::mt19937_64 random_;
};

}  // namespace sb::broker
