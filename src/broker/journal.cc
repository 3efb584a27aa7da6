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
  for (Lot& lot : staged_) write(lot.rows);
  write(open_.rows);
}

void Journal::touch() {
  if (touched_) return;
  touched_ = true;
  open_.opened = loop_.clock().monotonic();
}

Part* Journal::undecided(std::uint32_t serial) const {
  const auto found = parts_.find(serial);
  return found == parts_.end() ? nullptr : found->second.get();
}

void Journal::write_message(store::Batch& to, Row& row, const Message& message) {
  row.ticket = open_.ticket;
  if (part_) row.part = part_->serial;
  row.mark = store::put(to, store::MessageRecord{store_fields(message, row.id)});
}

void Journal::add(std::uint64_t session, Owed& owed, store::QueueState state, PacketId packet_id) {
  touch();
  Row& row = rows_[owed.message.get()];
  store::Batch& to = part_ ? part_->rows : open_.rows;
  if (row.references++ == 0) {
    row.id = ++messages_ << 6 | shard_;
    write_message(to, row, *owed.message);
  } else if (part_ ? row.part != part_->serial && (!stored(row.ticket) || undecided(row.part))
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
    owed.ticket = open_.ticket;
    return;
  } else if (owed.ticket == open_.ticket) {
    open_.rows.cancel(owed.mark);
  }
  if (state == store::QueueState::Sent)
    ++open_.hopes;
  else
    open_.urgent = true;
  // A row that an earlier batch has written stays known as such: then its removal must be written too.
  owed.rewritten = owed.rewritten || (owed.ticket != 0 && owed.ticket != open_.ticket);
  owed.mark = static_cast<std::uint32_t>(store::put(open_.rows, record));
  owed.ticket = open_.ticket;
}

