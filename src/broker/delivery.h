// One publication on its way to receivers of one shard. Carries an opaque slot per wire form that the first channel
// fills and the others copy from: encode once, while the broker knows no codec.
#pragma once

#include "broker/message.h"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace sb::broker {

/// Scratch of a shard for encoded forms; reused by each publication.
using WireScratch = std::vector<std::uint8_t>;

class Delivery {
 public:
  Delivery(const Publication& publication, WireScratch* scratch) : publication_(publication), scratch_(scratch) {
    if (publication.stored) message_ = MessageRef::share(publication.stored);
    if (scratch_) scratch_->clear();
  }
  /// `message`: what `publication` is a view of.
  Delivery(const Publication& publication, MessageRef message, WireScratch* scratch)
      : publication_(publication), message_(std::move(message)), scratch_(scratch) {
    if (scratch_) scratch_->clear();
  }

  const Publication& publication() const { return publication_; }
  /// Makes the Message the first time somebody must keep it.
  const MessageRef& message() {
    if (!message_) message_ = MessageRef::adopt(Message::make(publication_));
    return message_;
  }
  /// For the last one who keeps it.
  MessageRef take_message() {
    if (!message_) return MessageRef::adopt(Message::make(publication_));
    return std::move(message_);
  }

  std::shared_ptr<Receipt>& receipt() { return receipt_; }

  struct Slot {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;  // 0 = not filled
    std::uint32_t mark = 0;  // the channel's own note, e.g. where the packet id lies
  };
  static constexpr std::size_t kSlots = 8;
  Slot& slot(std::size_t form) { return slots_[form]; }
  /// Null when only one receiver is expected: sharing would not pay.
  WireScratch* scratch() { return scratch_; }
  WireScratch* exchange_scratch(WireScratch* scratch) { return std::exchange(scratch_, scratch); }

 private:
  const Publication& publication_;
  MessageRef message_;
  std::shared_ptr<Receipt> receipt_;
  WireScratch* scratch_;
  std::array<Slot, kSlots> slots_{};
};

/// How one receiver gets it.
struct Outgoing {
  Qos qos = Qos::AtMostOnce;
  bool dup = false;
  bool retain = false;
  PacketId packet_id = 0;
  std::uint32_t subscription_id = 0;
};

}  // namespace sb::broker
