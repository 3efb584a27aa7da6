// Acknowledgements that wait until what they promise is on disk, in the order of the packets they answer.
// [MQTT-4.6.0-2]
//
// While the disk takes nothing they must not hold up what needs no disk. A refusal ends the wait of most; those that
// know none (PUBREL, PUBCOMP, UNSUBACK, PUBREC of a repetition) stand aside until the disk has taken all, and keep
// their order only where the protocol asks for it.
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
  void send(const One& one);

  bool on_commit(const broker::Journal& journal) override {
    const bool done = channel.release_deferred(journal);
    if (held && size() <= channel.client_.zone().max_unanswered / 2) {
      held = false;
      channel.stream_.resume(net::Stream::kOwed);
    }
    return done;
  }

  std::size_t size() const { return waiting.size() + aside.size(); }
  /// Has no place among the acknowledgements of publications.
  static bool unordered(codec::mqtt::PacketType type) {
    using codec::mqtt::PacketType;
    return type == PacketType::Pubrel || type == PacketType::Pubcomp || type == PacketType::Unsuback;
  }
  /// Another that has to go first stands aside. [MQTT-4.6.0-3] [MQTT-4.6.0-4]
  bool follows(codec::mqtt::PacketType type) const {
    using codec::mqtt::PacketType;
    if (type != PacketType::Pubrec && type != PacketType::Pubrel) return false;
    for (std::size_t i = 0; i < aside.size(); ++i)
      if (aside[i].type == type) return true;
    return false;
  }

  Channel& channel;
  broker::Fifo<One> waiting;
  broker::Fifo<One> aside;
  bool held = false;  // force_shutdown.max_mailbox_size: not read until half of them are given
};

}  // namespace sb::mqtt