void Journal::remove(std::uint64_t session, Owed& owed, Removal removal) {
  if (!owed.durable) return;
  owed.durable = false;
  if (owed.ticket == probe_.ticket && owed.ticket != 0 && --probe_.left == 0)
    probed(loop_.clock().monotonic() - probe_.opened);
  const auto taken_back = [&](Ticket ticket, std::uint32_t mark) {
    Lot* lot = removal == Removal::Done || ticket == open_.ticket ? not_gone(ticket) : nullptr;
    if (!lot) return false;
    lot->rows.cancel(mark);
    return true;
  };
  if (owed.apart) {
    Part* part = undecided(owed.mark);
    if (!part) touch();
    store::erase_queued(part ? part->after : open_.rows, session, owed.sequence);
  } else if (!taken_back(owed.ticket, owed.mark) || owed.rewritten) {
    touch();
    store::erase_queued(open_.rows, session, owed.sequence);
  }
  const auto found = rows_.find(owed.message.get());
  if (found == rows_.end() || --found->second.references > 0) return;
  const Row& row = found->second;
  if (Part* part = undecided(row.part)) {
    store::erase_message(part->after, row.id);
  } else if (row.part != 0 || row.spread || !taken_back(row.ticket, static_cast<std::uint32_t>(row.mark))) {
    touch();
    store::erase_message(open_.rows, row.id);
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
    part_->ticket = journal.open_.ticket;
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
  open_.urgent = true;
  open_.rows.append(part->rows);
  part->rows = store::Batch{};
  opening_.carried.push_back(std::move(part));
}

void Journal::settle_part(std::uint32_t serial, bool kept) {
  const auto found = parts_.find(serial);
  if (found == parts_.end()) return;
  const PartRef part = found->second;
  Going* going = part->ticket == open_.ticket ? &opening_ : find_going(part->ticket);
  if (going) {
    --going->parts;
    going->ok = going->ok && kept;
  }
  const bool was_refused = std::exchange(part->ticket, 0) == 0;  // then nobody waits for it any more
  if (!kept && !was_refused) {
    begin_owing();
    ++refused_parts_;
  }
  if (kept) {
    if (was_refused) --refused_parts_;
    parts_.erase(found);
    if (!part->after.empty()) {
      touch();
      open_.rows.append(part->after);
    }
    end_owing();
  }
  if (!settle() && was_refused) notify_waiters();
}

// ---------------------------------------------------------------- committing

Nanos Journal::after_turn() {
  constexpr Nanos kForever = Nanos::max();
  if (trouble()) {
    // One after the other, and nothing new before they are through: it would be refused with them.
    if (in_flight_ != 0) return kForever;  // its end wakes the loop
    const Nanos now = loop_.clock().monotonic();
    if (now < retry_at_) return std::max(retry_at_ - now, Nanos{1'000'000});
    Refused again = std::move(retry_.front());
    retry_.pop_front();
    retrying_ = true;
    lane_->open();
    hand_over(again.ticket, std::move(again.batch), std::move(again.carried));
    return kForever;
  }
  if (!touched_ && staged_.empty()) return kForever;
  const Nanos now = loop_.clock().monotonic();
  Nanos next = kForever;
  if (touched_) {
    // What nothing will take back stays open for more of its kind.
    const bool grows = (open_.urgent || open_.hopes == 0) && now - open_.opened < kLinger && !open_.rows.empty();
    if (grows)
      next = open_.opened + kLinger - now;
    else
      close_open();
  }
  std::size_t bytes = open_.rows.bytes();
  std::size_t count = 0;
  for (std::size_t i = 0; i < staged_.size(); ++i) {
    bytes += staged_[i].rows.bytes();
    if (due(staged_[i]) <= now || bytes >= kBatchBytes) count = i + 1;
  }
  commit_staged(count);
  for (const Lot& waiting : staged_) next = std::min(next, due(waiting) - now);
  return next;
}

/// Hands over the first `count`, as one, and drops what follows them if nothing of it is left to write.
void Journal::commit_staged(std::size_t count) {
  store::Batch together;
  Carried carried;
  Ticket last = 0;
  for (; !staged_.empty() && (count > 0 || staged_.front().rows.empty()); count -= count > 0 ? 1 : 0) {
    Lot lot = std::move(staged_.front());
    staged_.pop_front();
    Going* going = find_going(lot.ticket);
    if (lot.rows.empty() && going->carried.empty()) {
      // Everything was acknowledged before it had to be written; it still stands behind what is under way.
      written(*going, true);
      recycle(std::move(lot.rows));
      continue;
    }
    last = lot.ticket;
    carried.insert(carried.end(), going->carried.begin(), going->carried.end());
    going->carried.clear();
    if (together.bytes() == 0) {
      together = std::move(lot.rows);
    } else {
      together.append(lot.rows);
      recycle(std::move(lot.rows));
    }
  }
  if (last != 0) hand_over(last, std::move(together), std::move(carried));
  settle();
}

void Journal::probe(const Lot& lot) {
  if (lot.urgent || lot.hopes == 0) return;
  if (probe_.ticket != 0) {
    if (lot.opened - probe_.opened < 2 * kHope) return;
    probed(2 * kHope);  // some of them do not answer
  }
  probe_.ticket = lot.ticket;
  probe_.opened = lot.opened;
  probe_.left = std::max(1U, lot.hopes * 7 / 8);
}

/// Waiting pays only where acknowledgements come within the wait.
void Journal::probed(Nanos took) {
  probe_.ticket = 0;
  probe_.usual = (3 * probe_.usual + took) / 4;
  const Nanos enough = probe_.usual + probe_.usual / 2;
  hope_ = enough <= kHope ? std::max(enough, kLinger) : kLinger;
}

void Journal::recycle(store::Batch batch) {
  batch.clear();
  if (spare_.size() < 16) spare_.push_back(std::move(batch));
}

Journal::Lot* Journal::not_gone(Ticket ticket) {
  if (ticket == open_.ticket) return touched_ ? &open_ : nullptr;
  for (auto lot = staged_.rbegin(); lot != staged_.rend(); ++lot)
    if (lot->ticket == ticket) return &*lot;
  return nullptr;
}

void Journal::close_open() {
  Ticket next = open_.ticket + 1;
  if (next == 0) next = 1;  // 0 means "nothing to wait for"
  opening_.ticket = open_.ticket;
  going_.push_back(std::exchange(opening_, Going{}));
  probe(open_);
  staged_.push_back(std::exchange(open_, Lot{}));
  open_.ticket = next;
  if (!spare_.empty()) {
    open_.rows = std::move(spare_.back());
    spare_.pop_back();
  }
  touched_ = false;
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
  if (open_.rows.empty()) return {};
  SB_CHECKED(store_.commit_wait(std::move(open_.rows)));
  open_.rows = store::Batch{};
  close_open();
  staged_.clear();
  written(going_.back(), true);
  settle();
  return {};
}

void Journal::committed(Ticket ticket, bool ok, store::Batch spent, Carried carried) {
  --in_flight_;
  retrying_ = false;
  for (const PartRef& part : carried)
    if (part_settled_) part_settled_(*part, ok);
  if (!ok) {
    // The rows stay owed to the disk: they are tried again in order, while what depended on them is refused.
    begin_owing();
    retry_.push_back({ticket, std::move(spent), std::move(carried)});
    std::sort(retry_.begin(), retry_.end(),
              [](const Refused& a, const Refused& b) { return static_cast<std::int32_t>(a.ticket - b.ticket) < 0; });
    retry_at_ = loop_.clock().monotonic() + kRetry;
  } else {
    recycle(std::move(spent));
    if (owing_ && refused_parts_ == 0) {
      if (static_cast<std::int32_t>(ticket - stored_) > 0) stored_ = ticket;
      while (!refused_.empty() && static_cast<std::int32_t>(refused_.front() - ticket) <= 0) refused_.pop_front();
    }
    end_owing();
  }
  // Those before it that are not committed yet went with it.
  for (Going& going : going_) {
    if (static_cast<std::int32_t>(going.ticket - ticket) > 0) break;
    if (!going.committed) written(going, ok);
  }
  if (!settle()) notify_waiters();  // of the room that there is
}

void Journal::written(Going& going, bool ok) {
  going.committed = true;
  going.ok = going.ok && ok;
  // A joint commit that waits for this batch may hold parts of the same ticket: it hears before the ticket is kept.
  std::erase_if(going.receipts, [&](const ReceiptRef& receipt) {
    if (!receipt->waited_for_by()) return false;
    if (receipt->done(ok) && receipt_done_) receipt_done_(receipt);
    return true;
  });
}

Journal::Going* Journal::find_going(Ticket ticket) {
  for (Going& going : going_)
    if (going.ticket == ticket) return &going;
  return nullptr;
}

bool Journal::settle() {
  bool any = false;
  for (; !going_.empty() && going_.front().committed && going_.front().parts == 0; any = true) {
    const Going done = std::move(going_.front());
    going_.pop_front();
    kept_ = done.ticket;
    const bool ok = done.ok || !owing_;  // else it has been written since
    if (!ok) refused_.push_back(done.ticket);
    for (const ReceiptRef& receipt : done.receipts)
      if (receipt->done(ok) && receipt_done_) receipt_done_(receipt);
  }
  if (any) notify_waiters();
  return any;
}

bool Journal::refused(Ticket ticket) const {
  return !refused_.empty() && std::find(refused_.begin(), refused_.end(), ticket) != refused_.end();
}

void Journal::begin_owing() {
  // What is refused now belongs to a ticket that is not kept yet.
  if (!owing_ || static_cast<std::int32_t>(stored_ - kept_) > 0) stored_ = kept_;
  owing_ = true;
}

void Journal::end_owing() {
  if (!owing_ || trouble() || refused_parts_ != 0) return;
  owing_ = false;
  refused_.clear();
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
