// A message that management publishes for somebody, and its forwardable properties in the form of the wire.
#pragma once

#include "base/mqtt_types.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sb::management {

struct PublishRequest {
  std::string topic;
  std::string payload;
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::optional<std::uint8_t> payload_format;
  std::optional<std::uint32_t> expiry_s;
  std::string content_type, response_topic, correlation_data;  // "" = none
  std::vector<std::pair<std::string, std::string>> user_properties;
};

/// 3.3.2.3, without Message Expiry Interval, which travels apart.
std::string encode_properties(const PublishRequest& message);

/// Bytes of the PUBLISH that carries it at most.
std::size_t packet_size(const PublishRequest& message);

}  // namespace sb::management
