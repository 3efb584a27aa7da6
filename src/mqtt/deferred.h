// Acknowledgements that wait until what they promise is on disk, in the order of the packets they answer.
// [MQTT-4.6.0-2]
#pragma once

#include "broker/fifo.h"
#include "broker/journal.h"
#include "mqtt/channel.h"

#include <string>
#include <vector>

namespace sb::mqtt {

struct Channel::Deferred final : broker::CommitWaiter {
  struct One {
    codec::mqtt::PacketType type = codec::mqtt::PacketType::Puback;
    PacketId id = 0;
    ReasonCode code = ReasonCode::Success;
    After after;
    std::string packet;                                // SUBACK and UNSUBACK, encoded already
    std::vector<std::pair<std::string, bool>> replay;  // filters whose retained messages follow the SUBACK; is new
  };
  explicit Deferred(Channel& owner) : channel(owner) {}

  bool on_commit(const broker::Journal& journal) override { return channel.release_deferred(journal); }

  Channel& channel;
  broker::Fifo<One> waiting;
};

}  // namespace sb::mqtt
