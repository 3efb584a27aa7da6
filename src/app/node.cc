#include "app/node.h"

#include "base/log.h"
#include "broker/recovery.h"
#include "plugins/module/delayed/delayed.h"
#include "plugins/module/sys_topics/sys_topics.h"

#include <chrono>
#include <future>
#include <random>

namespace sb::app {

namespace {
const access::authn::Registry kNoMechanisms;
const access::authz::Registry kNoSources;
/// A client is kept waiting for five seconds (Policy::answer_timeout): the hash itself fits in what is left.
constexpr Millis kHashWait{4'000};
constexpr Millis kHashGuess{100};  // bcrypt at cost 10 on a slow machine
constexpr std::size_t kHashesWaiting = 10'000;

constexpr std::string_view kStoreAlarm = "store_refuses_writes";

broker::RouterOptions with_shards(broker::RouterOptions options, unsigned shards) {
  options.shards = shards;
  return options;
}
}  // namespace

Node::Node(NodeOptions options, const broker::ModuleRegistry& registry)
    : options_(std::move(options)),
      reclaimer_(options_.shards),
      core_(broker::make_router(with_shards(options_.router, options_.shards), reclaimer_), reclaimer_,
            options_.shards),
      alarms_(clock_),
      workers_({.name = "hash",
                .threads = std::max(1U, options_.shards / 2),
                .queue_max = kHashesWaiting,
                .wait_max = kHashWait,
                .task_guess = kHashGuess}),
      quota_(options_.shards),
      access_(core_, clock_, options_.policy),
      authentication_(options_.mechanisms ? *options_.mechanisms : kNoMechanisms,
                      access::authn::Services{clock_, users_, workers_, alarms_}),
      authorization_(options_.sources ? *options_.sources : kNoSources,
                     access::authz::Services{clock_, rules_, workers_, alarms_}),
      stats_(core_),
      pressure_(alarms_, options_.shards, options_.pressure),
      module_context_{core_,   clock_,        alarms_,
                      stats_,  options_.name, options_.trace_dir.empty() ? options_.data_dir : options_.trace_dir,
                      "5.4.0", "Signalbox",   {}} {
  for (unsigned id = 0; id < options_.shards; ++id)
    shards_.push_back(std::make_unique<Shard>(
        core_, id, clock_, options_.coalesce, options_.core,
        [this](broker::Broker& broker) { return access_.make_gate(broker); },
        [this](mqtt::HandOver over) {
          // std::function wants copyable captures.
          auto moved = std::make_shared<mqtt::HandOver>(std::move(over));
          Shard& to = *shards_[moved->to];
          to.loop().post([&to, moved] { to.channels().adopt(std::move(*moved)); });
        }));
  std::vector<Shard*> shards;
  for (auto& shard : shards_) shards.push_back(shard.get());
  listeners_ = std::make_unique<Listeners>(std::move(shards));
  listeners_->set_node_limits(options_.limits);
  store_reporter_->node = this;
  reclaimer_.set_rings_empty([this](unsigned id) { return !core_.shard(id).has_input(); });
  module_context_.banned = [this](const broker::Identity& who) {
    return access_.bans().banned(who.client_id, who.username, who.peer_host);
  };
  core_.set_suppressed(module_context_.banned);
  rules_.on_change([this] { access_.clear_caches(); });
  modules_.make(registry, module_context_);
  if (auto* sys = modules_.find_as<plugins::module::sys_topics::SysTopics>("sys_topics"))
    alarms_.add_listener([sys](const telemetry::Alarm& alarm, bool publish) {
      if (publish) sys->announce(alarm.activated() ? "alarms/activate" : "alarms/deactivate", to_json(alarm));
    });
}

Node::~Node() {
  stop();
  {
    const std::lock_guard guard(store_reporter_->mutex);
    store_reporter_->node = nullptr;
  }
  workers_.stop();
  authentication_.stop();
  authorization_.stop();
}

void Node::tell_store_trouble(const std::optional<Error>& trouble) {
  // Later: alarms are stored, and this is the thread that writes the store.
  shards_.front()->loop().post([this, trouble] {
    if (!trouble)
      alarms_.deactivate(kStoreAlarm);
    else if (const std::string message = "the store refuses writes: " + trouble->what;
             !alarms_.activate(kStoreAlarm, message, {}))
      alarms_.restate(kStoreAlarm, message);
  });
}

Result<> Node::open_store() {
  if (options_.data_dir.empty()) return {};
  store::Options options;
  options.folder = options_.data_dir + "/store";
  options.durability = options_.durability;
  options.on_trouble = [reporter = store_reporter_](const std::optional<Error>& trouble) {
    if (trouble)
      SB_LOG(log::Level::Critical, "store_refuses_writes", kv("reason", trouble->what));
    else
      SB_LOG(log::Level::Warning, "store_takes_writes_again");
    const std::lock_guard guard(reporter->mutex);
    if (reporter->node) reporter->node->tell_store_trouble(trouble);
  };
  SB_TRY(store_, store::open_rocksdb(std::move(options)));

  // Where sessions live depends on the seed: it is drawn once for the life of the store.
  auto node = store::load_node(*store_);
  store::NodeRecord record;
  if (node) {
    record = *node;
  } else if (node.error().code == Errc::NotFound) {
    std::random_device random;
    record.home_seed = (std::uint64_t{random()} << 32) | random();
  } else {
    return tl::unexpected(std::move(node).error());
  }
  const std::int64_t last_alive_ms = record.last_wall_ms;
  record.last_wall_ms = std::max(record.last_wall_ms, clock_.wall_ms());
  record.clean_stop = false;
  store::Batch batch;
  store::put(batch, record);
  SB_CHECKED(store_->commit_wait(std::move(batch)));
  core_.set_home_seed(record.home_seed);

  for (auto& shard : shards_)
    shard->broker().set_journal(std::make_unique<broker::Journal>(*store_, shard->loop(), shard->id()));
  broker::Recovery::Options recovery;
  recovery.settings = [&zones = options_.sessions](std::string_view zone) {
    const auto named = zones.find(zone);
    return named == zones.end() ? zones.at("default") : named->second;
  };
  recovery.sessions = options_.durable_sessions;
  recovery.retained = options_.durable_retained;
  recovery.progress = options_.progress;
  recovery.last_alive_ms = last_alive_ms;
  ban_log_ = std::make_unique<access::StoreBanLog>(*store_);
  alarm_log_ = std::make_unique<telemetry::StoreAlarmLog>(*store_);
  SB_TRY(auto alarms, alarm_log_->load());
  alarms_.open(std::move(alarms), alarm_log_.get());
  SB_TRY(auto bans, ban_log_->load());
  access_.bans().open(std::move(bans), ban_log_.get());
  user_log_ = std::make_unique<access::authn::StoreUserLog>(*store_);
  SB_TRY(auto users, user_log_->load());
  users_.open(std::move(users), user_log_.get());
  rule_log_ = std::make_unique<access::authz::StoreRuleLog>(*store_);
  SB_TRY(auto rules, rule_log_->load());
  rules_.open(std::move(rules), rule_log_.get());
  if (options_.psk) {
    std::vector<net::PskTable::Row> kept;
    SB_CHECKED(store::scan<store::PskIdentityRecord>(*store_, [&](const store::PskIdentityRecord& row) -> Result<> {
      kept.emplace_back(row.identity, Secret(std::string(row.secret)));
      return {};
    }));
    options_.psk->add_missing(std::move(kept));
    SB_CHECKED(keep_psk(options_.psk_chunk_size));
  }
  if (auto* delayed = modules_.find_as<plugins::module::delayed::Delayed>("delayed")) {
    delayed_log_ = std::make_unique<plugins::module::delayed::StoreLog>(core_, *store_);
    SB_CHECKED(delayed->open(*delayed_log_));
  }
  const auto began = std::chrono::steady_clock::now();
  SB_TRY(const broker::Recovery::Report report, broker::Recovery::run(core_, *store_, recovery));
  alive_mark_ = std::make_unique<AliveMark>(shards_[0]->loop(), *store_, record);
  const auto took = std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - began);
  if (report.records() > 0)
    SB_LOG(log::Level::Notice, "state_restored", kv("sessions", report.sessions),
           kv("subscriptions", report.subscriptions), kv("messages", report.messages), kv("owed", report.owed),
           kv("retained", report.retained), kv("wills", report.wills), kv("ms", took.count()));
  return {};
}

Result<> Node::keep_psk(std::size_t chunk_size) {
  if (!store_ || !options_.psk) return {};
  const auto keys = options_.psk->all();
  std::vector<store::PskIdentityRecord> rows;
  for (const auto& [identity, secret] : keys) rows.push_back({identity, secret.reveal()});
  return store::commit_in_parts<store::PskIdentityRecord>(*store_, rows, chunk_size);
}

Result<> Node::start() {
  SB_CHECKED(open_store());
  SB_CHECKED(authentication_.start());
  SB_CHECKED(authorization_.start());
  for (auto& shard : shards_) {
    shard->context().pressure = &pressure_;
    shard->context().alarms = &alarms_;
    shard->context().quota = &quota_;
    stats_.join(shard->broker(), [&context = shard->context()] { return context.connected; });
    pressure_.join(shard->broker());
    modules_.join(shard->broker());
  }
  for (auto& shard : shards_) shard->start();
  running_ = true;
  modules_.start();
  for (const ListenerOptions& listener : options_.listeners) {
    SB_CHECKED(listeners_->add(listener));
    bound_.push_back(listeners_->bound(listener.settings.id).value_or(listener.bind));
  }
  return {};
}

void Node::for_each_host(const std::function<void(mqtt::ChannelHost&)>& work) {
  if (!running_) return;
  for (int round = 0; round < 2; ++round)
    for (auto& shard : shards_) {
      std::promise<void> done;
      shard->loop().post([&] {
        work(shard->channels());
        done.set_value();
      });
      done.get_future().wait();
    }
}

void Node::set_zones(const std::map<std::string, client::ZoneRef>& zones) {
  listeners_->set_zones(zones);
  for_each_host([&zones](mqtt::ChannelHost& host) { host.set_zones(zones); });
}

void Node::set_limits(const client::LimitRates& rates) {
  listeners_->set_node_limits(rates);
  for_each_host([](mqtt::ChannelHost& host) { host.refresh_limits(); });
}

void Node::stop() {
  if (!std::exchange(running_, false)) return;
  for (auto& shard : shards_) {
    std::promise<void> done;
    shard->loop().post([&] {
      shard->close_listeners();
      shard->channels().disconnect_all(ReasonCode::ServerShuttingDown);
      done.set_value();
    });
    done.get_future().wait();
  }
  // One more turn each, so that what was said is written.
  for (auto& shard : shards_) {
    std::promise<void> done;
    shard->loop().post([&] { done.set_value(); });
    done.get_future().wait();
  }
  modules_.stop();
  workers_.stop();
  for (auto& shard : shards_) shard->loop().stop();
  for (auto& shard : shards_) shard->join();
  authentication_.stop();
  authorization_.stop();
  if (!store_) return;
  for (auto& shard : shards_) shard->broker().finish_journal();
  if (auto node = store::load_node(*store_)) {
    node->clean_stop = true;
    node->last_wall_ms = std::max(node->last_wall_ms, clock_.wall_ms());
    store::Batch batch;
    store::put(batch, *node);
    if (const auto kept = store_->commit_wait(std::move(batch)); !kept)
      SB_LOG(log::Level::Error, "state_not_written", kv("reason", kept.error().what));
  }
  if (const auto closed = store_->close(); !closed)
    SB_LOG(log::Level::Error, "state_not_written", kv("reason", closed.error().what));
}

}  // namespace sb::app
