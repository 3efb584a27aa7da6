#include "app/settings.h"

#include <thread>

namespace sb::app {

namespace {

std::uint32_t or_zero(std::uint32_t value) {
  return value == config::kInfinity32 ? 0 : value;
}
std::uint64_t or_zero(std::uint64_t value) {
  return value == config::kInfinity ? 0 : value;
}
Millis or_zero(Millis value) {
  return value == config::kForever ? Millis{0} : value;
}

client::CertificateField field_of(config::PeerCertAs as) {
  switch (as) {
    case config::PeerCertAs::Disabled:
      return client::CertificateField::Disabled;
    case config::PeerCertAs::Cn:
      return client::CertificateField::CommonName;
    case config::PeerCertAs::Dn:
      return client::CertificateField::Dn;
    case config::PeerCertAs::Crt:
      return client::CertificateField::Der;
    case config::PeerCertAs::Pem:
      return client::CertificateField::Pem;
    case config::PeerCertAs::Md5:
      return client::CertificateField::Md5;
  }
  return client::CertificateField::Disabled;
}

broker::SharedStrategy strategy_of(config::SharedStrategy strategy) {
  switch (strategy) {
    case config::SharedStrategy::Random:
      return broker::SharedStrategy::Random;
    case config::SharedStrategy::RoundRobin:
      return broker::SharedStrategy::RoundRobin;
    case config::SharedStrategy::RoundRobinPerGroup:
      return broker::SharedStrategy::RoundRobinPerGroup;
    case config::SharedStrategy::Sticky:
      return broker::SharedStrategy::Sticky;
    case config::SharedStrategy::Local:
      return broker::SharedStrategy::Local;
    case config::SharedStrategy::HashTopic:
      return broker::SharedStrategy::HashTopic;
    case config::SharedStrategy::HashClientid:
      return broker::SharedStrategy::HashClientId;
  }
  return broker::SharedStrategy::RoundRobin;
}

broker::SessionSettingsRef session_settings(const std::string& zone, const config::Mqtt& mqtt) {
  auto out = std::make_shared<broker::SessionSettings>();
  out->zone = zone;
  out->queue.messages = or_zero(mqtt.max_mqueue_len);
  out->queue.bytes = or_zero(mqtt.max_mqueue_bytes);
  out->queue.store_qos0 = mqtt.mqueue_store_qos0;
  out->queue.unlisted_highest = mqtt.mqueue_default_priority == config::QueueDefaultPriority::Highest;
  if (!mqtt.mqueue_priorities.empty()) {
    auto priorities = std::make_shared<broker::QueuePriorities>();
    for (const auto& [topic, priority] : mqtt.mqueue_priorities) priorities->emplace(topic, priority);
    out->queue.priorities = std::move(priorities);
  }
  out->window = mqtt.max_inflight;
  out->max_qos = static_cast<Qos>(mqtt.max_qos_allowed);
  out->max_subscriptions = or_zero(mqtt.max_subscriptions);
  out->max_awaiting_rel = or_zero(mqtt.max_awaiting_rel);
  out->await_rel_timeout = or_zero(mqtt.await_rel_timeout);
  out->retry_interval = or_zero(mqtt.retry_interval);
  out->upgrade_qos = mqtt.upgrade_qos;
  return out;
}

client::ZoneRef zone_of(const std::string& name, const config::Zone& zone) {
  const config::Mqtt& mqtt = zone.mqtt;
  auto out = std::make_shared<client::ZoneSettings>();
  out->name = name;
  out->idle_timeout = or_zero(mqtt.idle_timeout);
  out->max_packet_size = mqtt.max_packet_size;
  out->max_clientid_len = mqtt.max_clientid_len;
  out->max_topic_levels = mqtt.max_topic_levels;
  out->max_topic_alias = mqtt.max_topic_alias;
  out->max_qos = static_cast<Qos>(mqtt.max_qos_allowed);
  out->retain_available = mqtt.retain_available;
  out->wildcard_subscription = mqtt.wildcard_subscription;
  out->shared_subscription = mqtt.shared_subscription;
  out->exclusive_subscription = mqtt.exclusive_subscription;
  out->ignore_loop_deliver = mqtt.ignore_loop_deliver;
  out->strict_mode = mqtt.strict_mode;
  out->use_username_as_clientid = mqtt.use_username_as_clientid;
  out->cert_as_username = field_of(mqtt.peer_cert_as_username);
  out->cert_as_clientid = field_of(mqtt.peer_cert_as_clientid);
  out->response_information = mqtt.response_information;
  out->server_keepalive_s = mqtt.server_keepalive;
  out->keepalive_multiplier = mqtt.keepalive_multiplier;
  const auto expiry_s = std::chrono::ceil<std::chrono::seconds>(mqtt.session_expiry_interval).count();
  out->session_expiry_s = mqtt.session_expiry_interval == config::kForever || expiry_s >= kNeverExpires
                              ? kNeverExpires
                              : static_cast<std::uint32_t>(expiry_s);
  out->max_inflight = mqtt.max_inflight;
  out->force_shutdown_bytes = zone.force_shutdown.enable ? zone.force_shutdown.max_heap_size : 0;
  out->congestion_alarm = zone.conn_congestion.enable_alarm;
  out->congestion_sustain = zone.conn_congestion.min_alarm_sustain_duration;
  out->overload_closes_new = zone.overload_protection.enable && zone.overload_protection.backoff_new_conn;
  if (zone.overload_protection.enable) out->overload_delay = Millis{zone.overload_protection.backoff_delay};
  out->max_unanswered = zone.force_shutdown.enable ? zone.force_shutdown.max_mailbox_size : 0;
  out->session = session_settings(name, mqtt);
  return out;
}

}  // namespace

std::map<std::string, client::ZoneRef> zone_settings(const config::Config& config) {
  std::map<std::string, client::ZoneRef> out;
  for (const auto& [name, zone] : config.zones) out.emplace(name, zone_of(name, zone));
  if (!out.contains("default")) out.emplace("default", zone_of("default", config.zone("default")));
  return out;
}

broker::CoreSettingsRef core_settings(const config::Config& config) {
  auto out = std::make_shared<broker::CoreSettings>();
  out->shared_strategy = strategy_of(config.mqtt.shared_subscription_strategy);
  for (const auto& [name, group] : config.broker.shared_subscription_group)
    out->group_strategies.emplace(name, strategy_of(group.strategy));
  const config::Retainer& retainer = config.retainer;
  out->retained.enable = retainer.enable;
  out->retained.max_messages = retainer.backend.max_retained_messages;
  out->retained.max_payload = retainer.max_payload_size;
  out->retained.stop_publish_clear = retainer.stop_publish_clear_msg;
  const auto expiry = std::chrono::ceil<std::chrono::seconds>(retainer.msg_expiry_interval).count();
  out->retained.default_expiry_s = static_cast<std::uint32_t>(std::min<std::int64_t>(expiry, kNeverExpires - 1));
  out->retained.clear_interval = retainer.msg_clear_interval;
  out->retained.batch_read = retainer.flow_control.batch_read_number;
  out->retained.batch_deliver = retainer.flow_control.batch_deliver_number;
  // Where both are set the lower one holds.
  if (retainer.delivery_rate) out->retained.replay_per_second = retainer.delivery_rate->per_second();
  if (const auto& bucket = retainer.flow_control.batch_deliver_limiter; bucket && !bucket->rate.infinite()) {
    double& rate = out->retained.replay_per_second;
    rate = rate > 0 ? std::min(rate, bucket->rate.per_second()) : bucket->rate.per_second();
    out->retained.replay_burst = static_cast<double>(bucket->burst);
  }
  return out;
}

Result<NodeOptions> node_options(const config::Config& config, ListenerResources& resources) {
  NodeOptions out;
  static_assert(config::kShardsMax == broker::kShardsMax, "what may be written down is possible");
  const unsigned hardware = std::clamp(std::thread::hardware_concurrency(), 1U, broker::kShardsMax);
  out.shards = config.node.shards == 0 ? hardware : config.node.shards;
  out.coalesce = config.node.coalesce;
  out.router.schema =
      config.broker.routing.storage_schema == config::RouteSchema::V1 ? broker::Schema::V1 : broker::Schema::V2;
  out.core = core_settings(config);
  const auto zones = zone_settings(config);
  for (const auto& [name, zone] : zones) out.sessions.insert_or_assign(name, zone->session);
  SB_CHECKED(import_psk(config, resources));
  out.psk = resources.psk;
  out.psk_chunk_size = config.psk_authentication.chunk_size;
  SB_TRY(out.listeners, listener_options(config, zones, resources));
  out.limits = node_limits(config);
  out.data_dir = config.node.data_dir;
  out.name = config.node.name;
  out.durable_sessions = config.session_persistence.enable;
  out.durable_retained = config.retainer.backend.storage_type == config::StorageType::Disc;
  switch (config.session_persistence.durability) {
    case config::Durability::Relaxed:
      out.durability = store::Durability::Relaxed;
      break;
    case config::Durability::Process:
      out.durability = store::Durability::Process;
      break;
    case config::Durability::Power:
      out.durability = store::Durability::Power;
      break;
  }
  return out;
}

}  // namespace sb::app
