#include "config/roots/mqtt.h"

namespace sb::config {
namespace {

/// `keepalive_backoff` is the old form: the multiplier is twice it, unless the multiplier itself was set.
void apply_backoff(Checker& c, Value& value) {
  const Value* backoff = value.find("keepalive_backoff");
  if (!backoff || value.find("keepalive_multiplier") || !c.defaults()) return;
  const double* d = backoff->if_double();
  const std::int64_t* i = backoff->if_int();
  const double half = d ? *d : (i ? static_cast<double>(*i) : 0);
  if (half * 2 < 1 || half * 2 == 1.5) return;
  Value doubled(half * 2);
  doubled.at = backoff->at;
  value.if_object()->emplace("keepalive_multiplier", std::move(doubled));
}

}  // namespace

const Struct& Mqtt::schema() {
  static const Struct s =
      Schema<Mqtt>("mqtt", Hot::C)
          .doc("Options of the MQTT protocol. Each can be overridden for a zone in zones.<name>.mqtt.")
          .field("idle_timeout", &Mqtt::idle_timeout,
                 {.def = "15s",
                  .words = "infinity",
                  .doc = "A connection that sends no CONNECT within this time is closed; an idle one gives its memory "
                         "back after it."})
          .field("max_packet_size", &Mqtt::max_packet_size,
                 {.def = "1MB",
                  .min = 1,
                  .max = 268435456,
                  .doc = "Largest packet accepted; told to MQTT 5 clients.",
                  .size = true})
          .field("max_clientid_len", &Mqtt::max_clientid_len,
                 {.def = "65535", .min = 23, .max = 65535, .doc = "Longest client id accepted."})
          .field("max_topic_levels", &Mqtt::max_topic_levels,
                 {.def = "128", .min = 1, .max = 65535, .hot = Hot::Y, .doc = "Most levels of a topic or filter."})
          .field("max_topic_alias", &Mqtt::max_topic_alias,
                 {.def = "65535", .min = 0, .max = 65535, .doc = "Topic Alias Maximum of the server; 0 = no aliases."})
          .field("retain_available", &Mqtt::retain_available,
                 {.def = "true", .hot = Hot::Y, .doc = "Whether retained messages may be published."})
          .field("wildcard_subscription", &Mqtt::wildcard_subscription,
                 {.def = "true", .hot = Hot::Y, .doc = "Whether filters may hold + and #."})
          .field("shared_subscription", &Mqtt::shared_subscription,
                 {.def = "true", .hot = Hot::Y, .doc = "Whether $share and $queue are offered."})
          .field("shared_subscription_strategy", &Mqtt::shared_subscription_strategy,
                 {.def = "round_robin",
                  .hot = Hot::Y,
                  .doc = "Who of a shared group receives a message. The global value decides."})
          .field("exclusive_subscription", &Mqtt::exclusive_subscription,
                 {.def = "false", .hot = Hot::Y, .doc = "Whether $exclusive/ is offered."})
          .field("ignore_loop_deliver", &Mqtt::ignore_loop_deliver,
                 {.def = "false", .doc = "No Local for clients older than MQTT 5: they do not get their own messages."})
          .field("strict_mode", &Mqtt::strict_mode,
                 {.def = "false", .doc = "Refuse what the specification forbids even where EMQX is lenient."})
          .field("response_information", &Mqtt::response_information,
                 {.def = "\"\"",
                  .max = 65535,
                  .doc = "Response Information of CONNACK for clients that ask; empty = none."})
          .field("server_keepalive", &Mqtt::server_keepalive,
                 {.def = "disabled",
                  .min = 1,
                  .max = 65535,
                  .words = "disabled",
                  .doc = "Keep Alive in seconds imposed on MQTT 5 clients."})
          .field("keepalive_multiplier", &Mqtt::keepalive_multiplier,
                 {.def = "1.5",
                  .min = 1,
                  .max = 65535,
                  .doc = "A silent client is closed after this many keep-alive intervals."})
          .accept<double>("keepalive_backoff",
                          {.def = "0.75", .min = 0.5, .doc = "Old form: half the multiplier.", .deprecated = true})
          .field("retry_interval", &Mqtt::retry_interval,
                 {.def = "infinity",
                  .words = "infinity",
                  .doc = "Unacknowledged QoS 1 and 2 messages are sent again after this time. The specification wants "
                         "`infinity`: "
                         "only on reconnect."})
          .field("use_username_as_clientid", &Mqtt::use_username_as_clientid,
                 {.def = "false", .doc = "The user name replaces the client id."})
          .field("peer_cert_as_username", &Mqtt::peer_cert_as_username,
                 {.def = "disabled", .doc = "Which part of the client certificate is the user name."})
          .field("peer_cert_as_clientid", &Mqtt::peer_cert_as_clientid,
                 {.def = "disabled", .doc = "Which part of the client certificate is the client id."})
          .field("session_expiry_interval", &Mqtt::session_expiry_interval,
                 {.def = "2h",
                  .max = 4294967295000.0,
                  .doc = "How long sessions of MQTT 3 clients with clean session 0 outlive their connection."})
          .field("max_awaiting_rel", &Mqtt::max_awaiting_rel,
                 {.def = "100",
                  .min = 0,
                  .max = 4294967294.0,
                  .words = "infinity",
                  .doc = "QoS 2 messages of one client that wait for PUBREL; also the Receive Maximum told to it."})
          .field("await_rel_timeout", &Mqtt::await_rel_timeout,
                 {.def = "300s", .doc = "How long an inbound QoS 2 message waits for PUBREL."})
          .field("max_qos_allowed", &Mqtt::max_qos_allowed,
                 {.def = "2", .min = 0, .max = 2, .hot = Hot::Y, .doc = "Maximum QoS of publishes."})
          .field("mqueue_priorities", &Mqtt::mqueue_priorities,
                 {.def = "disabled",
                  .min = 1,
                  .max = 255,
                  .words = "disabled",
                  .doc = "Queue priority by exact topic, 1 to 255."})
          .field("mqueue_default_priority", &Mqtt::mqueue_default_priority,
                 {.def = "lowest", .doc = "Priority of topics that are not in the map."})
          .field("mqueue_store_qos0", &Mqtt::mqueue_store_qos0,
                 {.def = "true", .doc = "Whether QoS 0 messages wait for offline sessions."})
          .field("max_mqueue_len", &Mqtt::max_mqueue_len,
                 {.def = "1000",
                  .min = 0,
                  .max = 4294967294.0,
                  .words = "infinity",
                  .doc = "Longest queue of one session and priority; 0 = no limit."})
          .field("max_mqueue_bytes", &Mqtt::max_mqueue_bytes,
                 {.def = "8MB",
                  .words = "infinity",
                  .doc = "Largest queue of one session in bytes; 0 = no limit.",
                  .since = "signalbox 0.1",
                  .size = true})
          .field("max_inflight", &Mqtt::max_inflight,
                 {.def = "32",
                  .min = 1,
                  .max = 65535,
                  .doc = "QoS 1 and 2 messages on the way to one client; its Receive Maximum may lower it."})
          .field("max_subscriptions", &Mqtt::max_subscriptions,
                 {.def = "infinity",
                  .min = 1,
                  .max = 4294967294.0,
                  .words = "infinity",
                  .doc = "Most subscriptions of one session."})
          .field("upgrade_qos", &Mqtt::upgrade_qos,
                 {.def = "false", .doc = "Deliver at the higher QoS of publish and subscription, not the lower."})
          .prepare(apply_backoff)
          .build();
  return s;
}

}  // namespace sb::config
