#include "broker/journal.h"

#include "base/log.h"
#include "broker/message_queue.h"

namespace sb::broker {

store::MessageFields store_fields(const Message& message, store::MessageId id) {
  store::MessageFields out;
  out.id = id;
  out.topic = message.topic();
  out.payload = message.payload();
  out.properties = message.properties();
  out.qos = message.qos();
  out.retain = message.retain();
  out.published_ms = message.published_ms();
  out.expiry_s = message.expiry_s();
  if (message.from()) {
    out.client_id = message.from()->client_id;
    out.username = message.from()->username;
    out.peer_host = message.from()->peer_host;
  }
  return out;
}

void CommitWaiter::unlink() {
  if (!list_) return;
  if (list_->next_told_ == this) list_->next_told_ = next_;
  (previous_ ? previous_->next_ : list_->first_) = next_;
  (next_ ? next_->previous_ : list_->last_) = previous_;
  next_ = previous_ = nullptr;
  list_ = nullptr;
}

Journal::Journal(store::KeyValue& store, runtime::Loop& loop, unsigned shard)
    : store_(store), loop_(loop), shard_(shard) {}

Journal::~Journal() {
  *alive_ = false;
  while (first_) first_->unlink();
  if (!open_.empty())
    if (const auto last = store_.commit_wait(std::move(open_)); !last)
      SB_LOG(log::Level::Error, "state_not_written", kv("reason", last.error().what));
}

void Journal::touch() {
  if (touched_) return;
  touched_ = true;
  opened_ = loop_.clock().monotonic();
  turns_open_ = 0;
}

void Journal::add(std::uint64_t session, Owed& owed, store::QueueState state, PacketId packet_id) {
  touch();
  ++changes_;
  Row& row = rows_[owed.message.get()];
  if (row.references++ == 0) {
    row.id = ++messages_ << 6 | shard_;
    row.ticket = open_ticket_;
    row.mark = store::put(open_, store::MessageRecord{store_fields(*owed.message, row.id)});
  }
  owed.durable = true;
  update(session, owed, state, packet_id);
}

void Journal::update(std::uint64_t session, Owed& owed, store::QueueState state, PacketId packet_id) {
  touch();
  if (owed.ticket == open_ticket_) open_.cancel(owed.mark);
  store::QueueRecord record;
  record.session = session;
  record.sequence = owed.sequence;
  const auto row = rows_.find(owed.message.get());
  record.message = row == rows_.end() ? 0 : row->second.id;
  record.state = state;
  record.qos = owed.qos;
  record.retain = owed.retain;
  record.packet_id = packet_id;
  if (owed.subscription_id != 0) record.subscription_ids = std::span<const std::uint32_t>(&owed.subscription_id, 1);
  if (owed.group) record.shared_group = owed.group->full_filter();
  // A row that an earlier batch has written stays known as such: then its removal must be written too.
  ++changes_;
  owed.rewritten = owed.rewritten || (owed.ticket != 0 && owed.ticket != open_ticket_);
  owed.row_sent = state != store::QueueState::Queued;
  owed.mark = static_cast<std::uint32_t>(store::put(open_, record));
  owed.ticket = open_ticket_;
}

void Journal::remove(std::uint64_t session, Owed& owed) {
  if (!owed.durable) return;
  owed.durable = false;
  const bool only_here = owed.ticket == open_ticket_ && !owed.rewritten;
  if (owed.ticket == open_ticket_) open_.cancel(owed.mark);
  if (!only_here) {
    touch();
    store::erase_queued(open_, session, owed.sequence);
  }
  const auto found = rows_.find(owed.message.get());
  if (found == rows_.end() || --found->second.references > 0) return;
  if (found->second.ticket == open_ticket_) {
    open_.cancel(found->second.mark);
  } else {
    touch();
    store::erase_message(open_, found->second.id);
  }
  rows_.erase(found);
}

void Journal::adopt(const MessageRef& message, store::MessageId id) {
  Row& row = rows_[message.get()];
  row.id = id;
  ++row.references;
}

// ---------------------------------------------------------------- committing

Nanos Journal::after_turn() {
  constexpr Nanos kForever = Nanos::max();
  if (!retry_.empty()) {
    const Nanos now = loop_.clock().monotonic();
    if (now >= retry_at_ && in_flight_ == 0) {
      auto [ticket, batch] = std::move(retry_.front());
      retry_.pop_front();
      hand_over(ticket, std::move(batch));
    }
    return std::max(retry_at_ - now, Nanos{1'000'000});
  }
  if (!touched_) return kForever;
  if (open_.empty()) {
    // Everything was acknowledged before it had to be written; it still stands behind what is under way.
    const Ticket ticket = next_ticket();
    touched_ = false;
    open_.clear();
    going_.push_back({ticket, std::move(receipts_)});
    receipts_.clear();
    if (in_flight_ == 0) settle(ticket, true);
    return kForever;
  }
  ++turns_open_;
  const Nanos age = loop_.clock().monotonic() - opened_;
  if ((age >= kLinger && turns_open_ >= 3) || age >= 10 * kLinger || open_.bytes() >= kBatchBytes) {
    commit_open();
    return kForever;
  }
  return age >= kLinger ? Nanos{0} : kLinger - age;
}

Ticket Journal::next_ticket() {
  const Ticket ticket = open_ticket_++;
  if (open_ticket_ == 0) open_ticket_ = 1;  // 0 means "nothing to wait for"
  return ticket;
}

void Journal::commit_open() {
  const Ticket ticket = next_ticket();
  touched_ = false;
  going_.push_back({ticket, std::move(receipts_)});
  receipts_.clear();
  store::Batch going = std::move(open_);
  if (!spare_.empty()) {
    open_ = std::move(spare_.back());
    spare_.pop_back();
  }
  hand_over(ticket, std::move(going));
}

void Journal::hand_over(Ticket ticket, store::Batch batch) {
  ++in_flight_;
  // Runs on the store's thread, perhaps after the journal: the loop outlives the store's last commit, the journal need
  // not.
  store_.commit(std::move(batch), [this, &loop = loop_, alive = alive_, ticket](Result<> result, store::Batch spent) {
    auto kept = std::make_shared<store::Batch>(std::move(spent));
    loop.post([this, alive, ticket, ok = result.has_value(), kept] {
      if (*alive) committed(ticket, ok, std::move(*kept));
    });
  });
}

Result<> Journal::commit_now() {
  if (open_.empty()) return {};
  SB_CHECKED(store_.commit_wait(std::move(open_)));
  open_ = store::Batch{};
  touched_ = false;
  settle(next_ticket(), true);
  return {};
}

void Journal::committed(Ticket ticket, bool ok, store::Batch spent) {
  --in_flight_;
  if (!ok) {
    // The rows stay owed to the disk: they are tried again in order, while what depended on them is refused.
    retry_.emplace_back(ticket, std::move(spent));
    std::sort(retry_.begin(), retry_.end(),
              [](const auto& a, const auto& b) { return static_cast<std::int32_t>(a.first - b.first) < 0; });
    retry_at_ = loop_.clock().monotonic() + kRetry;
  } else {
    spent.clear();
    if (spare_.size() < 4) spare_.push_back(std::move(spent));
  }
  settle(ticket, ok);
  // Batches that turned out empty settle with the one before them.
  while (in_flight_ == 0 && !going_.empty()) settle(going_.front().ticket, true);
  notify_waiters();
}

void Journal::settle(Ticket ticket, bool ok) {
  if (!ok) {
    refused_.push_back(ticket);
    if (refused_.size() > 1024) refused_.pop_front();
  }
  if (static_cast<std::int32_t>(ticket - kept_) > 0) kept_ = ticket;
  while (!going_.empty() && static_cast<std::int32_t>(going_.front().ticket - ticket) <= 0) {
    for (const ReceiptRef& receipt : going_.front().receipts)
      if (receipt->done(ok) && receipt_done_) receipt_done_(receipt);
    going_.pop_front();
  }
  if (in_flight_ == 0) notify_waiters();
}

bool Journal::refused(Ticket ticket) const {
  return !refused_.empty() && std::find(refused_.begin(), refused_.end(), ticket) != refused_.end();
}

void Journal::wait(CommitWaiter& waiter) {
  if (waiter.list_) return;
  waiter.list_ = this;
  waiter.previous_ = last_;
  (last_ ? last_->next_ : first_) = &waiter;
  last_ = &waiter;
}

void Journal::notify_waiters() {
  // A waiter may end others while it is told, and a commit may be told of from within one.
  CommitWaiter* const outer = next_told_;
  for (CommitWaiter* waiter = first_; waiter; waiter = next_told_) {
    next_told_ = waiter->next_;
    if (waiter->on_commit(*this)) waiter->unlink();
  }
  next_told_ = outer;
}

void Journal::attach(ReceiptRef receipt) {
  touch();
  receipts_.push_back(std::move(receipt));
}

}  // namespace sb::broker
