// A node: shards, what they share, listeners; started and stopped in order. Built by main from the configuration.
#pragma once

#include "access/access_control.h"
#include "access/authn/authentication.h"
#include "access/authn/store_user_log.h"
#include "access/authz/authorization.h"
#include "access/authz/store_rule_log.h"
#include "access/store_ban_log.h"
#include "app/alive_mark.h"
#include "app/listeners.h"
#include "app/shard.h"
#include "base/clock.h"
#include "broker/broker.h"
#include "broker/module_registry.h"
#include "broker/stats.h"
#include "client/pressure.h"
#include "net/psk_table.h"
#include "plugins/module/delayed/store_log.h"
#include "runtime/reclaimer.h"
#include "store/key_value.h"
#include "telemetry/alarms.h"
#include "telemetry/store_alarm_log.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sb::app {

struct NodeOptions {
  unsigned shards = 1;
  Nanos coalesce{200'000};
  broker::RouterOptions router;
  broker::CoreSettingsRef core = std::make_shared<const broker::CoreSettings>();
  std::vector<ListenerOptions> listeners;
  client::LimitRates limits{};  // of the whole node (config.md 7.11)
  /// By zone: what stored sessions start with. One of a zone that is gone gets those of "default".
  std::map<std::string, broker::SessionSettingsRef, std::less<>> sessions{
      {"default", std::make_shared<const broker::SessionSettings>()}};

  /// Empty: no store at all.
  std::string data_dir{};
  bool durable_sessions = false;
  bool durable_retained = false;
  store::Durability durability = store::Durability::Process;
  std::function<void(std::string_view table, std::uint64_t records)> progress{};

  /// Mechanisms that authenticators may be made of; outlives the node.
  const access::authn::Registry* mechanisms = nullptr;
  /// The same for authorization sources.
  const access::authz::Registry* sources = nullptr;
  /// Pre-shared keys of TLS: what the store kept is added, and all of them are kept there.
  std::shared_ptr<net::PskTable> psk{};
  std::size_t psk_chunk_size = 50;  // of them are written at a time
  access::PolicyRef policy = std::make_shared<const access::Policy>();
  client::PressureOptions pressure{};
  std::string name = "signalbox@127.0.0.1";
  /// Where traces go; empty = data_dir.
  std::string trace_dir{};
};

class Node {
 public:
  /// The modules of `registry` are made here and listen before the shards run.
  Node(NodeOptions options, const broker::ModuleRegistry& registry);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  [[nodiscard]] Result<> start();
  /// Stops accepting, says goodbye to everybody (0x8B), flushes, ends the threads.
  void stop();

  broker::Core& core() { return core_; }
  Shard& shard(unsigned id) { return *shards_[id]; }
  access::AccessControl& access() { return access_; }
  access::authn::Authentication& authentication() { return authentication_; }
  access::authn::UserTable& users() { return users_; }
  access::ConnectionQuota& quota() { return quota_; }
  access::authz::Authorization& authorization() { return authorization_; }
  access::authz::RuleTable& rules() { return rules_; }
  telemetry::Alarms& alarms() { return alarms_; }
  broker::Stats& stats() { return stats_; }
  client::Pressure& pressure() { return pressure_; }
  broker::Modules& modules() { return modules_; }
  /// Null before start(), and without a data folder.
  store::KeyValue* store() { return store_.get(); }
  unsigned shard_count() const { return options_.shards; }
  /// Opens, changes and closes listeners while the node runs.
  Listeners& listeners() { return *listeners_; }
  /// What live connections take over of changed zones at once (config.md 6.1, the keys marked Y), and what listeners
  /// give to new ones. Connections of a zone that is gone fall back to "default". Any thread but the shards' own.
  void set_zones(const std::map<std::string, client::ZoneRef>& zones);
  /// The node's level of the limiter, for live connections too. Any thread but the shards' own.
  void set_limits(const client::LimitRates& rates);
  /// Where the listeners really listen, in the order of the options.
  const std::vector<net::Endpoint>& bound() const { return bound_; }
  const std::string& name() const { return options_.name; }
  /// Writes the pre-shared keys to the store, if there is one, so many at a time; waits for it.
  [[nodiscard]] Result<> keep_psk(std::size_t chunk_size);
  /// Null: no listener may ever serve pre-shared keys.
  net::PskTable* psk() { return options_.psk.get(); }

 private:
  NodeOptions options_;
  [[nodiscard]] Result<> open_store();
  void tell_store_trouble(const std::optional<Error>& trouble);
  /// Runs on every shard, twice: a connection on its way between two shards is found in the second round.
  void for_each_host(const std::function<void(mqtt::ChannelHost&)>& work);

  /// The store's thread reports to the node, which goes before the store does.
  struct StoreReporter {
    std::mutex mutex;  // guards node
    Node* node = nullptr;
  };

  SystemClock clock_;
  std::shared_ptr<StoreReporter> store_reporter_ = std::make_shared<StoreReporter>();
  std::unique_ptr<store::KeyValue> store_;  // outlives the shards' journals
  std::unique_ptr<access::StoreBanLog> ban_log_;
  std::unique_ptr<access::authn::StoreUserLog> user_log_;
  std::unique_ptr<access::authz::StoreRuleLog> rule_log_;
  std::unique_ptr<telemetry::StoreAlarmLog> alarm_log_;
  std::unique_ptr<plugins::module::delayed::StoreLog> delayed_log_;
  runtime::Reclaimer reclaimer_;
  broker::Core core_;
  telemetry::Alarms alarms_;
  access::authn::UserTable users_;
  access::authz::RuleTable rules_;
  runtime::Workers workers_;  // stopped before the shards, whose loops it posts to; providers are buried there
  access::ConnectionQuota quota_;
  access::AccessControl access_;
  std::vector<std::unique_ptr<Shard>> shards_;
  access::authn::Authentication authentication_;
  access::authz::Authorization authorization_;
  std::unique_ptr<Listeners> listeners_;
  // These hold timers of the shards' loops: after them, so that they go first.
  broker::Stats stats_;
  client::Pressure pressure_;
  std::unique_ptr<AliveMark> alive_mark_;
  broker::ModuleContext module_context_;
  broker::Modules modules_;
  std::vector<net::Endpoint> bound_;
  bool running_ = false;
};

}  // namespace sb::app
