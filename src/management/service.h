// The service layer of one node: what REST and ctl ask for. It has a thread with a loop of its own, reaches the shards
// by messages and never reads their memory, counters excepted. Every call belongs to the management thread unless it
// says otherwise; answers come there too, by callback, each exactly once while the shards run.
#pragma once

#include "access/access_control.h"
#include "access/authn/authentication.h"
#include "access/authz/authorization.h"
#include "base/clock.h"
#include "broker/broker.h"
#include "broker/stats.h"
#include "config/store.h"
#include "management/accounts.h"
#include "management/audit_log.h"
#include "management/monitor.h"
#include "management/ports.h"
#include "management/publish.h"
#include "management/session_walk.h"
#include "management/views.h"
#include "runtime/loop.h"
#include "store/key_value.h"
#include "telemetry/alarms.h"
#include "telemetry/logger.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sb::management {

class Backup;
class Licence;

/// What the service stands on. core, clock, stats, access and alarms are there, the others may be null. Everything
/// outlives the service.
struct Environment {
  broker::Core* core = nullptr;
  const Clock* clock = nullptr;
  std::string node = "signalbox@127.0.0.1";
  std::string version = "5.4.0";  // compatibility version
  std::string description = "Signalbox";
  std::string data_dir{};

  broker::Stats* stats = nullptr;
  access::AccessControl* access = nullptr;
  access::authn::Authentication* authentication = nullptr;  // belongs to the management thread from start() on
  access::authz::Authorization* authorization = nullptr;    // likewise
  /// Brings access control into force anew where a file that it reads has changed, and nothing else.
  std::function<Result<>()> refresh_access{};
  telemetry::Alarms* alarms = nullptr;
  config::ConfigStore* config = nullptr;  // belongs to the management thread from start() on
  ListenerControl* listeners = nullptr;
  DelayedControl* delayed = nullptr;
  TopicMetricsControl* topic_metrics = nullptr;
  TraceControl* traces = nullptr;
  SlowSubscriptionControl* slow_subscriptions = nullptr;
  telemetry::LogControl* log = nullptr;
  Licence* licence = nullptr;
  Backup* backup = nullptr;
  /// The node's store once it has started; null where nothing is kept.
  std::function<store::KeyValue*()> store{};
  /// Asks the process to end in order.
  std::function<void()> stop{};
};

struct ClientQuery {
  std::size_t skip = 0;
  std::size_t limit = 100;
  std::vector<std::string> client_ids, usernames;  // any of them; empty: all
  std::optional<std::string> ip_address, like_client_id, like_username;
  std::optional<bool> connected, clean_start;
  std::optional<int> protocol_version;
  std::optional<std::int64_t> created_from_ms, created_to_ms, connected_from_ms, connected_to_ms;
  bool filtered() const;
  bool fuzzy() const { return like_client_id || like_username; }
};

struct SubscriptionQuery {
  std::size_t skip = 0;
  std::size_t limit = 100;
  std::optional<std::string> client_id, topic, match_topic, share_group;
  std::optional<Qos> qos;
  bool filtered() const { return client_id || topic || match_topic || share_group || qos; }
};

struct SubscribeRequest {
  std::string topic;
  SubscribeOptions options;
};

struct WaitingQuery {
  std::string client_id;
  bool inflight = false;  // what was sent and not acknowledged, in place of the queue
  std::optional<broker::MessageQueue::Place> after;
  std::size_t limit = 100;
};

/// Messages that a session owes its client. They are shared with the session, not copied.
struct WaitingMessages {
  struct Row {
    broker::MessageRef message;
    Qos qos = Qos::AtMostOnce;
    broker::MessageQueue::Place place;
  };
  std::vector<Row> rows;
  std::optional<broker::MessageQueue::Place> first;  // of all of them
  bool more = false;                                 // behind the rows
};

class Service {
 public:
  /// Before the shards run (it listens to ends of sessions); destroyed after their threads have ended.
  explicit Service(Environment environment);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Any thread. After the shards run; `before` runs first on the management thread.
  void start(std::function<void()> before = {});
  /// Any thread but its own, before the shards stop; `last` runs last there.
  void stop(std::function<void()> last = {});

  const Environment& environment() const { return environment_; }
  runtime::Loop& loop() { return loop_; }
  /// Users, log-ins and API keys; opened before start().
  Accounts& accounts() { return accounts_; }
  /// Opened before start().
  AuditLog& audit() { return audit_; }
  bool audited() const { return audited_; }
  void set_audited(bool on) { audited_ = on; }
  std::int64_t uptime_ms() const;

