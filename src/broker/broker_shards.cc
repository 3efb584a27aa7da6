// What crosses between shards: publications, what they wait for, shared messages that are dispatched again.
#include "broker/broker.h"
#include "broker/topic.h"

namespace sb::broker {

void Broker::cross(unsigned shard, Crossing&& crossing) {
  if (!to_wake_[shard]) {
    to_wake_[shard] = true;
    loop_.at_turn_end(wake_others_);
  }
  if (overflow_.empty() && core_.ring(shard_, shard).push(std::move(crossing))) return;
  overflow_.emplace_back(shard, std::move(crossing));
}

void Broker::WakeOthers::on_turn_end() {
  for (unsigned shard = 0; shard < broker.core_.shards(); ++shard) {
    if (!broker.to_wake_[shard]) continue;
    broker.to_wake_[shard] = false;
    broker.core_.shard(shard).loop().wake();
  }
}

void Broker::push_overflow() {
  while (!overflow_.empty()) {
    auto& [shard, crossing] = overflow_.front();
    if (!core_.ring(shard_, shard).push(std::move(crossing))) return;
    to_wake_[shard] = true;
    loop_.at_turn_end(wake_others_);
    overflow_.pop_front();
  }
  release_waiting();
}

void Broker::when_room(std::function<void()> resume) {
  waiting_.push_back(std::move(resume));
  if (journal_ && journal_->congested()) journal_->wait(disk_relief_);
}

bool Broker::DiskRelief::on_commit(const Journal& journal) {
  if (journal.congested()) return false;
  broker.release_waiting();
  return true;
}

bool Broker::Awaited::on_commit(const Journal& journal) {
  const bool kept = journal.kept(ticket) && (!receipt || receipt->complete());
  if (!kept && !journal.trouble()) return false;
  // It may not go while it is told.
  broker.loop_.post([&broker = broker, me = place] { broker.awaited_.erase(me); });
  std::exchange(done, {})(kept && !journal.refused(ticket) && !(receipt && receipt->failed()));
  return true;
}

void Broker::when_kept(ReceiptRef receipt, std::function<void(bool kept)> done) {
  if (!journal_) return done(true);
  if (journal_->trouble()) return done(false);
  Ticket ticket = journal_->barrier();
  if (journal_->stored(ticket)) ticket = 0;  // refused perhaps, but written since
  if (ticket == 0 && (!receipt || receipt->complete())) return done(!receipt || !receipt->failed());
  awaited_.emplace_front(*this, ticket, std::move(receipt), std::move(done));
  awaited_.front().place = awaited_.begin();
  journal_->wait(awaited_.front());
}

bool Broker::wants_disk(std::string_view topic, bool retain) const {
  if (!journal_) return false;
  if (retain && retained_durable_) return true;
  if (is_delayed(topic)) return true;
  if (!sessions_durable_) return false;
  RouteList routes;
  core_.router().match(topic, routes);
  for (const Route* route : routes) {
    // Nobody may look at the sessions of other shards, nor is it known which member of a group will get it.
    if (route->groups() || (route->shard_mask() & ~(std::uint64_t{1} << shard_)) != 0) return true;
    Subscription* single = nullptr;
    const auto here = LocalSubscribers::view(route->local(shard_), single);
    for (std::size_t i = 0; i < here.size; ++i)
      if (here.data[i]->session->persistent()) return true;
  }
  return false;
}

void Broker::release_waiting() {
  if (must_wait()) return;
  std::vector<std::function<void()>> waiting;
  waiting.swap(waiting_);
  for (auto& resume : waiting) resume();
}

bool Broker::has_work() const {
  return !overflow_.empty() || has_input();
}

bool Broker::has_input() const {
  for (unsigned from = 0; from < core_.shards(); ++from)
    if (from != shard_ && !core_.ring(from, shard_).empty()) return true;
  return false;
}

bool Broker::poll() {
  std::size_t count = 0;
  for (unsigned from = 0; from < core_.shards(); ++from)
    if (from != shard_)
      count += core_.ring(from, shard_)
                   .drain([this](Crossing& crossing) { accept_crossing(crossing); },
                          [this](const Crossing& crossing, std::size_t stage) { prefetch(crossing, stage); });
  if (!overflow_.empty()) push_overflow();
  return count > 0;
}

void Broker::accept_crossing(Crossing& crossing) {
  if (crossing.member && !crossing.member->session) return return_to_sender(crossing);
  const Publication p = crossing.message->as_publication();
  Delivery delivery(p, std::move(crossing.message), &scratch_);
  const ReceiptRef& receipt = crossing.receipt;
  const auto deliver = [&] {
    if (crossing.member)
      deliver_to_member(delivery, *crossing.member);
    else
      deliver_local(delivery, *crossing.route);
  };
  if (receipt && receipt->is_joint()) {
    Journal::Scope rows(*journal_);
    deliver();
    Broker& origin = core_.shard(receipt->origin());
    origin.loop().post([&origin, receipt, part = rows.close()] { origin.join(receipt, part); });
    return;
  }
  const std::size_t written = changes();
  deliver();
  conclude(receipt, written);
}

// The member left while the message was on its way: whoever chose it chooses another.
void Broker::return_to_sender(const Crossing& crossing) {
  Broker& sender = core_.shard(crossing.receipt ? crossing.receipt->origin() : shard_);
  const auto choose = [&sender, message = crossing.message, group = SharedGroupRef(crossing.member->group),
                       left = crossing.member->session_number, receipt = crossing.receipt] {
    if (!receipt) return sender.dispatch_again(message, group, left, nullptr);
    if (!sender.journal_) return;
    if (receipt->is_joint()) {
      Journal::Scope rows(*sender.journal_);
      sender.dispatch_again(message, group, left, receipt);
      sender.join(receipt, rows.close());
      return;
    }
    const std::size_t written = sender.changes();
    sender.dispatch_again(message, group, left, receipt);
    sender.conclude(receipt, written);
  };
  if (&sender == this) return choose();
  sender.loop_.post(choose);
}

void Broker::dispatch_again(const MessageRef& message, const SharedGroupRef& group, std::uint64_t left,
                            const ReceiptRef& receipt) {
  const Publication p = message->as_publication();
  Delivery delivery(p, nullptr);
  delivery.receipt() = receipt;
  if (dispatch_shared(delivery, *group.get(), left)) return;
  // All of them left, and perhaps others came since.
  const SharedGroup* now = find_group(p.topic, group->full_filter());
  if (now && now != group.get() && dispatch_shared(delivery, *now, left)) return;
  metrics_.add(Metric::MessagesDropped);
  metrics_.add(Metric::MessagesDroppedNoSubscribers);
}

const SharedGroup* Broker::find_group(std::string_view topic, std::string_view full_filter) const {
  RouteList matched;
  core_.router().match(topic, matched);
  for (Route* route : matched)
    if (const auto* groups = static_cast<const SharedGroupList*>(route->groups()))
      for (const SharedGroup* group : *groups)
        if (group->full_filter() == canonical_filter(full_filter)) return group;
  return nullptr;
}

// ---------------------------------------------------------------- what a publication waits for (receipt.h)

void Broker::set_journal(std::unique_ptr<Journal> journal) {
  journal_ = std::move(journal);
  if (!journal_) return;
  journal_->set_receipt_done([this](const ReceiptRef& receipt) { finish_receipt(receipt); });
  journal_->set_part_settled([this](const Part& part, bool kept) {
    Broker& owner = core_.shard(part.shard);
    if (&owner == this) return journal_->settle_part(part.serial, kept);
    owner.loop().post([&owner, serial = part.serial, kept] {
      if (owner.journal_) owner.journal_->settle_part(serial, kept);
    });
  });
}

ReceiptRef Broker::expect_receipt(Delivery& delivery) {
  if (!sessions_durable_ || delivery.publication().qos == Qos::AtMostOnce) return nullptr;
  ReceiptRef& receipt = delivery.receipt();
  if (receipt && receipt->is_joint()) {
    ++receipt->joint().missing;
    return receipt;
  }
  if (!receipt) receipt = std::make_shared<Receipt>(shard_);
  receipt->expect();
  return receipt;
}

void Broker::conclude(const ReceiptRef& receipt, std::size_t changes_before) {
  if (!receipt) return;
  if (changes() != changes_before) return journal_->attach(receipt);
  if (!receipt->done(true)) return;
  finish_receipt(receipt);
  if (receipt->origin() == shard_ && journal_) journal_->notify_waiters();  // no commit will
}

void Broker::finish_receipt(const ReceiptRef& receipt) {
  Broker& origin = core_.shard(receipt->origin());
  if (const ReceiptRef& joint = receipt->waited_for_by()) {
    if (receipt->failed()) joint->fail();
    origin.loop().post([&origin, joint] { origin.join(joint, nullptr); });
    return;
  }
  if (&origin == this) return;
  origin.loop().post([&origin] {
    if (origin.journal_) origin.journal_->notify_waiters();
  });
}

ReceiptRef Broker::begin_joint(std::function<void()> conclude) {
  if (!sessions_durable_ || core_.shards() == 1) return nullptr;
  auto receipt = std::make_shared<Receipt>(shard_);
  receipt->make_joint(std::move(conclude));
  return receipt;
}

void Broker::join(const ReceiptRef& receipt, PartRef part) {
  if (!journal_) return;
  Receipt::Joint& joint = receipt->joint();
  if (part) joint.parts.push_back(std::move(part));
  if (--joint.missing != 0) return;
  for (PartRef& one : joint.parts) journal_->carry(std::move(one));
  joint.parts.clear();
  joint.conclude();
  journal_->attach(receipt);
}

// ---------------------------------------------------------------- shared messages of sessions that ended (8.4)

void Broker::redispatch(std::uint64_t session, Owed owed) {
  if (owed.message->expired(loop_.wall_ms())) {  // [MQTT-3.3.2-5]
    if (owed.durable) journal_->remove(session, owed);
    metrics_.add(Metric::DeliveryDropped);
    metrics_.add(Metric::DeliveryDroppedExpired);
    return;
  }
  const MessageRef message = owed.message;
  const SharedGroupRef group = owed.group;
  const auto old = std::make_shared<Owed>(std::move(owed));
  const ReceiptRef receipt =
      old->durable ? begin_joint([this, session, old] { journal_->remove(session, *old, Journal::Removal::Moved); })
                   : nullptr;
  if (!receipt) {
    dispatch_again(message, group, session, nullptr);
    if (old->durable) journal_->remove(session, *old, Journal::Removal::Moved);
    return;
  }
  Journal::Scope rows(*journal_);
  dispatch_again(message, group, session, receipt);
  join(receipt, rows.close());
}

void Broker::dispatch_orphan(std::uint64_t session, Owed owed) {
  loop_.post([this, session, old = std::make_shared<Owed>(std::move(owed))] { redispatch(session, std::move(*old)); });
}

}  // namespace sb::broker
