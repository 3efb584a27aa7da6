#include "broker/session.h"

#include "broker/broker.h"
#include "broker/detail/inflight_index.h"
#include "broker/replay.h"
#include "broker/topic.h"

namespace sb::broker {

Session::Session(Broker& broker, std::uint64_t number, IdentityRef identity, SessionSettingsRef settings)
    : broker_(broker),
      identity_(std::move(identity)),
      number_(number),
      settings_(std::move(settings)),
      queue_(settings_->queue),
      created_ms_(broker.loop().wall_ms()) {}

struct Session::Held final : CommitWaiter {
  explicit Held(Session& s) : session(s) {}
  bool on_commit(const Journal& journal) override {
    if (!journal.stored(ticket)) return false;
    session.pump();  // may begin to wait anew
    return journal.stored(ticket);
  }
  Session& session;
  Ticket ticket = 0;
};

Session::~Session() = default;

bool Session::durable() const {
  return expiry_s_ > 0 && broker_.journal() != nullptr && broker_.sessions_durable();
}

void Session::forget(Owed& owed) {
  if (owed.durable) broker_.journal()->remove(number_, owed);
}

Subscription* Session::find_subscription(std::string_view full_filter) const {
  const auto found = subscriptions_.find(canonical_filter(full_filter));
  return found == subscriptions_.end() ? nullptr : *found;
}

// ---------------------------------------------------------------- delivery (broker.md 6)

void Session::count_drop(const Owed& owed, std::uint64_t Counts::*kind) {
  ++counts_.dropped;
  if (kind) ++(counts_.*kind);
  MetricCells& metrics = broker_.metrics();
  metrics.add(Metric::DeliveryDropped);
  DropReason reason = DropReason::QueueFull;
  if (kind == &Counts::dropped_queue_full) metrics.add(Metric::DeliveryDroppedQueueFull);
  if (kind == &Counts::dropped_expired) {
    metrics.add(Metric::DeliveryDroppedExpired);
    reason = DropReason::Expired;
  }
  if (kind == &Counts::dropped_too_large) {
    metrics.add(Metric::DeliveryDroppedTooLarge);
    reason = DropReason::TooLarge;
  }
  if (!broker_.hooks().delivery_dropped.empty() && owed.message)
    broker_.hooks().delivery_dropped.run(*this, owed.message->as_publication(), reason);
}

void Session::drop_own(const Publication& p) {
  broker_.metrics().add(Metric::DeliveryDropped);
  broker_.metrics().add(Metric::DeliveryDroppedNoLocal);
  if (!broker_.hooks().delivery_dropped.empty()) broker_.hooks().delivery_dropped.run(*this, p, DropReason::NoLocal);
}

void Session::deliver(Delivery& delivery, const Subscription& subscription) {
  const Publication& p = delivery.publication();
  const SubscribeOptions& options = subscription.options;
  if (options.no_local && p.from && is_own(*p.from)) return drop_own(p);
  const Qos qos = settings_->qos_of_delivery(p.qos, options.qos);
  const bool retain = options.retain_as_published && p.retain;

  if (replays_ && p.retain)
    for (const auto& replay : replays_->running) replay->saw(p.topic);
  if (qos == Qos::AtMostOnce && sink_ && !on_hold_) {
    const SessionSink::Sent sent =
        sink_->send_publish(delivery, Outgoing{qos, false, retain, 0, options.subscription_id});
    if (sent == SessionSink::Sent::Yes) [[likely]] {
      ++counts_.delivered;
      broker_.metrics().add(Metric::MessagesDelivered);
      if (!broker_.hooks().message_delivered.empty()) broker_.hooks().message_delivered.run(*this, p, qos);
      return;
    }
    ++counts_.dropped;
    broker_.metrics().add(Metric::DeliveryDropped);
    DropReason reason = DropReason::TooLarge;
    if (sent == SessionSink::Sent::TooLarge) {
      ++counts_.dropped_too_large;
      broker_.metrics().add(Metric::DeliveryDroppedTooLarge);
    } else {
      ++counts_.dropped_queue_full;
      broker_.metrics().add(Metric::DeliveryDroppedQueueFull);
      reason = DropReason::Congested;
    }
    if (!broker_.hooks().delivery_dropped.empty()) broker_.hooks().delivery_dropped.run(*this, p, reason);
    return;
  }
  if (qos == Qos::AtMostOnce && (!sink_ || leaving_) && !settings_->queue.store_qos0) {
    ++counts_.dropped;
    broker_.metrics().add(Metric::DeliveryDropped);
    broker_.metrics().add(Metric::DeliveryDroppedQos0Msg);
    if (!broker_.hooks().delivery_dropped.empty())
      broker_.hooks().delivery_dropped.run(*this, p, DropReason::Qos0Offline);
    return;
  }

  Owed owed;
  owed.qos = qos;
  owed.retain = retain;
  owed.subscription_id = options.subscription_id;
  if (subscription.shared()) owed.group = SharedGroupRef(subscription.special->group);
  // QoS 2 to a durable session waits in the queue until it is on disk.
  const bool hold = qos == Qos::ExactlyOnce && durable();
  if (sink_ && window_free() && queue_.empty() && !hold) {
    send_now(delivery, std::move(owed));
    return;
  }
  owed.message = delivery.message();
  enqueue(std::move(owed));
  if (hold && sink_) pump();
}

void Session::accept(Owed owed) {
  const bool acknowledged = owed.qos != Qos::AtMostOnce;
  if ((!sink_ || leaving_) && !acknowledged && !settings_->queue.store_qos0) return;
  const bool hold = owed.qos == Qos::ExactlyOnce && durable();
  const bool room = sink_ && sink_->writable() && queue_.empty() && (!acknowledged || window_free());
  if (!room || hold || on_hold_) {
    // Beyond the queue's bound: a replay goes on as the client takes it, nothing of it is dropped.
    ++counts_.enqueued;
    owed.sequence = next_sequence_++;
    if (acknowledged && durable()) broker_.journal()->add(number_, owed, store::QueueState::Queued, 0);
    queue_.push_unbounded(std::move(owed));
    if (sink_) pump();
    return;
  }
  const Publication publication = owed.message->as_publication();
  Delivery delivery(publication, nullptr);
  send_now(delivery, std::move(owed));
}

void Session::send_now(Delivery& delivery, Owed owed) {
  Outgoing how{owed.qos, owed.perhaps_sent && owed.qos != Qos::AtMostOnce, owed.retain, 0, owed.subscription_id};
  const bool acknowledged = owed.qos != Qos::AtMostOnce;
  if (acknowledged) {
    how.packet_id = assign_packet_id(owed);
    if (durable() && !owed.durable) {
      owed.message = delivery.message();
      broker_.journal()->add(number_, owed, store::QueueState::Sent, how.packet_id);
    }
  }
  const SessionSink::Sent sent = sink_->send_publish(delivery, how);
  if (sent == SessionSink::Sent::TooLarge || (sent == SessionSink::Sent::Congested && !acknowledged)) {
    // [S] of 1.3: dropped for this receiver alone, and gone from the window.
    if (!owed.message) owed.message = delivery.message();
    forget(owed);
    count_drop(owed, sent == SessionSink::Sent::TooLarge ? &Counts::dropped_too_large : &Counts::dropped_queue_full);
    return;
  }
  ++counts_.delivered;
  broker_.metrics().add(Metric::MessagesDelivered);
  const Hooks& hooks = broker_.hooks();
  if (!hooks.message_delivered.empty()) hooks.message_delivered.run(*this, delivery.publication(), owed.qos);
  if (!acknowledged) return;
  if (!owed.message &&
      (keeps_inflight() || owed.group || !hooks.message_acked.empty() || !hooks.delivery_completed.empty()))
    owed.message = delivery.message();
  Inflight entry;
  entry.phase = owed.qos == Qos::AtLeastOnce ? Phase::WaitPuback : Phase::WaitPubrec;
  entry.id = how.packet_id;
  entry.sent_ms = now_ms();
  entry.owed = std::move(owed);
  add_inflight(std::move(entry));
  if (settings_->retry_interval.count() > 0) want_timer(now_ms() + settings_->retry_interval.count());
}

void Session::enqueue(Owed owed) {
  ++counts_.enqueued;
  if (owed.sequence == 0) owed.sequence = next_sequence_++;
  if (owed.qos != Qos::AtMostOnce && durable() && !owed.durable)
    broker_.journal()->add(number_, owed, store::QueueState::Queued, 0);
  const std::size_t spare = sink_ && inflight_used_ < window_ ? window_ - inflight_used_ : 0;
  queue_.push(std::move(owed), spare, [this](Owed&& dropped) {
    forget(dropped);
    count_drop(dropped, &Counts::dropped_queue_full);
  });
}

void Session::hold(bool held) {
  on_hold_ = held;
  if (!held) pump();
}

std::size_t Session::shed_oldest() {
  std::optional<Owed> oldest = queue_.drop_oldest();
  if (!oldest) return 0;
  const std::size_t freed = oldest->message->footprint();
  forget(*oldest);
  count_drop(*oldest, &Counts::dropped_queue_full);
  return freed;
}

void Session::pump() {
  if (!sink_) return;
  for (std::size_t i = first_parked(); parked_ > 0 && window_free() && i < inflight_.size();) {
    Inflight& entry = inflight_[i];
    if (!entry.parked) {
      ++i;
      continue;
    }
    entry.parked = false;
    --parked_;
    ++inflight_used_;
    const std::size_t size = inflight_.size();
    parked_tail_ = static_cast<std::uint32_t>(size - i - 1);
    send_again(entry);
    if (inflight_.size() != size) i = first_parked();  // too large for the client: gone, and everything moved
  }
  while (!queue_.empty() && window_free() && sink_ && sink_->writable()) {
    std::optional<Owed> owed = queue_.pop();
    if (!owed) return;
    if (owed->message->expired(broker_.loop().wall_ms())) {
      forget(*owed);
      count_drop(*owed, &Counts::dropped_expired);
      continue;
    }
    const bool once = owed->qos == Qos::ExactlyOnce && owed->durable;
    if (once) (void)assign_packet_id(*owed);  // stored as well, if it is another than that of its sequence
    if (once && !broker_.journal()->stored(owed->ticket)) {
      if (!held_) held_ = std::make_unique<Held>(*this);
      held_->ticket = owed->ticket;
      broker_.journal()->wait(*held_);
      queue_.put_back(std::move(*owed));
      return;
    }
    const Publication publication = owed->message->as_publication();
    Delivery delivery(publication, nullptr);
    send_now(delivery, std::move(*owed));
    if (replays_) feed_one();  // one out, one in: live traffic does not hold a replay up for ever
  }
  if (replays_) feed();
}

// ---------------------------------------------------------------- acknowledgements (broker.md 6.4)

void Session::on_puback(PacketId id) {
  MetricCells& metrics = broker_.metrics();
  Inflight* entry = find_inflight(id);
  if (!entry) {
    metrics.add(Metric::PacketsPubackMissed);
    return;
  }
  if (entry->phase != Phase::WaitPuback) {
    metrics.add(Metric::PacketsPubackInuse);
    return;
  }
  metrics.add(Metric::MessagesAcked);
  completed(*entry);
  finish(*entry);
  if (!queue_.empty() || parked_ > 0 || replays_) pump();
}

void Session::completed(const Inflight& entry) {
  const Hooks& hooks = broker_.hooks();
  if (!entry.owed.message) return;
  if (!hooks.message_acked.empty() && entry.phase != Phase::WaitPubcomp)
    hooks.message_acked.run(*this, *entry.owed.message);
  if (!hooks.delivery_completed.empty() && entry.phase != Phase::WaitPubrec) {
    const std::int64_t wall = broker_.loop().wall_ms();
    hooks.delivery_completed.run(*this, *entry.owed.message, wall - (now_ms() - entry.sent_ms), wall);
  }
}

void Session::on_pubrec(PacketId id, ReasonCode reason) {
  MetricCells& metrics = broker_.metrics();
  Inflight* entry = find_inflight(id);
  if (!entry) {
    metrics.add(Metric::PacketsPubrecMissed);
    if (!is_error(reason)) sink_->send_pubrel(id, ReasonCode::PacketIdentifierNotFound, 0);
    return;
  }
  if (entry->phase != Phase::WaitPubrec) {
    metrics.add(Metric::PacketsPubrecInuse);
    if (entry->phase == Phase::WaitPubcomp && !is_error(reason)) {
      sink_->send_pubrel(id, ReasonCode::Success,
                         entry->owed.ticket);  // a repeated PUBREC: our PUBREL may be lost, 4.3.3
      return;
    }
    if (!is_error(reason))
      sink_->send_pubrel(id, ReasonCode::PacketIdentifierNotFound, 0);  // [MQTT-3.6.2-1] knows no 0x91
    return;
  }
  metrics.add(Metric::MessagesAcked);
  completed(*entry);
  if (is_error(reason)) {  // [S] 6.4: ends the exchange
    finish(*entry);
    pump();
    return;
  }
  entry->phase = Phase::WaitPubcomp;
  entry->sent_ms = now_ms();
  if (entry->owed.durable)
    broker_.journal()->update(number_, entry->owed, store::QueueState::PubrecReceived, id);
  else if (broker_.hooks().delivery_completed.empty())
    entry->owed.message = MessageRef{};
  sink_->send_pubrel(id, ReasonCode::Success, entry->owed.durable ? entry->owed.ticket : 0);
}

void Session::on_pubcomp(PacketId id) {
  MetricCells& metrics = broker_.metrics();
  Inflight* entry = find_inflight(id);
  if (!entry) {
    metrics.add(Metric::PacketsPubcompMissed);
    return;
  }
  if (entry->phase != Phase::WaitPubcomp) {
    metrics.add(Metric::PacketsPubcompInuse);
    return;
  }
  completed(*entry);
  finish(*entry);
  if (!queue_.empty() || parked_ > 0 || replays_) pump();
}

void Session::send_again(Inflight& entry) {
  entry.sent_ms = now_ms();
  if (entry.phase == Phase::WaitPubcomp) {
    // A take-over may come before the PUBREC is on disk.
    sink_->send_pubrel(entry.id, ReasonCode::Success, entry.owed.durable ? entry.owed.ticket : 0);
    return;
  }
  if (!entry.owed.message) return;
  const Publication publication = entry.owed.message->as_publication();
  Delivery delivery(publication, nullptr);
  const Outgoing how{entry.owed.qos, true, entry.owed.retain, entry.id, entry.owed.subscription_id};
  if (sink_->send_publish(delivery, how) == SessionSink::Sent::TooLarge) {
    count_drop(entry.owed, &Counts::dropped_too_large);
    finish(entry);
  }
}

void Session::replay() {
  // In packet-id order of first sending (4.3 of the reference, [MQTT-4.4.0-1]); what exceeds the client's Receive
  // Maximum now is parked and follows as the window frees.
  std::vector<PacketId> ids;
  parked_ = 0;
  inflight_used_ = 0;
  for (std::size_t i = 0; i < inflight_.size(); ++i) {
    Inflight& entry = inflight_[i];
    if (entry.phase == Phase::Done) continue;
    entry.parked = !window_free();
    if (entry.parked) {
      if (parked_++ == 0) parked_tail_ = static_cast<std::uint32_t>(inflight_.size() - i);
    } else {
      ++inflight_used_;
      ids.push_back(entry.id);
    }
  }
  for (const PacketId id : ids)
    if (Inflight* entry = find_inflight(id)) send_again(*entry);
  if (!ids.empty() && settings_->retry_interval.count() > 0) want_timer(now_ms() + settings_->retry_interval.count());
  drop_suppressed();
  pump();
}

void Session::drop_suppressed() {
  bool any = false;
  queue_.for_each([&](const Owed& owed) { any = any || broker_.core().suppressed(*owed.message); });
  if (!any) return;
  // Out and in again: the order within a level stays.
  std::vector<Owed> kept;
  while (auto owed = queue_.pop()) {
    if (!broker_.core().suppressed(*owed->message)) {
      kept.push_back(std::move(*owed));
      continue;
    }
    forget(*owed);
    count_drop(*owed, nullptr);
  }
  for (Owed& owed : kept) queue_.push_unbounded(std::move(owed));  // no more than there were
}

// ---------------------------------------------------------------- inbound QoS 2 (broker.md 5.3)

bool Session::awaiting_rel(PacketId id) const {
  for (const Awaiting& one : awaiting_)
    if (one.id == id) return true;
  return false;
}

Session::Taken Session::awaiting_taken(PacketId id) const {
  for (const Awaiting& one : awaiting_)
    if (one.id == id) return {one.ticket, one.receipt};
  return {};
}

void Session::add_awaiting_rel(PacketId id, ReceiptRef receipt) {
  awaiting_.push_back({id, now_ms(), std::move(receipt)});
  if (settings_->await_rel_timeout.count() > 0) want_timer(now_ms() + settings_->await_rel_timeout.count());
}

void Session::store_awaiting_rel(PacketId id) {
  if (!durable()) return;
  for (Awaiting& one : awaiting_) {
    if (one.id != id) continue;
    store::put(broker_.journal()->batch(), store::AwaitingRelRecord{number_, id, broker_.loop().wall_ms()});
    one.ticket = broker_.journal()->ticket();
  }
}

bool Session::remove_awaiting_rel(PacketId id) {
  for (auto one = awaiting_.begin(); one != awaiting_.end(); ++one)
    if (one->id == id) {
      awaiting_.erase(one);
      if (durable()) store::erase_awaiting_rel(broker_.journal()->batch(), number_, id);
      return true;
    }
  return false;
}

// ---------------------------------------------------------------- time

std::int64_t Session::now_ms() const {
  return std::chrono::duration_cast<Millis>(broker_.loop().now()).count();
}

void Session::want_timer(std::int64_t due_ms) {
  if (armed() && timer_due_ms_ <= due_ms) return;
  timer_due_ms_ = due_ms;
  broker_.loop().timers().arm(*this, broker_.loop().now(), Millis{due_ms - now_ms()});
}

void Session::on_timer() {
  const std::int64_t now = now_ms();
  if (will_at_ms_ != 0 && now >= will_at_ms_) {
    will_at_ms_ = 0;
    broker_.publish_will(*this);
  }
  if (!sink_ && expires_at_ms_ != 0 && now >= expires_at_ms_) {
    broker_.terminate(*this, "expired", true);  // deletes this
    return;
  }
  expire_awaiting(now);
  retry();
  rearm();
}

void Session::rearm() {
  std::int64_t next = 0;
  const auto earliest = [&next](std::int64_t due) {
    if (due != 0 && (next == 0 || due < next)) next = due;
  };
  earliest(will_at_ms_);
  if (!sink_) earliest(expires_at_ms_);
  if (!awaiting_.empty() && settings_->await_rel_timeout.count() > 0)
    earliest(awaiting_.front().since_ms + settings_->await_rel_timeout.count());
  if (sink_ && !inflight_.empty() && settings_->retry_interval.count() > 0)
    earliest(now_ms() + settings_->retry_interval.count());
  if (next != 0) want_timer(next);
}

void Session::retry() {
  if (!sink_ || settings_->retry_interval.count() <= 0) return;
  const std::int64_t now = now_ms();
  const std::int64_t wall = broker_.loop().wall_ms();
  std::vector<PacketId> due;
  for (std::size_t i = 0; i < inflight_.size(); ++i) {
    const Inflight& entry = inflight_[i];
    if (entry.phase == Phase::Done || entry.parked) continue;
    if (now - entry.sent_ms < settings_->retry_interval.count()) break;
    due.push_back(entry.id);
  }
  for (const PacketId id : due) {
    Inflight* entry = find_inflight(id);
    if (!entry) continue;
    if (entry->phase != Phase::WaitPubcomp && entry->owed.message && entry->owed.message->expired(wall)) {
      count_drop(entry->owed, &Counts::dropped_expired);
      finish(*entry);
      continue;
    }
    send_again(*entry);
  }
  if (!due.empty()) pump();
}

void Session::expire_awaiting(std::int64_t now) {
  if (settings_->await_rel_timeout.count() <= 0) return;
  std::size_t gone = 0;
  for (; gone < awaiting_.size() && now - awaiting_[gone].since_ms >= settings_->await_rel_timeout.count(); ++gone) {
    Awaiting& oldest = awaiting_[gone];
    const Journal* journal = broker_.journal();
    if (!journal || (journal->stored(oldest.ticket) && (!oldest.receipt || oldest.receipt->complete()))) continue;
    oldest.since_ms = now;  // the disk is full, and its PUBREC not sent: the publisher could not go on
    break;
  }
  if (gone == 0) return;
  if (durable())
    for (std::size_t i = 0; i < gone; ++i)
      store::erase_awaiting_rel(broker_.journal()->batch(), number_, awaiting_[i].id);
  awaiting_.erase(awaiting_.begin(), awaiting_.begin() + static_cast<std::ptrdiff_t>(gone));
  counts_.received_timed_out += gone;
  broker_.metrics().add(Metric::MessagesDropped, gone);
  broker_.metrics().add(Metric::MessagesDroppedAwaitPubrelTimeout, gone);
}

}  // namespace sb::broker
