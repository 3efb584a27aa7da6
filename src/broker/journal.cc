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
  const auto write = [this](store::Batch& batch) {
    if (batch.empty()) return;
    if (const auto last = store_.commit_wait(std::move(batch)); !last)
      SB_LOG(log::Level::Error, "state_not_written", kv("reason", last.error().what));
  };
  for (Refused& refused : retry_) write(refused.batch);
  write(open_);
}

void Journal::touch() {
  if (touched_) return;
  touched_ = true;
  opened_ = loop_.clock().monotonic();
  turns_open_ = 0;
}

Part* Journal::undecided(std::uint32_t serial) const {
  const auto found = parts_.find(serial);
  return found == parts_.end() ? nullptr : found->second.get();
}

void Journal::write_message(store::Batch& to, Row& row, const Message& message) {
  row.ticket = open_ticket_;
  if (part_) row.part = part_->serial;
  row.mark = store::put(to, store::MessageRecord{store_fields(message, row.id)});
}

void Journal::add(std::uint64_t session, Owed& owed, store::QueueState state, PacketId packet_id) {
  touch();
  Row& row = rows_[owed.message.get()];
  store::Batch& to = part_ ? part_->rows : open_;
  if (row.references++ == 0) {
    row.id = ++messages_ << 6 | shard_;
    write_message(to, row, *owed.message);
  } else if (part_ ? row.part != part_->serial && (!kept(row.ticket) || undecided(row.part))
                   : undecided(row.part) != nullptr) {
    // It is stored by a batch that may come after the one which names it now: written with both.
    row.spread = true;
    write_message(to, row, *owed.message);
  }
  owed.durable = true;
  owed.apart = false;
  owed.ticket = 0;
  update(session, owed, state, packet_id);
}

void Journal::update(std::uint64_t session, Owed& owed, store::QueueState state, PacketId packet_id) {
  touch();
  ++changes_;
  const auto row = rows_.find(owed.message.get());
  store::QueueRecord record;
  record.session = session;
  record.sequence = owed.sequence;
  record.message = row == rows_.end() ? 0 : row->second.id;
  record.state = state;
  record.qos = owed.qos;
  record.retain = owed.retain;
  record.packet_id = packet_id;
  if (owed.subscription_id != 0) record.subscription_ids = std::span<const std::uint32_t>(&owed.subscription_id, 1);
  if (owed.group) record.shared_group = owed.group->full_filter();
  owed.row_sent = state != store::QueueState::Queued;
  if (owed.apart) {
    if (Part* part = undecided(owed.mark)) {
      store::put(part->after, record);
      return;
    }
    owed.apart = false;
  } else if (part_ && owed.ticket == 0) {
    store::put(part_->rows, record);
    owed.apart = true;
    owed.rewritten = true;
    owed.mark = part_->serial;
    owed.ticket = open_ticket_;
    return;
  } else if (owed.ticket == open_ticket_) {
    open_.cancel(owed.mark);
  }
  // A row that an earlier batch has written stays known as such: then its removal must be written too.
  owed.rewritten = owed.rewritten || (owed.ticket != 0 && owed.ticket != open_ticket_);
  owed.mark = static_cast<std::uint32_t>(store::put(open_, record));
  owed.ticket = open_ticket_;
}

void Journal::remove(std::uint64_t session, Owed& owed) {
  if (!owed.durable) return;
  owed.durable = false;
  if (owed.apart) {
    Part* part = undecided(owed.mark);
    if (!part) touch();
    store::erase_queued(part ? part->after : open_, session, owed.sequence);
  } else {
    const bool only_here = owed.ticket == open_ticket_ && !owed.rewritten;
    if (owed.ticket == open_ticket_) open_.cancel(owed.mark);
    if (!only_here) {
      touch();
      store::erase_queued(open_, session, owed.sequence);
    }
  }
  const auto found = rows_.find(owed.message.get());
  if (found == rows_.end() || --found->second.references > 0) return;
  const Row& row = found->second;
  if (Part* part = undecided(row.part)) {
    store::erase_message(part->after, row.id);
  } else if (row.ticket == open_ticket_ && row.part == 0 && !row.spread) {
    open_.cancel(row.mark);
  } else {
    touch();
    store::erase_message(open_, row.id);
  }
  rows_.erase(found);
}

void Journal::adopt(const MessageRef& message, store::MessageId id) {
  Row& row = rows_[message.get()];
  row.id = id;
  ++row.references;
}

// ---------------------------------------------------------------- joint commits

Journal::Scope::Scope(Journal& journal, bool apart) : journal_(journal), outer_(journal.part_) {
  if (apart) {
    part_ = std::make_shared<Part>();
    part_->shard = journal.shard_;
    part_->serial = ++journal.part_serials_;
    if (part_->serial == 0) part_->serial = ++journal.part_serials_;  // 0 means "no part"
    part_->ticket = journal.open_ticket_;
  }
  journal.part_ = part_.get();
}

PartRef Journal::Scope::close() {
  journal_.part_ = outer_;
  if (part_->rows.empty()) return nullptr;
  journal_.touch();
  ++journal_.opening_.parts;
  journal_.parts_.emplace(part_->serial, part_);
  return std::move(part_);
}

