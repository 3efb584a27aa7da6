// Counters of the node by EMQX's names (broker.md 14.1). One cell a counter and shard, written by that shard alone with
// plain loads and stores, summed by whoever asks.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace sb::broker {

// name of the enumerator, name of the counter
#define SB_METRICS(X)                                                           \
  X(BytesReceived, "bytes.received")                                            \
  X(BytesSent, "bytes.sent")                                                    \
  X(PacketsReceived, "packets.received")                                        \
  X(PacketsSent, "packets.sent")                                                \
  X(PacketsConnectReceived, "packets.connect.received")                         \
  X(PacketsConnackSent, "packets.connack.sent")                                 \
  X(PacketsConnackError, "packets.connack.error")                               \
  X(PacketsConnackAuthError, "packets.connack.auth_error")                      \
  X(PacketsPublishReceived, "packets.publish.received")                         \
  X(PacketsPublishSent, "packets.publish.sent")                                 \
  X(PacketsPublishInuse, "packets.publish.inuse")                               \
  X(PacketsPublishError, "packets.publish.error")                               \
  X(PacketsPublishAuthError, "packets.publish.auth_error")                      \
  X(PacketsPublishDropped, "packets.publish.dropped")                           \
  X(PacketsPubackReceived, "packets.puback.received")                           \
  X(PacketsPubackSent, "packets.puback.sent")                                   \
  X(PacketsPubackInuse, "packets.puback.inuse")                                 \
  X(PacketsPubackMissed, "packets.puback.missed")                               \
  X(PacketsPubrecReceived, "packets.pubrec.received")                           \
  X(PacketsPubrecSent, "packets.pubrec.sent")                                   \
  X(PacketsPubrecInuse, "packets.pubrec.inuse")                                 \
  X(PacketsPubrecMissed, "packets.pubrec.missed")                               \
  X(PacketsPubrelReceived, "packets.pubrel.received")                           \
  X(PacketsPubrelSent, "packets.pubrel.sent")                                   \
  X(PacketsPubrelMissed, "packets.pubrel.missed")                               \
  X(PacketsPubcompReceived, "packets.pubcomp.received")                         \
  X(PacketsPubcompSent, "packets.pubcomp.sent")                                 \
  X(PacketsPubcompInuse, "packets.pubcomp.inuse")                               \
  X(PacketsPubcompMissed, "packets.pubcomp.missed")                             \
  X(PacketsSubscribeReceived, "packets.subscribe.received")                     \
  X(PacketsSubscribeError, "packets.subscribe.error")                           \
  X(PacketsSubscribeAuthError, "packets.subscribe.auth_error")                  \
  X(PacketsSubackSent, "packets.suback.sent")                                   \
  X(PacketsUnsubscribeReceived, "packets.unsubscribe.received")                 \
  X(PacketsUnsubscribeError, "packets.unsubscribe.error")                       \
  X(PacketsUnsubackSent, "packets.unsuback.sent")                               \
  X(PacketsPingreqReceived, "packets.pingreq.received")                         \
  X(PacketsPingrespSent, "packets.pingresp.sent")                               \
  X(PacketsDisconnectReceived, "packets.disconnect.received")                   \
  X(PacketsDisconnectSent, "packets.disconnect.sent")                           \
  X(PacketsAuthReceived, "packets.auth.received")                               \
  X(PacketsAuthSent, "packets.auth.sent")                                       \
  X(MessagesReceived, "messages.received")                                      \
  X(MessagesQos0Received, "messages.qos0.received")                             \
  X(MessagesQos1Received, "messages.qos1.received")                             \
  X(MessagesQos2Received, "messages.qos2.received")                             \
  X(MessagesSent, "messages.sent")                                              \
  X(MessagesQos0Sent, "messages.qos0.sent")                                     \
  X(MessagesQos1Sent, "messages.qos1.sent")                                     \
  X(MessagesQos2Sent, "messages.qos2.sent")                                     \
  X(MessagesPublish, "messages.publish")                                        \
  X(MessagesDropped, "messages.dropped")                                        \
  X(MessagesDroppedNoSubscribers, "messages.dropped.no_subscribers")            \
  X(MessagesDroppedAwaitPubrelTimeout, "messages.dropped.await_pubrel_timeout") \
  X(MessagesForward, "messages.forward")                                        \
  X(MessagesDelayed, "messages.delayed")                                        \
  X(MessagesDelivered, "messages.delivered")                                    \
  X(MessagesAcked, "messages.acked")                                            \
  X(DeliveryDropped, "delivery.dropped")                                        \
  X(DeliveryDroppedNoLocal, "delivery.dropped.no_local")                        \
  X(DeliveryDroppedTooLarge, "delivery.dropped.too_large")                      \
  X(DeliveryDroppedQos0Msg, "delivery.dropped.qos0_msg")                        \
  X(DeliveryDroppedQueueFull, "delivery.dropped.queue_full")                    \
  X(DeliveryDroppedExpired, "delivery.dropped.expired")                         \
  X(ClientConnect, "client.connect")                                            \
  X(ClientConnack, "client.connack")                                            \
  X(ClientConnected, "client.connected")                                        \
  X(ClientAuthenticate, "client.authenticate")                                  \
  X(ClientAuthAnonymous, "client.auth.anonymous")                               \
  X(ClientAuthorize, "client.authorize")                                        \
  X(ClientSubscribe, "client.subscribe")                                        \
  X(ClientUnsubscribe, "client.unsubscribe")                                    \
  X(ClientDisconnected, "client.disconnected")                                  \
  X(SessionCreated, "session.created")                                          \
  X(SessionResumed, "session.resumed")                                          \
  X(SessionTakenover, "session.takenover")                                      \
  X(SessionDiscarded, "session.discarded")                                      \
  X(SessionTerminated, "session.terminated")                                    \
  X(AuthorizationAllow, "authorization.allow")                                  \
  X(AuthorizationDeny, "authorization.deny")                                    \
  X(AuthorizationCacheHit, "authorization.cache_hit")                           \
  X(AuthorizationSuperuser, "authorization.superuser")                          \
  X(AuthorizationNomatch, "authorization.nomatch")                              \
  X(AuthorizationMatchedAllow, "authorization.matched.allow")                   \
  X(AuthorizationMatchedDeny, "authorization.matched.deny")                     \
  X(AuthenticationSuccess, "authentication.success")                            \
  X(AuthenticationSuccessAnonymous, "authentication.success.anonymous")         \
  X(AuthenticationFailure, "authentication.failure")                            \
  X(AuthenticationLimited, "authentication.failure.limited")                    \
  X(LicenseRefused, "client.license_refused")                                   \
  X(OverloadDelayOk, "overload_protection.delay.ok")                            \
  X(OverloadDelayTimeout, "overload_protection.delay.timeout")                  \
  X(OverloadHibernation, "overload_protection.hibernation")                     \
  X(OverloadGc, "overload_protection.gc")                                       \
  X(OverloadNewConn, "overload_protection.new_conn")

enum class Metric : std::uint16_t {
#define SB_METRIC_ENUM(id, name) id,
  SB_METRICS(SB_METRIC_ENUM)
#undef SB_METRIC_ENUM
      Count
};
constexpr std::size_t kMetricCount = static_cast<std::size_t>(Metric::Count);

std::string_view to_string(Metric metric);

class MetricCells {
 public:
  void add(Metric metric, std::uint64_t n = 1) {
    auto& cell = cells_[static_cast<std::size_t>(metric)];
    cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t get(Metric metric) const {
    return cells_[static_cast<std::size_t>(metric)].load(std::memory_order_relaxed);
  }

 private:
  alignas(64) std::array<std::atomic<std::uint64_t>, kMetricCount> cells_{};
};

}  // namespace sb::broker
