#include "broker/recovery.h"

#include "base/log.h"
#include "broker/detail/will_author.h"
#include "broker/topic.h"
#include "store/tables.h"

#include <fmt/format.h>

namespace sb::broker {

namespace {
constexpr std::uint64_t kProgressEvery = 100'000;
constexpr std::size_t kRetainedReserve = 8'000'000;  // topics: 80 MB at most that an estimate may be wrong by

Publication publication_of(const store::MessageFields& fields, const IdentityRef* from) {
  Publication p;
  p.topic = fields.topic;
  p.payload = fields.payload;
  p.properties = fields.properties;
  p.qos = fields.qos;
  p.retain = fields.retain;
  p.expiry_s = fields.expiry_s;
  p.published_ms = fields.published_ms;
  p.from = from;
  return p;
}
}  // namespace

Result<Recovery::Report> Recovery::run(Core& core, store::KeyValue& store, const Options& options) {
  Recovery recovery(core, store, options);
  if (options.sessions) {
    SB_CHECKED(recovery.load_sessions());
    SB_CHECKED(recovery.load_subscriptions());
    SB_CHECKED(recovery.load_messages());
    SB_CHECKED(recovery.load_queues());
    SB_CHECKED(recovery.load_awaiting());
  }
  if (options.retained) SB_CHECKED(recovery.load_retained());
  for (unsigned shard = 0; shard < core.shards(); ++shard)
    core.shard(shard).set_durable(options.sessions, options.retained);
  if (options.sessions) {
    recovery.resume_timers();
    SB_CHECKED(recovery.post_wills());
  }
  return recovery.report_;
}

void Recovery::tick(std::string_view table, std::uint64_t count) {
  if (options_.progress && count % kProgressEvery == 0) options_.progress(table, count);
}

Result<> Recovery::load_sessions() {
  return store::scan<store::SessionRecord>(store_, [this](const store::SessionRecord& record) -> Result<> {
    Broker& broker = core_.shard(core_.home_of(record.client_id));
    auto identity = std::make_shared<const Identity>(
        Identity{std::string(record.client_id), std::string(record.username), std::string(record.peer_host)});
    // Owned by the broker from here on.
    auto made = std::make_unique<Session>(broker, record.number, identity, options_.settings(record.zone));
    Session* session = made.release();
    session->created_ms_ = record.created_ms;
    session->expiry_s_ = record.expiry_interval_s;
    session->clean_start_ = record.clean_start;
    session->disconnected_ms_ = record.disconnected_ms;
    session->perhaps_sent_below_ = record.perhaps_sent_below;
    // Also where no row of before is left: what comes now was never sent.
    session->next_sequence_ = std::max(session->next_sequence_, record.perhaps_sent_below);
    if (record.tells_connection())
      session->last_connection_ = std::make_unique<const LastConnection>(
          LastConnection{std::string(record.listener), std::string(record.mountpoint), record.version, record.peer_port,
                         record.keep_alive_s, record.connected_ms});
    if (record.disconnected_ms == 0) was_connected_.push_back(session);
    if (record.will) {
      auto will = std::make_unique<Will>();
      will->topic = record.will->topic;
      will->payload = as_text(record.will->payload);
      will->properties = as_text(record.will->properties);
      will->qos = record.will->qos;
      will->retain = record.will->retain;
      will->delay_s = record.will->delay_s;
      will->message_expiry_s = record.will->expiry_s;
      detail::take_author(*will, record.will->author);
      session->will_ = std::move(will);
    }
    broker.sessions_.insert(*session);
    broker.session_numbers_ = std::max(broker.session_numbers_, record.number >> 6);
    // Numbers are unique over shards, and a session may have moved: every shard counts on from the highest.
    for (unsigned shard = 0; shard < core_.shards(); ++shard)
      core_.shard(shard).session_numbers_ = std::max(core_.shard(shard).session_numbers_, broker.session_numbers_);
    sessions_.emplace(record.number, session);
    identities_.emplace(std::string(record.client_id), identity);
    tick("sessions", ++report_.sessions);
    return {};
  });
}

Result<> Recovery::load_subscriptions() {
  return store::scan<store::SubscriptionRecord>(store_, [this](const store::SubscriptionRecord& record) -> Result<> {
    const auto found = sessions_.find(record.session);
    if (found == sessions_.end()) return {};
    Session& session = *found->second;
    // Once the two spellings of $queue/f were two subscriptions.
    const std::string_view filter = canonical_filter(record.filter);
    if (filter != record.filter) {
      store::Batch& batch = session.broker_.journal_->batch();
      store::erase_subscription(batch, record.session, record.filter);
      if (session.find_subscription(filter)) return {};
      store::SubscriptionRecord moved = record;
      moved.filter = filter;
      store::put(batch, moved);
    }
    if (const auto restored = session.broker_.add_subscription(session, filter, record.options);
        !restored.subscription) {
      SB_LOG(log::Level::Error, "subscription_not_restored", kv("clientid", session.client_id()),
             kv("topic", record.filter), kv("reason", fmt::format("0x{:02x}", static_cast<unsigned>(restored.code))));
      return {};
    }
    tick("subscriptions", ++report_.subscriptions);
    return {};
  });
}

Result<> Recovery::load_messages() {
  return store::scan<store::MessageRecord>(store_, [this](const store::MessageRecord& record) -> Result<> {
    IdentityRef identity;
    if (const auto known = identities_.find(record.message.client_id); known != identities_.end()) {
      identity = known->second;
    } else {
      identity = std::make_shared<const Identity>(Identity{std::string(record.message.client_id),
                                                           std::string(record.message.username),
                                                           std::string(record.message.peer_host)});
      identities_.emplace(identity->client_id, identity);
    }
    messages_[record.message.id].message = MessageRef::adopt(Message::make(publication_of(record.message, &identity)));
    for (unsigned shard = 0; shard < core_.shards(); ++shard)
      core_.shard(shard).journal_->set_message_floor(record.message.id >> 6);
    tick("messages", ++report_.messages);
    return {};
  });
}

Result<> Recovery::load_queues() {
  store::Batch moved;
  SB_CHECKED(store::scan<store::QueueRecord>(store_, [&](const store::QueueRecord& record) -> Result<> {
    const auto found = sessions_.find(record.session);
    const auto message = messages_.find(record.message);
    if (message == messages_.end() || (found == sessions_.end() && record.shared_group.empty())) {
      store::erase_queued(moved, record.session, record.sequence);
      return {};
    }
    if (found == sessions_.end()) return adopt_orphan(record, message->second);
    Session& session = *found->second;
    Broker& broker = session.broker_;
    if (message->second.shard == ~0U) message->second.shard = broker.shard();
    const bool moved_here = message->second.shard != broker.shard();
    Owed owed;
    // Its row exists: when it goes, that must be written.
    owed.rewritten = true;
    owed.message = message->second.message;
    owed.sequence = record.sequence;
    owed.qos = record.qos;
    owed.retain = record.retain;
    if (!record.subscription_ids.empty()) owed.subscription_id = record.subscription_ids[0];
    if (!record.shared_group.empty())
      if (const Subscription* subscription = session.find_subscription(record.shared_group);
          subscription && subscription->shared())
        owed.group = SharedGroupRef(subscription->special->group);
    if (moved_here) {
      // The shards were dealt out anew and two of them owe this message: the second keeps a record of its own.
      MessageRef& copy = message->second.copies[broker.shard()];
      if (!copy) copy = MessageRef::adopt(Message::make(message->second.message->as_publication()));
      owed.message = copy;
      broker.journal_->add(session.number_, owed, record.state, record.packet_id);
    } else {
      broker.journal_->adopt(message->second.message, record.message);
      owed.durable = true;
    }
    session.next_sequence_ = std::max(session.next_sequence_, record.sequence + 1);
    session.restore(std::move(owed), record.state, record.packet_id);
    tick("queues", ++report_.owed);
    return {};
  }));
  SB_TRY(report_.orphans, store::erase_unreferenced(store_, [this](store::MessageId id) {
           const auto found = messages_.find(id);
           return found != messages_.end() && found->second.shard != ~0U;
         }));
  messages_.clear();
  if (!moved.empty()) SB_CHECKED(store_.commit_wait(std::move(moved)));
  // Copies must be there before the shard that has the original may erase it.
  for (unsigned shard = 0; shard < core_.shards(); ++shard) SB_CHECKED(core_.shard(shard).journal_->commit_now());
  return {};
}

// The session had ended, and what it shared with others was not stored with one of them yet.
Result<> Recovery::adopt_orphan(const store::QueueRecord& record, Stored& stored) {
  if (stored.shard == ~0U) stored.shard = static_cast<unsigned>(record.session & 63) % core_.shards();
  Broker& broker = core_.shard(stored.shard);
  Owed owed;
  owed.message = stored.message;
  owed.sequence = record.sequence;
  owed.qos = record.qos;
  owed.durable = true;
  owed.rewritten = true;
  broker.journal_->adopt(stored.message, record.message);
  owed.group = SharedGroupRef(broker.find_group(stored.message->topic(), record.shared_group));
  if (owed.group)
    broker.dispatch_orphan(record.session, std::move(owed));
  else
    broker.journal_->remove(record.session, owed);
  return {};
}

Result<> Recovery::load_awaiting() {
  return store::scan<store::AwaitingRelRecord>(store_, [this](const store::AwaitingRelRecord& record) -> Result<> {
    const auto found = sessions_.find(record.session);
    if (found == sessions_.end()) return {};
    Session& session = *found->second;
    // Its age counts; a clock that went back makes it new.
    const std::int64_t age = std::max<std::int64_t>(0, session.broker_.loop().wall_ms() - record.received_ms);
    session.awaiting_.push_back({record.packet_id, session.now_ms() - age});
    return {};
  });
}

Result<> Recovery::load_retained() {
  // Rows that were written over may be counted twice. A shard's share differs from another's.
  const std::size_t expected = store_.stats().records[store::index_of(store::Table::Retained)];
  const std::size_t share = std::min<std::size_t>(expected, kRetainedReserve) / core_.shards();
  for (unsigned shard = 0; shard < core_.shards(); ++shard) core_.shard(shard).retained().begin_bulk(share);
  SB_CHECKED(store::scan<store::RetainedRecord>(store_, [this](const store::RetainedRecord& record) -> Result<> {
    IdentityRef& identity = identities_[std::string(record.message.client_id)];
    if (!identity)
      identity = std::make_shared<const Identity>(Identity{std::string(record.message.client_id),
                                                           std::string(record.message.username),
                                                           std::string(record.message.peer_host)});
    Broker& broker = core_.shard(core_.retained_home_of(record.message.topic));
    broker.keep_retained(MessageRef::adopt(Message::make(publication_of(record.message, &identity))));
    tick("retained", ++report_.retained);
    return {};
  }));
  for (unsigned shard = 0; shard < core_.shards(); ++shard) core_.shard(shard).retained().end_bulk();
  return {};
}

std::int64_t Recovery::crash_ms(std::int64_t wall_ms) const {
  // A mark ahead of the clock is a clock that went back.
  return options_.last_alive_ms == 0 ? wall_ms : std::min(options_.last_alive_ms, wall_ms);
}

void Recovery::resume_timers() {
  for (Session* session : was_connected_) {
    // The mark may be older than the connection, which was there later than that.
    const std::int64_t wall_ms = session->broker_.loop().wall_ms();
    const std::int64_t seen_ms = session->last_connection_ ? session->last_connection_->connected_ms : 0;
    session->disconnected_ms_ = std::max(crash_ms(wall_ms), std::min(seen_ms, wall_ms));
    session->perhaps_sent_below_ = session->next_sequence_;
    session->broker_.store_session(*session);
  }
  for (auto& [number, session] : sessions_) {
    const std::int64_t wall = session->broker_.loop().wall_ms();
    const std::int64_t now = session->now_ms();
    // Down-time counts; a clock that went back must not lengthen or shorten anything beyond the interval itself.
    const auto left_ms = [&](std::uint32_t interval_s) {
      const std::int64_t whole = std::int64_t{interval_s} * 1000;
      return std::clamp<std::int64_t>(session->disconnected_ms_ + whole - wall, 0, whole);
    };
    if (session->expiry_s_ != kNeverExpires) {
      session->expires_at_ms_ = std::max<std::int64_t>(1, now + left_ms(session->expiry_s_));
      session->want_timer(session->expires_at_ms_);
    }
    if (!session->awaiting_.empty() && session->settings_->await_rel_timeout.count() > 0) {
      // Rows come by packet identifier; what is oldest ends first.
      std::stable_sort(session->awaiting_.begin(), session->awaiting_.end(),
                       [](const auto& a, const auto& b) { return a.since_ms < b.since_ms; });
      session->want_timer(
          std::max(now, session->awaiting_.front().since_ms + session->settings_->await_rel_timeout.count()));
    }
    if (session->will_) {
      session->will_at_ms_ =
          std::max<std::int64_t>(1, now + left_ms(std::min(session->will_->delay_s, session->expiry_s_)));
      session->want_timer(session->will_at_ms_);
    }
  }
}

Result<> Recovery::post_wills() {
  struct Pending {
    std::string key;
    IdentityRef from;
    Will will;
  };
  std::vector<Pending> pending;
  SB_CHECKED(store::scan<store::WillRecord>(store_, [&](const store::WillRecord& record) -> Result<> {
    const store::MessageFields& fields = record.message;
    Pending one;
    one.from = std::make_shared<const Identity>(
        Identity{std::string(fields.client_id), std::string(fields.username), std::string(fields.peer_host)});
    one.key = record.owner;
    one.will.topic = fields.topic;
    one.will.payload = as_text(fields.payload);
    one.will.properties = as_text(fields.properties);
    one.will.qos = fields.qos;
    one.will.retain = fields.retain;
    one.will.message_expiry_s = fields.expiry_s;
    detail::take_author(one.will, record.author);
    pending.push_back(std::move(one));
    return {};
  }));
  for (Pending& one : pending) {
    Broker& broker = core_.shard(core_.home_of(one.from->client_id));
    // The sessions of these clients ended with the node: their wills are due at once, whatever their delay. At once is
    // the first turn: who judges a will may have to ask a back end, and none is there before.
    broker.loop().post([&broker, one = std::move(one)] {
      broker.release_will(one.from, one.will);
      store::erase_will(broker.journal_->batch(), one.key);
    });
    ++report_.wills;
  }
  return {};
}

}  // namespace sb::broker
