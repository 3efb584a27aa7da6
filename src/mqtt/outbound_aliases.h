// Topic aliases that the server gives out on one connection (broker.md 6.6): the first messages of a topic get one
// until the client's maximum is reached, or the topics take too much memory; none is taken back.
#pragma once

#include "base/hash.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sb::mqtt {

class OutboundAliases {
 public:
  /// All topics of a connection together. One that has no room goes in full, a shorter one may still get an alias.
  static constexpr std::size_t kBytesMax = 1U << 20;

  struct Use {
    std::uint16_t alias = 0;  // 0 = none
    bool known = false;       // the client has it: the topic may be left out
  };
  Use use(std::string_view topic, std::uint16_t maximum) {
    if (const auto found = by_topic_.find(topic); found != by_topic_.end()) return {found->second, true};
    if (by_topic_.size() >= maximum || bytes_ + topic.size() > kBytesMax) return {};
    const auto alias = static_cast<std::uint16_t>(by_topic_.size() + 1);
    by_topic_.emplace(topic, alias);
    bytes_ += topic.size();
    return {alias, false};
  }
  /// The newest one was not sent.
  void take_back(std::string_view topic) {
    by_topic_.erase(by_topic_.find(topic));
    bytes_ -= topic.size();
  }

 private:
  boost::unordered_flat_map<std::string, std::uint16_t, TextHash, TextEqual> by_topic_;
  std::size_t bytes_ = 0;
};

}  // namespace sb::mqtt
