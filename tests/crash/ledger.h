// What was published and what of it arrived. A stream is one topic of one publisher; its messages are numbered from 1.
// Once a round is verified, everything up to `base` is settled for everybody.
#pragma once

#include "base/bytes.h"
#include "base/mqtt_types.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace sb::crash {

struct Stream {
  std::string topic;
  Qos qos = Qos::AtLeastOnce;
  bool retain = false;
  std::uint32_t last = 0;  // newest that was sent
  std::uint32_t base = 0;
  std::vector<bool> resent;  // by number: sent again after a lost connection, so it may arrive again
};

/// All streams, by the number that messages carry.
using Streams = std::vector<Stream>;

struct Stamp {
  std::uint32_t stream = 0;
  std::uint32_t number = 0;
};
constexpr std::size_t kPayload = 64;

inline std::string stamped(Stamp stamp) {
  std::string out(kPayload, '.');
  std::memcpy(out.data(), &stamp, sizeof stamp);
  return out;
}
inline bool read_stamp(ByteView payload, Stamp& out) {
  if (payload.size() != kPayload) return false;
  std::memcpy(&out, payload.data(), sizeof out);
  return true;
}

/// Arrivals at one session, or at all members of a shared group.
class Arrivals {
 public:
  struct Rules {
    Qos qos = Qos::AtLeastOnce;
    bool ordered = true;
  };
  Arrivals(Streams& streams, Rules rules) : streams_(streams), rules_(rules) {}

  /// Empty, or what is wrong with this arrival.
  std::string add(Stamp stamp, bool dup);
  /// How many of stream's messages up to `last` have not arrived; `first` gets the first of them.
  std::uint32_t missing(std::uint32_t stream, std::uint32_t& first);
  std::uint64_t count() const { return count_; }
  void settle() { seen_.clear(); }

 private:
  Streams& streams_;
  Rules rules_;
  std::vector<std::vector<std::uint8_t>> seen_;  // times each number above base arrived
  std::vector<std::uint32_t> newest_;
  std::uint64_t count_ = 0;
};

}  // namespace sb::crash
