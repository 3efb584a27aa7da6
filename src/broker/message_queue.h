// Messages that wait for a session: bounded by count per priority level and by bytes as a whole, dropping the oldest
// (broker.md 6.3). Belongs to the session's shard.
#pragma once

#include "broker/fifo.h"
#include "broker/message.h"
#include "broker/session_settings.h"
#include "broker/shared_group.h"

#include <memory>
#include <optional>
#include <vector>

namespace sb::broker {

/// A message owed to a session: what the inflight window and the queue hold.
struct Owed {
  MessageRef message;
  SharedGroupRef group;        // came through a shared subscription: may be dispatched again
  std::uint64_t sequence = 0;  // order within the session; key of the stored row
  std::uint32_t subscription_id = 0;
  // The journal's: which batch holds its row, and where; the serial of the part if that does.
  std::uint32_t ticket = 0;
  std::uint32_t mark = 0;
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  bool durable = false;       // a stored row exists or is staged
  bool apart = false;         // the row lies in a part (receipt.h)
  bool rewritten = false;     // an earlier batch wrote the row already
  bool row_sent = false;      // the row says that it was sent
  bool perhaps_sent = false;  // before a crash, by a row that does not tell: a repetition, if the client has it
  PacketId packet_id = 0;     // if not the one of its sequence, which was taken
};

class MessageQueue {
 public:
  /// `limits` outlives the queue or is replaced by set_limits().
  explicit MessageQueue(const QueueLimits& limits) : limits_(&limits) {}

  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::size_t bytes() const { return bytes_; }
  const QueueLimits& limits() const { return *limits_; }
  /// Levels stay as they are: topics are sorted into them when they come in.
  void set_limits(const QueueLimits& limits) { limits_ = &limits; }

  /// Appends; calls dropped(Owed&&) for each message that had to go. `spare`: so many at the front are beyond the
  /// bounds, for the inflight window has room for them and they only wait until they are on disk.
  template <class Dropped>
  void push(Owed owed, std::size_t spare, Dropped&& dropped) {
    Level& level = level_for(owed.message->topic());
    const std::size_t before = bytes_;
    append(level, std::move(owed));
    // One in, one out: what is there beyond the bounds stays (push_unbounded).
    if (limits_->messages != 0 && level.messages.size() > limits_->messages + spare) dropped(take_front(level));
    while (limits_->bytes != 0 && bytes_ > limits_->bytes && bytes_ > before && count_ > 1 + spare &&
           bytes_ - bytes_of_first(spare) > limits_->bytes)
      dropped(take_oldest());
  }
  /// Appends beyond the bounds: a replay of retained messages, which are in memory anyway; what was owed before a
  /// restart.
  void push_unbounded(Owed owed) {
    Level& level = level_for(owed.message->topic());
    append(level, std::move(owed));
  }
  /// Next by priority; lower levels get their turn (6.3 "Dequeue").
  std::optional<Owed> pop();
  /// The first of the level that messages of `topic` wait in, whatever waits in others.
  std::optional<Owed> pop_beside(std::string_view topic);
  /// Undoes the last pop().
  void put_back(Owed owed);
  /// Oldest message of the lowest level, for memory pressure.
  std::optional<Owed> drop_oldest();
  template <class Fn>
  void for_each(Fn&& fn) {
    if (main_)
      for (std::size_t i = 0; i < main_->messages.size(); ++i) fn(main_->messages[i]);
    for (const auto& level : others_)
      for (std::size_t i = 0; i < level->messages.size(); ++i) fn(level->messages[i]);
  }
  /// Where a message stands in what waits: the highest level first, in each by sequence.
  struct Place {
    std::uint16_t priority = 0;
    std::uint64_t sequence = 0;
  };
  /// At most `most` messages behind `after`, or from the first on: fn(const Place&, const Owed&). For management.
  template <class Fn>
  void look(const std::optional<Place>& after, std::size_t most, Fn&& fn) const {
    const auto take = [&](const Level& level) {
      if (after && level.priority > after->priority) return;
      std::size_t at = 0;
      if (after && level.priority == after->priority) at = behind(level, after->sequence);
      for (; most > 0 && at < level.messages.size(); ++at, --most)
        fn(Place{level.priority, level.messages[at].sequence}, level.messages[at]);
    };
    for (const auto& level : others_) take(*level);
    if (main_) take(*main_);
  }

 private:
  struct Level {
    std::uint16_t priority = 0;  // 0 lowest, 256 above all
    std::uint32_t credit = 0;    // consecutive dequeues left
    Fifo<Owed> messages;
  };
  Level& level_for(std::string_view topic);
  Owed take_front(Level& level);
  void append(Level& level, Owed owed) {
    bytes_ += owed.message->footprint();
    level.messages.push_back(std::move(owed));
    ++count_;
  }
  Owed take_oldest();
  static std::size_t behind(const Level& level, std::uint64_t sequence);
  std::size_t bytes_of_first(std::size_t messages) const;
  static std::uint32_t full_credit(const Level& level) { return (level.priority + 1U) * 10U - 1U; }

  const QueueLimits* limits_;
  std::unique_ptr<Level> main_;                 // the only level without priorities
  std::vector<std::unique_ptr<Level>> others_;  // highest first
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace sb::broker
