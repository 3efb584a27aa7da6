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

  bool on_commit(const broker::Journal& journal) override {
    const bool done = channel.release_deferred(journal);
    if (held && waiting.size() <= channel.client_.zone().max_unanswered / 2) {
      held = false;
      channel.stream_.resume(net::Stream::kOwed);
    }
    return done;
  }

  Channel& channel;
  broker::Fifo<One> waiting;
  bool held = false;  // force_shutdown.max_mailbox_size: not read until half of them are given
};

}  // namespace sb::mqtt