  // --- clients
  void clients(ClientQuery query, std::function<void(Page<ClientView>)> done);
  /// How many are connected, or were at or after this time.
  void sessions_since(std::int64_t since_ms, std::function<void(std::size_t)> done);
  void client(std::string id, std::function<void(std::optional<ClientView>)> done);
  /// False: no such client.
  void kick(std::string id, std::function<void(bool)> done);
  /// nullopt: no such client. Only one that is connected gets it.
  void set_keep_alive(std::string id, std::uint32_t seconds, std::function<void(std::optional<ClientView>)> done);
  /// nullopt: no such client. Gathered in slices: a long queue does not hold its shard up.
  void waiting(WaitingQuery query, std::function<void(std::optional<WaitingMessages>)> done);
  /// nullopt: no such client. Cleared first if `clear`.
  void cached_verdicts(std::string id, bool clear, std::function<void(std::optional<std::vector<CachedVerdict>>)> done);

  // --- subscriptions
  void subscriptions(SubscriptionQuery query, std::function<void(Page<SubscriptionView>)> done);
  void subscriptions_of(std::string id, std::function<void(std::optional<std::vector<SubscriptionView>>)> done);
  /// nullopt: no such client. One code a request.
  void subscribe(std::string id, std::vector<SubscribeRequest> requests,
                 std::function<void(std::optional<std::vector<ReasonCode>>)> done);
  void unsubscribe(std::string id, std::vector<std::string> topics, std::function<void(bool)> done);

  // --- topics
  /// One row a route and shared group, "$share/g/f" for the latter.
  void topics(std::size_t skip, std::size_t limit, std::function<void(Page<std::string>)> done);
  bool has_topic(std::string_view full_filter) const;

  // --- retained messages
  std::size_t retained_count() const;
  /// `filter` empty: all. Sorted by topic within what is returned.
  void retained(std::string filter, std::size_t skip, std::size_t limit, std::function<void(Page<RetainedView>)> done);
  void retained_message(std::string topic, std::function<void(std::optional<RetainedView>)> done);
  /// Deletes what matches ("" = everything) and tells how many.
  void clear_retained(std::string filter, std::function<void(std::size_t)> done);

  // --- publishing
  /// Codes of the messages in their order: Success, NoMatchingSubscribers, or what a hook refused with.
  void publish(std::vector<PublishRequest> messages, std::function<void(std::vector<ReasonCode>)> done);
  /// 32 hexadecimal digits, each time others.
  std::string next_message_id();
  /// The largest packet that the default zone takes.
  std::size_t max_packet_size() const;

  /// Calls back when everything that was changed on the shards before this call is on disk, or at once where nothing is
  /// kept; false: the disk takes nothing at present.
  void when_kept(std::function<void(bool kept)> done);

  // --- numbers
  Monitor& monitor() { return monitor_; }
  std::vector<std::pair<std::string_view, std::uint64_t>> metrics() const;  // any thread
  /// "connections.count", "connections.max", ... sorted by name.
  std::vector<std::pair<std::string, std::uint64_t>> gauges() const {
    return environment_.stats->list();
  }  // any thread

 private:
  /// Runs `work` on each shard, then `done` here with the results in the shards' order.
  template <class T>
  void gather(std::function<T(broker::Broker&)> work, std::function<void(std::vector<T>)> done);
  /// Runs `work` with the session, or null, on its home shard, then `done` here.
  template <class T>
  void at_home(std::string id, std::function<T(broker::Broker&, broker::Session*)> work, std::function<void(T)> done);
  struct SessionList;
  void walk_on(std::shared_ptr<SessionList> list, unsigned shard);
  struct WaitingList;
  void wait_on(std::shared_ptr<WaitingList> list);
  struct TopicList;
  void topics_on(std::shared_ptr<TopicList> list);
  struct Sweep;
  void sweep_on(std::shared_ptr<Sweep> sweep, unsigned shard);

  Environment environment_;
  broker::Core& core_;
  runtime::Loop loop_;
  Accounts accounts_;
  AuditLog audit_;
  bool audited_ = false;  // log.audit.enable
  std::vector<std::unique_ptr<SessionWalks>> walks_;
  Nanos started_{0};
  Monitor monitor_;
  std::uint64_t last_message_ = 0;
  std::thread thread_;
};

}  // namespace sb::management
