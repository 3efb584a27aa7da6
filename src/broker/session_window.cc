// The messages that a session has sent and not seen acknowledged, and their packet ids (broker.md 6.4).
#include "broker/broker.h"
#include "broker/session.h"

namespace sb::broker {

namespace {
constexpr std::uint32_t kPacketIds = 65535;
}

PacketId Session::assign_packet_id(Owed& owed) {
  if (owed.sequence == 0) owed.sequence = next_sequence_++;
  for (;;) {
    const auto id = static_cast<PacketId>(1 + (owed.sequence - 1) % kPacketIds);
    // Without priorities the window is in order of sequence: no id in it is used twice within a circle.
    const bool in_order = !settings_->queue.priorities && !inflight_.empty() &&
                          owed.sequence > inflight_.front().owed.sequence &&
                          owed.sequence - inflight_.front().owed.sequence < kPacketIds;
    if (inflight_.empty() || in_order || !find_inflight(id)) return id;
    // Taken: the message moves behind everything that is known.
    const bool was_durable = owed.durable;
    if (was_durable) broker_.journal()->remove(number_, owed, Journal::Removal::Moved);
    owed.sequence = next_sequence_++;
    if (was_durable) broker_.journal()->add(number_, owed, store::QueueState::Queued, 0);
  }
}

Session::Inflight* Session::find_inflight(PacketId id) {
  if (inflight_.empty()) return nullptr;
  // Mostly the ids in the window follow one another.
  const std::uint32_t guess = (static_cast<std::uint32_t>(id) + kPacketIds - inflight_.front().id) % kPacketIds;
  if (guess < inflight_.size() && inflight_[guess].id == id && inflight_[guess].phase != Phase::Done)
    return &inflight_[guess];
  for (std::size_t i = 0; i < inflight_.size(); ++i)
    if (inflight_[i].id == id && inflight_[i].phase != Phase::Done) return &inflight_[i];
  return nullptr;
}

void Session::finish(Inflight& entry) {
  if (entry.parked)
    --parked_;
  else
    --inflight_used_;
  entry.parked = false;
  entry.phase = Phase::Done;
  forget(entry.owed);
  const std::uint64_t sequence = entry.owed.sequence;
  entry.owed = Owed{};
  entry.owed.sequence = sequence;
  while (!inflight_.empty() && inflight_.front().phase == Phase::Done) inflight_.drop_front();
  // An old unacknowledged entry at the front must not let finished ones pile up behind it.
  if (inflight_.size() > 64 && inflight_.size() > 2 * (std::size_t{inflight_used_} + parked_)) {
    Fifo<Inflight> kept;
    while (!inflight_.empty()) {
      Inflight one = inflight_.pop_front();
      if (one.phase != Phase::Done) kept.push_back(std::move(one));
    }
    inflight_.swap(kept);
  }
}

void Session::restore(Owed owed, store::QueueState state, PacketId packet_id) {
  owed.row_sent = state != store::QueueState::Queued;
  if (!owed.row_sent) {
    // It was connected when the node died, now or before: what waits may have gone out already.
    owed.perhaps_sent = disconnected_ms_ == 0 || owed.sequence < perhaps_sent_below_;
    // What was in flight comes first and on top of a queue that may have been full: every one of them was promised.
    queue_.push_unbounded(std::move(owed));
    return;
  }
  // What left the queue before this one keeps a row that says "queued": it goes out again ahead of it [MQTT-4.6.0-1].
  const auto add = [this](Owed&& one, Phase phase, PacketId id) {
    Inflight entry;
    entry.phase = phase;
    entry.id = id;
    entry.owed = std::move(one);
    inflight_.push_back(std::move(entry));
    ++inflight_used_;
  };
  const auto sent_phase = [](const Owed& one) {
    return one.qos == Qos::AtLeastOnce ? Phase::WaitPuback : Phase::WaitPubrec;
  };
  while (auto earlier = queue_.pop()) {
    const auto id = static_cast<PacketId>(1 + (earlier->sequence - 1) % kPacketIds);
    const Phase phase = sent_phase(*earlier);
    add(std::move(*earlier), phase, id);
  }
  const Phase phase = state == store::QueueState::PubrecReceived ? Phase::WaitPubcomp : sent_phase(owed);
  add(std::move(owed), phase, packet_id);
}

void Session::remember_sent() {
  if (!durable()) return;
  for (std::size_t i = inflight_.size(); i-- > 0;) {
    Inflight& last = inflight_[i];
    if (last.phase == Phase::Done) continue;
    if (last.owed.durable && !last.owed.row_sent)
      broker_.journal()->update(number_, last.owed, store::QueueState::Sent, last.id);
    return;
  }
}

}  // namespace sb::broker
