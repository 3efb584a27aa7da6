#include "tests/crash/ledger.h"

#include <algorithm>

namespace sb::crash {

std::string Arrivals::add(Stamp stamp, bool dup) {
  ++count_;
  if (stamp.stream >= streams_.size()) return "a message of nobody";
  Stream& stream = streams_[stamp.stream];
  const auto told = [&](const char* what) {
    return std::string(what) + ": " + stream.topic + " number " + std::to_string(stamp.number) + " (newest " +
           std::to_string(newest_[stamp.stream]) + ", settled " + std::to_string(stream.base) + ", sent " +
           std::to_string(stream.last) + (dup ? ", dup)" : ")");
  };
  newest_.resize(streams_.size());
  seen_.resize(streams_.size());
  if (stamp.number == 0 || stamp.number > stream.last) return told("a message that was never sent");
  std::uint32_t& newest = newest_[stamp.stream];
  const bool once = rules_.qos == Qos::ExactlyOnce && stream.qos == Qos::ExactlyOnce;
  if (stamp.number <= stream.base) {
    if (once) return told("QoS 2 twice");
  } else {
    auto& seen = seen_[stamp.stream];
    if (seen.size() < stamp.number - stream.base) seen.resize(stamp.number - stream.base);
    std::uint8_t& times = seen[stamp.number - stream.base - 1];
    if (times < 255) ++times;
    if (once && times > 1) return told("QoS 2 twice");
  }
  const bool may_repeat = !once && (dup || (stamp.number < stream.resent.size() && stream.resent[stamp.number]));
  std::string wrong;
  if (rules_.ordered && stamp.number <= newest && !may_repeat) wrong = told("out of order");
  newest = std::max(newest, stamp.number);
  return wrong;
}

std::uint32_t Arrivals::missing(std::uint32_t stream, std::uint32_t& first) {
  const Stream& s = streams_[stream];
  seen_.resize(streams_.size());
  const auto& seen = seen_[stream];
  std::uint32_t count = 0;
  for (std::uint32_t number = s.base + 1; number <= s.last; ++number)
    if (number - s.base > seen.size() || seen[number - s.base - 1] == 0)
      if (count++ == 0) first = number;
  return count;
}

}  // namespace sb::crash
