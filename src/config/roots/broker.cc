#include "config/roots/broker.h"

namespace sb::config {

/// Where retained messages may lie.
enum class RetainedStore : std::uint8_t { BuiltIn };
template <>
struct EnumNames<RetainedStore> {
  static constexpr std::string_view names[] = {"built_in_database"};
};

const Struct& Broker::Group::schema() {
  static const Struct s = Schema<Group>("shared_subscription_group", Hot::Y)
                              .field("strategy", &Group::strategy, {.def = "random", .doc = "Strategy of this group."})
                              .build();
  return s;
}

const Struct& Broker::Routing::schema() {
  static const Struct s =
      Schema<Routing>("routing", Hot::B)
          .field("storage_schema", &Routing::storage_schema,
                 {.def = "v2", .doc = "How routes are kept: v1 (trie and index) or v2 (one ordered index)."})
          .build();
  return s;
}

namespace {
struct Perf {
  static const Struct& schema() {
    static const Struct s = Schema<Perf>("perf", Hot::B)
                                .accept<std::string>("route_lock_type", {.def = "key"})
                                .accept<bool>("trie_compaction", {.def = "true"})
                                .build();
    return s;
  }
};
}  // namespace

const Struct& Broker::schema() {
  using S = Broker;
  static const Struct s =
      Schema<S>("broker", Hot::B)
          .doc("Core of the broker.")
          .field("enable_session_registry", &S::enable_session_registry,
                 {.def = "true", .doc = "Whether nodes know each other's sessions."})
          .field("shared_subscription_group", &S::shared_subscription_group,
                 {.hot = Hot::Y, .doc = "Strategy by group name, over mqtt.shared_subscription_strategy."})
          .field("routing", &S::routing, {.doc = "Routing."})
          .accept<std::string>("session_locking_strategy", {.def = "quorum"})
          .accept<SharedStrategy>("shared_subscription_strategy", {.def = "round_robin"})
          .accept<bool>("shared_dispatch_ack_enabled", {.def = "false", .deprecated = true})
          .accept<bool>("route_batch_clean", {.def = "true"})
          .accept<Perf>("perf", {})
          .build();
  return s;
}

const Struct& Retainer::FlowControl::schema() {
  using S = FlowControl;
  static const Struct s =
      Schema<S>("flow_control", Hot::Y)
          .field("batch_read_number", &S::batch_read_number,
                 {.def = "0", .min = 0, .doc = "Messages read at a time; 0 = all."})
          .field("batch_deliver_number", &S::batch_deliver_number,
                 {.def = "0", .min = 0, .max = 1000, .doc = "Messages sent at a time; 0 = all."})
          .field("batch_deliver_limiter", &S::batch_deliver_limiter, {.doc = "Limit of sending.", .hidden = true})
          .build();
  return s;
}

const Struct& Retainer::Backend::schema() {
  using S = Backend;
  static const Struct s =
      Schema<S>("backend", Hot::Y)
          .accept<RetainedStore>("type", {.def = "built_in_database"})
          .field("storage_type", &S::storage_type, {.def = "disc", .doc = "disc survives a restart; ram does not."})
          .field("max_retained_messages", &S::max_retained_messages,
                 {.def = "0", .min = 0, .doc = "Most retained messages; 0 = no limit."})
          .accept<Value>("index_specs", {.def = "[[1,2,3],[1,3],[2,3],[3]]"})
          .finish([](Checker& c, const Value& v, S&) {
            const auto is_place = [](const Value& one) { return one.if_int() && *one.if_int() > 0; };
            const auto is_spec = [&](const Value& one) {
              return one.if_array() && std::all_of(one.if_array()->begin(), one.if_array()->end(), is_place);
            };
            const Value* specs = v.find("index_specs");
            if (!specs) return;
            if (!specs->if_array() || !std::all_of(specs->if_array()->begin(), specs->if_array()->end(), is_spec))
              c.broken(v, "index_specs", "bad_index_specs", "lists of places of topic levels, from 1 on");
          })
          .build();
  return s;
}

const Struct& Retainer::schema() {
  using S = Retainer;
  static const Struct s =
      Schema<S>("retainer", Hot::Y)
          .doc("Retained messages.")
          .field("enable", &S::enable, {.def = "true", .doc = "Whether messages are retained and delivered."})
          .field("msg_expiry_interval", &S::msg_expiry_interval,
                 {.def = "0s",
                  .max = 4294967295000.0,
                  .doc = "Life of messages without an expiry of their own; 0 = for ever."})
          .field("msg_clear_interval", &S::msg_clear_interval,
                 {.def = "0s", .doc = "How often expired messages are removed; 0 = never."})
          .field("max_payload_size", &S::max_payload_size,
                 {.def = "1MB", .doc = "Larger payloads are not retained; 0 = no limit.", .size = true})
          .field("stop_publish_clear_msg", &S::stop_publish_clear_msg,
                 {.def = "false", .doc = "Whether the empty message that clears a topic is kept from subscribers."})
          .field("delivery_rate", &S::delivery_rate,
                 {.aliases = "deliver_rate", .doc = "Most retained messages sent to new subscribers per time."})
          .field("flow_control", &S::flow_control, {.doc = "Batches.", .hidden = true})
          .field("backend", &S::backend, {.doc = "Where messages are kept."})
          .finish([](Checker&, const Value&, S& r) {
            if (!r.delivery_rate || r.delivery_rate->infinite()) return;
            const auto batch = static_cast<std::uint32_t>(std::min<std::uint64_t>(r.delivery_rate->amount, 1000));
            if (r.flow_control.batch_read_number == 0) r.flow_control.batch_read_number = batch;
            if (r.flow_control.batch_deliver_number == 0) r.flow_control.batch_deliver_number = batch;
          })
          .build();
  return s;
}

const Struct& SessionPersistence::schema() {
  using S = SessionPersistence;
  static const Struct s =
      Schema<S>("session_persistence", Hot::B)
          .doc("Durable sessions.")
          .field("enable", &S::enable, {.def = "true", .doc = "Whether sessions survive the end of the process."})
          .field("durability", &S::durability,
                 {.def = "process",
                  .doc = "What an acknowledgement promises: relaxed (may lose the last moments), process (survives "
                         "kill -9), power "
                         "(survives a power cut).",
                  .since = "signalbox 0.1"})
          .accept<std::optional<Value>>("storage", {})
          .accept<std::uint32_t>("max_batch_size", {.def = "1000"})
          .accept<std::uint32_t>("min_batch_size", {.def = "100"})
          .accept<milliseconds>("idle_poll_interval", {.def = "100ms"})
          .accept<milliseconds>("last_alive_update_interval", {.def = "5000ms"})
          .accept<milliseconds>("session_gc_interval", {.def = "10m"})
          .accept<std::uint32_t>("session_gc_batch_size", {.def = "100"})
          .accept<bool>("force_persistence", {.def = "false"})
          .build();
  return s;
}

const Struct& SysTopics::Events::schema() {
  using S = Events;
  static const Struct s =
      Schema<S>("sys_event_messages", Hot::Y)
          .field("client_connected", &S::client_connected, {.def = "true", .doc = "Publish when a client connects."})
          .field("client_disconnected", &S::client_disconnected,
                 {.def = "true", .doc = "Publish when a client disconnects."})
          .field("client_subscribed", &S::client_subscribed,
                 {.def = "false", .doc = "Publish when a client subscribes."})
          .field("client_unsubscribed", &S::client_unsubscribed,
                 {.def = "false", .doc = "Publish when a client unsubscribes."})
          .build();
  return s;
}

const Struct& SysTopics::schema() {
  using S = SysTopics;
  static const Struct s =
      Schema<S>("sys_topics", Hot::Y)
          .doc("$SYS topics.")
          .field("sys_msg_interval", &S::sys_msg_interval,
                 {.def = "1m", .words = "disabled", .doc = "How often figures are published."})
          .field("sys_heartbeat_interval", &S::sys_heartbeat_interval,
                 {.def = "30s", .words = "disabled", .doc = "How often uptime and date are published."})
          .field("sys_event_messages", &S::sys_event_messages, {.doc = "Events of clients."})
          .build();
  return s;
}

bool Alarm::log() const {
  return std::find(actions.begin(), actions.end(), "log") != actions.end();
}
bool Alarm::publish() const {
  return std::find(actions.begin(), actions.end(), "publish") != actions.end();
}

const Struct& Alarm::schema() {
  using S = Alarm;
  static const Struct s =
      Schema<S>("alarm", Hot::Y)
          .doc("Alarms.")
          .field("actions", &S::actions, {.def = "[log, publish]", .doc = "What an alarm does: log, publish."})
          .field("size_limit", &S::size_limit, {.def = "1000", .min = 1, .max = 3000, .doc = "Past alarms kept."})
          .field("validity_period", &S::validity_period, {.def = "24h", .doc = "How long past alarms are kept."})
          .finish([](Checker& c, const Value& v, S& alarm) {
            for (const std::string& action : alarm.actions) {
              if (action != "log" && action != "publish")
                c.broken(v, "actions", "not_a_enum_symbol", "a list of log, publish");
            }
          })
          .build();
  return s;
}

const Struct& Sysmon::Vm::schema() {
  using S = Vm;
  static const Struct s =
      Schema<S>("vm", Hot::Y)
          .doc("The process: its tasks and queues.")
          .field("process_check_interval", &S::process_check_interval,
                 {.def = "30s", .doc = "How often connections are counted."})
          .field("process_high_watermark", &S::process_high_watermark,
                 {.def = "80%", .doc = "Alarm above this share of the files that the process may open."})
          .field("process_low_watermark", &S::process_low_watermark, {.def = "60%", .doc = "Alarm cleared below."})
          .field("long_gc", &S::long_gc, {.def = "disabled", .words = "disabled", .doc = "Accepted for EMQX's sake."})
          .field("long_schedule", &S::long_schedule,
                 {.def = "240ms", .words = "disabled", .doc = "Accepted for EMQX's sake: log a long turn."})
          .field("large_heap", &S::large_heap,
                 {.def = "32MB",
                  .words = "disabled",
                  .doc = "Accepted for EMQX's sake: log a large connection; force_shutdown bounds them.",
                  .size = true})
          .field("busy_port", &S::busy_port,
                 {.def = "true", .doc = "Accepted for EMQX's sake: conn_congestion tells of blocked sockets."})
          .field("busy_dist_port", &S::busy_dist_port,
                 {.def = "true", .doc = "Accepted for EMQX's sake: log blocked links."})
          .finish([](Checker& c, const Value& v, S& self) {
            if (self.process_high_watermark.value <= self.process_low_watermark.value) {
              c.broken(v, "process_high_watermark", "bad_watermark",
                       "process_high_watermark above process_low_watermark", {"process_low_watermark"});
            }
          })
          .build();
  return s;
}

const Struct& Sysmon::Os::schema() {
  using S = Os;
  static const Struct s =
      Schema<S>("os", Hot::Y)
          .doc("The machine.")
          .field("cpu_check_interval", &S::cpu_check_interval, {.def = "60s", .doc = "How often CPU load is read."})
          .field("cpu_high_watermark", &S::cpu_high_watermark, {.def = "80%", .doc = "Alarm above this load."})
          .field("cpu_low_watermark", &S::cpu_low_watermark, {.def = "60%", .doc = "Alarm cleared below."})
          .field("mem_check_interval", &S::mem_check_interval,
                 {.def = "60s", .words = "disabled", .doc = "How often memory is read."})
          .field("sysmem_high_watermark", &S::sysmem_high_watermark,
                 {.def = "70%", .doc = "Alarm above this share of the machine's memory."})
          .field("procmem_high_watermark", &S::procmem_high_watermark,
                 {.def = "5%", .doc = "Alarm while the process has more than this share of the machine's memory."})
          .finish([](Checker& c, const Value& v, S& self) {
            if (self.cpu_high_watermark.value <= self.cpu_low_watermark.value) {
              c.broken(v, "cpu_high_watermark", "bad_watermark", "cpu_high_watermark above cpu_low_watermark",
                       {"cpu_low_watermark"});
            }
          })
          .build();
  return s;
}

const Struct& Sysmon::schema() {
  static const Struct s = Schema<Sysmon>("sysmon", Hot::Y)
                              .doc("Watching the process and the machine.")
                              .field("vm", &Sysmon::vm, {.doc = "The process."})
                              .field("os", &Sysmon::os, {.doc = "The machine."})
                              .accept<std::optional<Value>>("top", {})
                              .build();
  return s;
}

const Struct& CrlCache::schema() {
  using S = CrlCache;
  static const Struct s =
      Schema<S>("crl_cache", Hot::Y)
          .doc("Cache of certificate revocation lists.")
          .field("refresh_interval", &S::refresh_interval,
                 {.def = "15m", .min = 60000, .doc = "How often a list is fetched again."})
          .field("http_timeout", &S::http_timeout, {.def = "15s", .doc = "Limit of one fetch."})
          .field("capacity", &S::capacity, {.def = "100", .min = 1, .doc = "URLs kept; the oldest gives way."})
          .build();
  return s;
}

const Struct& Limiter::schema() {
  using S = Limiter;
  static const Struct s =
      Schema<S>("limiter", Hot::Y)
          .doc("Limits of the whole node.")
          .field("max_conn_rate", &S::max_conn_rate, {.doc = "New connections."})
          .field("messages_rate", &S::messages_rate, {.doc = "Messages in."})
          .field("bytes_rate", &S::bytes_rate, {.doc = "Bytes in."})
          .field("bytes", &S::bytes, {.aliases = "bytes_in", .doc = "Long form.", .hidden = true})
          .field("messages", &S::messages, {.aliases = "message_in", .doc = "Long form.", .hidden = true})
          .field("connection", &S::connection, {.doc = "Long form.", .hidden = true})
          .field("message_routing", &S::message_routing,
                 {.doc = "Publishes and their receivers; what exceeds it is refused.", .hidden = true})
          .accept<std::optional<Bucket>>("internal", {})
          .accept<std::optional<Value>>("client", {.deprecated = true})
          .finish([](Checker&, const Value&, S& l) {
            // A short key stands for the rate of the long form.
            const auto fold = [](const std::optional<Rate>& rate, std::optional<Bucket>& bucket) {
              if (!rate) return;
              if (!bucket) bucket.emplace();
              bucket->rate = *rate;
            };
            fold(l.max_conn_rate, l.connection);
            fold(l.messages_rate, l.messages);
            fold(l.bytes_rate, l.bytes);
          })
          .build();
  return s;
}

}  // namespace sb::config
