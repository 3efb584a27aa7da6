// What management shows of the things on the shards: plain values, copied there and carried to the management thread.
#pragma once

#include "base/mqtt_types.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sb::management {

struct ClientView {
  std::string client_id;
  std::string username;  // empty = none
  bool connected = false;
  std::string peer_host;
  std::uint16_t peer_port = 0;
  std::uint16_t local_port = 0;
  std::string listener;
  std::string protocol_name;
  int protocol_version = 0;
  std::uint32_t keep_alive_s = 0;
  bool clean_start = false;
  std::uint32_t expiry_s = 0;
  std::string mountpoint;
  std::int64_t created_ms = 0;
  std::int64_t connected_ms = 0;     // 0: not since the node started
  std::int64_t disconnected_ms = 0;  // while disconnected

  std::size_t subscriptions = 0, subscriptions_max = 0;  // a maximum of 0 is infinity
  std::size_t inflight = 0, inflight_max = 0;
  std::size_t queue = 0, queue_max = 0, queue_bytes = 0;
  std::size_t awaiting_rel = 0, awaiting_rel_max = 0;
  std::uint64_t delivered = 0, enqueued = 0, dropped = 0;
  std::uint64_t dropped_queue_full = 0, dropped_too_large = 0, dropped_expired = 0;
  std::uint64_t received_bytes = 0, received_packets = 0, received_messages[3] = {};
  std::uint64_t received_dropped = 0, received_timed_out = 0;  // the first has the second in it
  std::uint64_t sent_bytes = 0, sent_packets = 0, sent_messages[3] = {};
};

struct SubscriptionView {
  std::string client_id;
  std::string topic;  // the full text, group included
  SubscribeOptions options;
};

struct CachedVerdict {
  std::string access;  // "publish", "subscribe"
  std::string topic;
  bool allowed = false;
  std::int64_t since_ms = 0;
};

struct RetainedView {
  std::string topic;
  Qos qos = Qos::AtMostOnce;
  std::int64_t publish_at_ms = 0;
  std::string client_id;
  std::string username;
  std::string payload;
};

/// One page of a list.
template <class Row>
struct Page {
  std::vector<Row> rows;
  std::optional<std::size_t> count;  // unset: the rest was not looked at
  bool has_next = false;
};

}  // namespace sb::management
