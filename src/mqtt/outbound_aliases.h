// Topic aliases that the server gives out on one connection (broker.md 6.6): the first messages of a topic get one
// until the client's maximum is reached; none is taken back.
#pragma once

#include "base/hash.h"
#include "mqtt/channel.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <string>

namespace sb::mqtt {

struct Channel::OutboundAliases {
  boost::unordered_flat_map<std::string, std::uint16_t, TextHash, TextEqual> by_topic;

  struct Use {
    std::uint16_t alias = 0;  // 0 = none
    bool known = false;       // the client has it: the topic may be left out
  };
  Use use(std::string_view topic, std::uint16_t maximum) {
    if (const auto found = by_topic.find(topic); found != by_topic.end()) return {found->second, true};
    if (by_topic.size() >= maximum) return {};
    const auto alias = static_cast<std::uint16_t>(by_topic.size() + 1);
    by_topic.emplace(topic, alias);
    return {alias, false};
  }
  /// The newest one was not sent.
  void take_back(std::string_view topic) { by_topic.erase(by_topic.find(topic)); }
};

}  // namespace sb::mqtt
