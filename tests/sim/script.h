// What happens in one run: a list of steps, made from a seed without looking at the broker. A step that makes no sense
// when its turn comes (publish while not connected) is left out, so any part of a list is a list: failing ones shrink.
#pragma once

#include "base/mqtt_types.h"
#include "broker/shared_group.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sb::sim {

enum class Act : std::uint8_t {
  Connect,     // also a take-over
  Disconnect,  // with a word, and perhaps another expiry
  Lose,        // the socket goes
  Subscribe,
  Unsubscribe,
  Publish,
  Acknowledge,  // what was received and is not acknowledged yet
  Release,      // PUBREL for QoS 2 that was published
  Advance,
};

struct Wish {
  std::string filter;
  SubscribeOptions options;
};

struct WillPlan {
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::uint32_t delay_s = 0;
};

struct Step {
  Act act = Act::Advance;
  unsigned client = 0;
  /// False: the next step follows before the broker has done this one.
  bool settle = true;

  // Connect
  ProtocolVersion version = ProtocolVersion::V5;
  bool clean = true;
  std::uint32_t expiry_s = 0;
  std::uint16_t receive_maximum = 65535;
  std::uint16_t alias_maximum = 0;
  std::uint32_t packet_maximum = 0;
  bool auto_acknowledge = true;
  unsigned shard = 0;
  std::optional<WillPlan> will{};

  // Disconnect
  ReasonCode reason = ReasonCode::Success;
  std::optional<std::uint32_t> new_expiry_s{};

  // Subscribe, Unsubscribe
  std::vector<Wish> wishes{};

  // Publish
  std::string topic{};
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  bool empty = false;
  bool large = false;
  bool again = false;  // the id of an exchange that is not released, DUP as `dup` says
  bool dup = false;
  std::uint32_t message_expiry_s = kNeverExpires;

  // Acknowledge, Release
  unsigned count = 1;
  bool backwards = false;
  bool refuse = false;  // PUBREC with an error

  // Advance
  unsigned seconds = 0;
};

/// What a run is made of.
struct Profile {
  const char* name = "";
  unsigned shards = 1;
  bool durable = false;
  bool shared = false;  // $share and $queue
  /// None that draws lots: a run must come out the same each time.
  broker::SharedStrategy strategy = broker::SharedStrategy::RoundRobinPerGroup;
  std::uint32_t queue = 0;  // max_mqueue_len, 0 = unbounded
  bool store_qos0 = true;
  bool bursts = false;  // several steps before the broker turns
  bool packet_maximum = false;
  unsigned clients = 5;
  unsigned steps = 600;
};

std::vector<Step> make_script(std::uint64_t seed, const Profile& profile);
std::string to_string(const Step& step);
std::string client_name(unsigned client);
std::string will_topic(unsigned client);

}  // namespace sb::sim
