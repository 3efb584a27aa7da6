// A SUBSCRIBE whose filters wait for verdicts. It is gone through once, however many of them come late: with each it
// goes on where it stopped.
#pragma once

#include "mqtt/channel.h"

#include <string>
#include <vector>

namespace sb::mqtt {

struct Channel::Asking {
  struct One {
    std::string filter;
    SubscribeOptions options;
    ReasonCode code = ReasonCode::Success;
  };
  explicit Asking(const codec::mqtt::SubscribeView& view) : packet(view) { all.reserve(packet.count); }
  codec::mqtt::SubscribeView packet;
  std::size_t asked = 0;  // bytes of filters
  std::vector<One> all;
  bool any_denied = false;
};

}  // namespace sb::mqtt