void Journal::carry(PartRef part) {
  touch();
  ++changes_;
  open_.append(part->rows);
  part->rows = store::Batch{};
  opening_.carried.push_back(std::move(part));
}

void Journal::settle_part(std::uint32_t serial, bool kept) {
  const auto found = parts_.find(serial);
  if (found == parts_.end()) return;
  const PartRef part = found->second;
  Going* going = part->ticket == open_ticket_ ? &opening_ : find_going(part->ticket);
  if (going) {
    --going->parts;
    going->ok = going->ok && kept;
  }
  part->ticket = 0;  // the second time, after a refusal, nobody waits any more
  if (kept) {
    parts_.erase(found);
    if (!part->after.empty()) {
      touch();
      open_.append(part->after);
    }
  }
  settle();
}

// ---------------------------------------------------------------- committing

Nanos Journal::after_turn() {
  constexpr Nanos kForever = Nanos::max();
  if (!retry_.empty()) {
    const Nanos now = loop_.clock().monotonic();
    if (now >= retry_at_ && in_flight_ == 0) {
      Refused again = std::move(retry_.front());
      retry_.pop_front();
      lane_->open();
      hand_over(again.ticket, std::move(again.batch), std::move(again.carried));
    }
    return std::max(retry_at_ - now, Nanos{1'000'000});
  }
  if (!touched_) return kForever;
  if (open_.empty()) {
    // Everything was acknowledged before it had to be written; it still stands behind what is under way.
    close_open();
    open_.clear();
    going_.back().committed = true;
    settle();
    return kForever;
  }
  ++turns_open_;
  const Nanos age = loop_.clock().monotonic() - opened_;
  if ((age >= kLinger && turns_open_ >= 3) || age >= 10 * kLinger || open_.bytes() >= kBatchBytes) {
    store::Batch going = std::move(open_);
    if (!spare_.empty()) {
      open_ = std::move(spare_.back());
      spare_.pop_back();
    }
    const Ticket ticket = close_open();
    hand_over(ticket, std::move(going), std::move(going_.back().carried));
    return kForever;
  }
  return age >= kLinger ? Nanos{0} : kLinger - age;
}

Ticket Journal::close_open() {
  const Ticket ticket = open_ticket_++;
  if (open_ticket_ == 0) open_ticket_ = 1;  // 0 means "nothing to wait for"
  touched_ = false;
  opening_.ticket = ticket;
  going_.push_back(std::exchange(opening_, Going{}));
  return ticket;
}

void Journal::hand_over(Ticket ticket, store::Batch batch, Carried carried) {
  ++in_flight_;
  // Runs on the store's thread, perhaps after the journal: the loop outlives the store's last commit, the journal need
  // not.
  store_.commit(
      std::move(batch),
      [this, &loop = loop_, alive = alive_, ticket, carried = std::move(carried)](Result<> result,
                                                                                  store::Batch spent) mutable {
        auto kept = std::make_shared<store::Batch>(std::move(spent));
        loop.post([this, alive, ticket, ok = result.has_value(), kept, carried = std::move(carried)]() mutable {
          if (*alive) committed(ticket, ok, std::move(*kept), std::move(carried));
        });
      },
      lane_);
}

Result<> Journal::commit_now() {
  if (open_.empty()) return {};
  SB_CHECKED(store_.commit_wait(std::move(open_)));
  open_ = store::Batch{};
  close_open();
  going_.back().committed = true;
  settle();
  return {};
}

void Journal::committed(Ticket ticket, bool ok, store::Batch spent, Carried carried) {
  --in_flight_;
  for (const PartRef& part : carried)
    if (part_settled_) part_settled_(*part, ok);
  if (!ok) {
    // The rows stay owed to the disk: they are tried again in order, while what depended on them is refused.
    retry_.push_back({ticket, std::move(spent), std::move(carried)});
    std::sort(retry_.begin(), retry_.end(),
              [](const Refused& a, const Refused& b) { return static_cast<std::int32_t>(a.ticket - b.ticket) < 0; });
    retry_at_ = loop_.clock().monotonic() + kRetry;
  } else {
    spent.clear();
    if (spare_.size() < 4) spare_.push_back(std::move(spent));
  }
  if (Going* going = find_going(ticket)) {
    going->committed = true;
    going->ok = going->ok && ok;
  }
  settle();
}

Journal::Going* Journal::find_going(Ticket ticket) {
  for (Going& going : going_)
    if (going.ticket == ticket) return &going;
  return nullptr;
}

void Journal::settle() {
  bool any = false;
  for (; !going_.empty() && going_.front().committed && going_.front().parts == 0; any = true) {
    const Going done = std::move(going_.front());
    going_.pop_front();
    kept_ = done.ticket;
    if (!done.ok) {
      refused_.push_back(done.ticket);
      if (refused_.size() > 1024) refused_.pop_front();
    }
    for (const ReceiptRef& receipt : done.receipts)
      if (receipt->done(done.ok) && receipt_done_) receipt_done_(receipt);
  }
  if (any || !congested()) notify_waiters();
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
  opening_.receipts.push_back(std::move(receipt));
}

}  // namespace sb::broker
