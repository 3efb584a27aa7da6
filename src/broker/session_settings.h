// What a session takes from the configuration when it is created or resumed (config.md 6.1).
#pragma once

#include "base/clock.h"
#include "base/hash.h"
#include "base/mqtt_types.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace sb::broker {

/// mqtt.mqueue_priorities: exact topic -> 1..255.
using QueuePriorities = boost::unordered_flat_map<std::string, std::uint8_t, TextHash, TextEqual>;

struct QueueLimits {
  std::uint32_t messages = 1000;     // per priority level, 0 = unbounded
  std::uint64_t bytes = 8ULL << 20;  // whole queue, 0 = unbounded
  bool store_qos0 = true;
  bool unlisted_highest = false;                      // mqueue_default_priority
  std::shared_ptr<const QueuePriorities> priorities;  // null = one level
};

struct SessionSettings {
  std::string zone;  // whose these are; stored with a session, which gets them again after a restart
  QueueLimits queue;
  std::uint16_t window = 32;             // max_inflight; the client's Receive Maximum lowers it
  Qos max_qos = Qos::ExactlyOnce;        // max_qos_allowed: no subscription is granted more
  std::uint32_t max_subscriptions = 0;   // 0 = unbounded
  std::uint32_t max_awaiting_rel = 100;  // 0 = unbounded
  Millis await_rel_timeout{300'000};
  Millis retry_interval{0};  // 0 = never on a live connection
  bool upgrade_qos = false;

  /// Of a message on its way to a subscriber (6.1).
  Qos qos_of_delivery(Qos published, Qos granted) const {
    if (upgrade_qos) [[unlikely]]
      return max(granted, min(published, max_qos));
    return min(published, granted);
  }
};

/// Shared by all sessions of a zone until the configuration changes.
using SessionSettingsRef = std::shared_ptr<const SessionSettings>;

}  // namespace sb::broker
