// The messages that a session has sent and not seen acknowledged, and their packet ids (broker.md 6.4).
#include "broker/broker.h"
#include "broker/detail/inflight_index.h"
#include "broker/session.h"

#include <algorithm>

namespace sb::broker {

namespace {
constexpr std::uint32_t kPacketIds = 65535;
/// Windows up to this size are searched entry by entry.
constexpr std::size_t kSearched = 256;

/// The id of a message that finds it free: it need not be stored to be the same after a crash.
PacketId usual_id(std::uint64_t sequence) {
  return static_cast<PacketId>(1 + (sequence - 1) % kPacketIds);
}
}  // namespace

std::vector<const Owed*> Session::unacknowledged(std::uint64_t after, std::size_t most) const {
  std::vector<const Owed*> out;
  for (std::size_t i = 0; i < inflight_.size(); ++i) {
    const Inflight& entry = inflight_[i];
    if (entry.phase != Phase::Done && entry.owed.message && entry.owed.sequence > after) out.push_back(&entry.owed);
  }
  const auto less = [](const Owed* a, const Owed* b) { return a->sequence < b->sequence; };
  const auto end = out.begin() + static_cast<std::ptrdiff_t>(std::min(most, out.size()));
  std::partial_sort(out.begin(), end, out.end(), less);
  out.erase(end, out.end());
  return out;
}

bool Session::surely_free(std::uint64_t sequence) const {
  if (inflight_.empty()) return true;
  // Without priorities the window is in order of sequence: no id in it is used twice within a circle.
  const std::uint64_t front = inflight_.front().owed.sequence;
  return renamed_ == 0 && !settings_->queue.priorities && sequence > front && sequence - front < kPacketIds;
}

PacketId Session::assign_packet_id(Owed& owed) {
  if (owed.sequence == 0) owed.sequence = next_sequence_++;
  const PacketId wanted = owed.packet_id != 0 ? owed.packet_id : usual_id(owed.sequence);
  if ((owed.packet_id == 0 && surely_free(owed.sequence)) || !find_inflight(wanted)) return wanted;
  // Taken by a message that waits for its acknowledgement since the last circle. The place in the order stays.
  owed.packet_id = free_id(wanted);
  if (owed.durable) broker_.journal()->update(number_, owed, store::QueueState::Sent, owed.packet_id);
  return owed.packet_id;
}

PacketId Session::free_id(PacketId taken) {
  // Below it: ids above it are the next messages'.
  if (inflight_.size() > kSearched) return index().free_below(taken).value_or(taken);
  PacketId id = taken;
  do id = static_cast<PacketId>(id == 1 ? kPacketIds : id - 1U);
  while (find_inflight(id));
  return id;
}

detail::InflightIndex& Session::index() {
  if (index_) return *index_;
  index_ = std::make_unique<detail::InflightIndex>();
  for (std::size_t i = 0; i < inflight_.size(); ++i)
    index_->push_back(inflight_[i].id, inflight_[i].phase != Phase::Done);
  return *index_;
}

Session::Inflight* Session::find_inflight(PacketId id) {
  if (inflight_.empty()) return nullptr;
  // Mostly the ids in the window follow one another.
  const std::uint32_t guess = (static_cast<std::uint32_t>(id) + kPacketIds - inflight_.front().id) % kPacketIds;
  if (guess < inflight_.size() && inflight_[guess].id == id && inflight_[guess].phase != Phase::Done)
    return &inflight_[guess];
  if (index_ || inflight_.size() > kSearched) {
    const auto at = index().find(id);
    return at ? &inflight_[*at] : nullptr;
  }
  for (std::size_t i = 0; i < inflight_.size(); ++i)
    if (inflight_[i].id == id && inflight_[i].phase != Phase::Done) return &inflight_[i];
  return nullptr;
}

void Session::add_inflight(Inflight entry) {
  if (entry.id != usual_id(entry.owed.sequence)) ++renamed_;
  if (index_) index_->push_back(entry.id, true);
  inflight_.push_back(std::move(entry));
  ++inflight_used_;
  ++parked_tail_;
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
  if (entry.id != usual_id(sequence)) --renamed_;
  if (index_) index_->erase(entry.id);
  entry.owed = Owed{};
  entry.owed.sequence = sequence;
  while (!inflight_.empty() && inflight_.front().phase == Phase::Done) {
    inflight_.drop_front();
    if (index_) index_->drop_front();
  }
  // An old unacknowledged entry at the front must not let finished ones pile up behind it.
  if (inflight_.size() > 64 && inflight_.size() > 2 * (std::size_t{inflight_used_} + parked_)) {
    Fifo<Inflight> kept;
    while (!inflight_.empty()) {
      Inflight one = inflight_.pop_front();
      if (one.phase != Phase::Done) kept.push_back(std::move(one));
    }
    inflight_.swap(kept);
    index_.reset();
    parked_tail_ = parked_;
  }
  if (inflight_.empty()) index_.reset();
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
  // That is what waited in the same level; of others nothing follows, they may not have been sent at all.
  while (inflight_.size() + 1 < kPacketIds) {
    std::optional<Owed> earlier = queue_.pop_beside(owed.message->topic());
    if (!earlier) break;
    PacketId id = usual_id(earlier->sequence);
    if (!surely_free(earlier->sequence) && find_inflight(id)) id = free_id(id);
    restore_inflight(std::move(*earlier), id, store::QueueState::Sent);
  }
  // The client may know this message by its id: what was given it meanwhile, by its place alone, gets another.
  if (Inflight* other =
          surely_free(owed.sequence) && packet_id == usual_id(owed.sequence) ? nullptr : find_inflight(packet_id))
    rename(*other, free_id(packet_id));
  if (packet_id != usual_id(owed.sequence)) owed.packet_id = packet_id;
  restore_inflight(std::move(owed), packet_id, state);
}

void Session::restore_inflight(Owed owed, PacketId id, store::QueueState state) {
  Inflight entry;
  entry.id = id;
  if (state == store::QueueState::PubrecReceived)
    entry.phase = Phase::WaitPubcomp;
  else
    entry.phase = owed.qos == Qos::AtLeastOnce ? Phase::WaitPuback : Phase::WaitPubrec;
  entry.owed = std::move(owed);
  add_inflight(std::move(entry));
}

void Session::rename(Inflight& entry, PacketId id) {
  const PacketId usual = usual_id(entry.owed.sequence);
  renamed_ = renamed_ + (id != usual ? 1U : 0U) - (entry.id != usual ? 1U : 0U);
  entry.id = id;
  index_.reset();
}

void Session::remember_sent() {
  if (!durable()) return;
  for (std::size_t i = inflight_.size(); i-- > 0;) {
    Inflight& last = inflight_[i];
    if (last.phase == Phase::Done) continue;
    if (last.owed.durable && !last.owed.row_sent)
      broker_.journal()->update(number_, last.owed, store::QueueState::Sent, last.id);
    if (!settings_->queue.priorities) return;  // with levels the newest tells nothing of those of others
  }
}

}  // namespace sb::broker
