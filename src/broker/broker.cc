// check: allow new in this file: a session is owned by the set that finds it
#include "broker/broker.h"

#include "base/check.h"
#include "base/log.h"
#include "broker/topic.h"

namespace sb::broker {

std::string_view to_string(DropReason reason) {
  switch (reason) {
    case DropReason::NoLocal:
      return "no_local";
    case DropReason::TooLarge:
      return "too_large";
    case DropReason::Qos0Offline:
      return "qos0_msg";
    case DropReason::QueueFull:
      return "queue_full";
    case DropReason::Expired:
      return "expired";
    case DropReason::Congested:
      return "queue_full";
  }
  return "unknown";
}

Broker::Broker(Core& core, unsigned shard, runtime::Loop& loop, CoreSettingsRef settings)
    : core_(core),
      shard_(shard),
      loop_(loop),
      settings_(std::move(settings)),
      to_wake_(core.shards(), false),
      wake_others_(*this),
      disk_relief_(*this),
      random_(std::random_device{}()) {}

Broker::~Broker() {
  std::vector<Session*> all(sessions_.begin(), sessions_.end());
  sessions_.clear();
  for (Session* session : all) {
    std::vector<Subscription*> subscriptions(session->subscriptions_.begin(), session->subscriptions_.end());
    for (Subscription* subscription : subscriptions) detach_subscription(*session, *subscription);
    delete session;
  }
}

// ---------------------------------------------------------------- sessions (broker.md 4)

Session* Broker::find(std::string_view client_id) {
  const auto found = sessions_.find(client_id);
  return found == sessions_.end() ? nullptr : *found;
}

Broker::Opened Broker::open(OpenRequest request, SessionSink& sink) {
  Session* session = find(request.identity->client_id);
  if (session) {
    const bool ends = request.clean_start || !session->persistent();
    if (SessionSink* old = std::exchange(session->sink_, nullptr)) {
      old->on_session_lost(request.clean_start ? EndReason::Discarded : EndReason::TakenOver);
      // [S] 4.4: a will without delay, or of a session that ends, is published; otherwise resuming cancels it.
      if (session->will_ && (ends || session->will_->delay_s == 0)) publish_will(*session);
    } else if (session->will_ && ends) {
      publish_will(*session);
    }
    session->will_.reset();
    session->will_at_ms_ = 0;
    if (!ends && request.expiry_s == 0 && session->durable()) forget_rows(*session);
    if (ends) {
      metrics_.add(Metric::SessionDiscarded);
      terminate(*session, "discarded", true);
      session = nullptr;
    } else {
      metrics_.add(Metric::SessionTakenover);
    }
  }
  const bool present = session != nullptr;
  if (!session) {
    session = new Session(*this, ++session_numbers_ << 6 | shard_, request.identity, request.settings);
    sessions_.insert(session);
  }
  session->identity_ = std::move(request.identity);
  session->settings_ = std::move(request.settings);
  session->queue_.set_limits(session->settings_->queue);
  session->window_ = request.window;
  session->expiry_s_ = request.expiry_s;
  session->clean_start_ = request.clean_start;
  session->expires_at_ms_ = 0;
  session->will_ = std::move(request.will);
  session->sink_ = &sink;
  session->connected_ = true;
  session->on_hold_ = false;
  set_online(*session, true);
  if (session->durable())
    store_session(*session);
  else
    store_will_of_mortal(*session);
  if (present) {
    metrics_.add(Metric::SessionResumed);
    if (!hooks_.session_resumed.empty()) hooks_.session_resumed.run(*session);
  } else {
    metrics_.add(Metric::SessionCreated);
    if (!hooks_.session_created.empty()) hooks_.session_created.run(*session);
  }
  return {session, present};
}

void Broker::close(Session& session, const CloseRequest& request) {
  session.sink_ = nullptr;
  session.connected_ = false;
  if (request.expiry_s && *request.expiry_s != session.expiry_s_) {
    if (*request.expiry_s == 0 && session.durable()) forget_rows(session);
    session.expiry_s_ = *request.expiry_s;
  }
  if (!request.publish_will && session.will_) {
    session.will_.reset();
    if (sessions_durable_ && !session.durable()) store::erase_will(journal_->batch(), session.client_id());
  }
  if (session.will_) {
    if (session.will_->delay_s == 0 || session.expiry_s_ == 0) {
      publish_will(session);
    } else {
      const std::uint32_t delay_s = std::min(session.will_->delay_s, session.expiry_s_);
      session.will_at_ms_ = session.now_ms() + std::int64_t{delay_s} * 1000;
      session.want_timer(session.will_at_ms_);
    }
  }
  if (session.expiry_s_ == 0) {
    terminate(session, request.reason, true);
    return;
  }
  set_online(session, false);
  session.disconnected_ms_ = loop_.wall_ms();
  session.remember_sent();
  if (session.durable()) store_session(session);
  if (session.expiry_s_ != kNeverExpires) {
    session.expires_at_ms_ = session.now_ms() + std::int64_t{session.expiry_s_} * 1000;
    session.want_timer(session.expires_at_ms_);
  }
}

bool Broker::kick(std::string_view client_id, EndReason reason) {
  Session* session = find(client_id);
  if (!session) return false;
  if (SessionSink* old = std::exchange(session->sink_, nullptr)) old->on_session_lost(reason);
  if (session->will_) publish_will(*session);
  terminate(*session, "kicked", false);
  return true;
}

void Broker::publish_will(Session& session) {
  const std::unique_ptr<Will> will = std::move(session.will_);
  session.will_at_ms_ = 0;
  if (!will) return;
  if (session.durable())
    store_session(session);  // without its will
  else if (sessions_durable_)
    store::erase_will(journal_->batch(), session.client_id());
  release_will(session.identity_, *will, session.number_);
}

void Broker::release_will(const IdentityRef& from, const Will& will, std::uint64_t session_number) {
  Publication p;
  p.topic = will.topic;
  p.payload = as_bytes(will.payload);
  p.properties = as_bytes(will.properties);
  p.qos = will.qos;
  p.retain = will.retain;
  p.expiry_s = will.message_expiry_s;
  p.from = &from;
  p.session = session_number;
  if (will_guard_) {
    const WillVerdict verdict = will_guard_(*from, will, p);
    if (verdict == WillVerdict::Held) return;
    if (verdict == WillVerdict::Deny) {
      SB_LOG(log::Level::Warning, "last_will_testament_publish_denied", kv("clientid", from->client_id),
             kv("topic", p.topic));
      return;
    }
  }
  publish(p);
}

void Broker::set_journal(std::unique_ptr<Journal> journal) {
  journal_ = std::move(journal);
  if (journal_) journal_->set_receipt_done([this](const ReceiptRef& receipt) { finish_receipt(receipt); });
}

void Broker::store_session(const Session& session) {
  store::SessionRecord record;
  record.client_id = session.client_id();
  record.number = session.number_;
  record.created_ms = session.created_ms_;
  record.expiry_interval_s = session.expiry_s_;
  record.disconnected_ms = session.connected_ ? 0 : session.disconnected_ms_;
  record.clean_start = session.clean_start_;
  record.username = session.identity_->username;
  record.peer_host = session.identity_->peer_host;
  if (session.will_) {
    store::WillFields will;
    will.topic = session.will_->topic;
    will.payload = as_bytes(session.will_->payload);
    will.properties = as_bytes(session.will_->properties);
    will.qos = session.will_->qos;
    will.retain = session.will_->retain;
    will.delay_s = session.will_->delay_s;
    will.expiry_s = session.will_->message_expiry_s;
    record.will = will;
  }
  store::put(journal_->batch(), record);
}

// A client whose session ends with its connection still has a will that a crash of the node must not lose.
void Broker::store_will_of_mortal(const Session& session) {
  if (!sessions_durable_ || !session.will_) return;
  const Will& will = *session.will_;
  store::WillRecord record;
  record.owner = session.client_id();
  record.message.topic = will.topic;
  record.message.payload = as_bytes(will.payload);
  record.message.properties = as_bytes(will.properties);
  record.message.qos = will.qos;
  record.message.retain = will.retain;
  record.message.expiry_s = will.message_expiry_s;
  record.message.client_id = session.client_id();
  record.message.username = session.identity_->username;
  record.message.peer_host = session.identity_->peer_host;
  store::put(journal_->batch(), record);
}

void Broker::forget_rows(Session& session) {
  store::Batch& batch = journal_->batch();
  store::erase_session(batch, session.client_id());
  for (const Subscription* subscription : session.subscriptions_)
    store::erase_subscription(batch, session.number_, subscription->filter());
  for (std::size_t i = 0; i < session.inflight_.size(); ++i) session.forget(session.inflight_[i].owed);
  session.queue_.for_each([&](Owed& owed) { session.forget(owed); });
  for (const auto& one : session.awaiting_) store::erase_awaiting_rel(batch, session.number_, one.id);
}

void Broker::terminate(Session& session, std::string_view reason, bool redispatch_owed) {
  if (session.will_) publish_will(session);  // the session ends: 3.1.3.2.2
  if (session.durable()) forget_rows(session);
  session.expiry_s_ = 0;  // nothing of it is written any more
  sessions_.erase(&session);
  std::vector<Subscription*> subscriptions(session.subscriptions_.begin(), session.subscriptions_.end());
  for (Subscription* subscription : subscriptions) detach_subscription(session, *subscription);
  if (redispatch_owed) {
    // 8.4: QoS 1 in flight and whatever of QoS 1 and 2 waits; QoS 2 in flight stays with this client [MQTT-4.8.2-5].
    for (std::size_t i = 0; i < session.inflight_.size(); ++i) {
      Session::Inflight& entry = session.inflight_[i];
      if (entry.phase == Session::Phase::WaitPuback && entry.owed.group)
        redispatch(std::move(entry.owed), session.number_);
    }
    while (auto owed = session.queue_.pop())
      if (owed->group && owed->qos != Qos::AtMostOnce) redispatch(std::move(*owed), session.number_);
  }
  metrics_.add(Metric::SessionTerminated);
  if (!hooks_.session_terminated.empty()) hooks_.session_terminated.run(session, reason);
  delete &session;
}

// ---------------------------------------------------------------- publishing (broker.md 5.2)

ReasonCode Broker::publish(Publication& p) {
  if (p.published_ms == 0) p.published_ms = loop_.wall_ms();
  if (!p.system) metrics_.add(Metric::MessagesPublish);
  const std::size_t written = journal_ ? journal_->changes() : 0;
  const ReasonCode code = publish_now(p);
  if (journal_ && journal_->changes() != written) p.ticket = journal_->ticket();
  return code;
}

ReasonCode Broker::publish_now(Publication& p) {
  if (!hooks_.message_publish.empty()) {
    const PublishVerdict verdict = hooks_.message_publish.run(p);
    if (verdict == PublishVerdict::Refused) return ReasonCode::ImplementationSpecificError;
    if (verdict == PublishVerdict::Consumed) return ReasonCode::NoMatchingSubscribers;
  }
  if (p.retain && !handle_retain(p)) return ReasonCode::NoMatchingSubscribers;

  // A publish from within a publish (a will, a rule) has its own working space.
  ++publish_depth_;
  bool routed = false;
  if (publish_depth_ == 1) {
    routed = route_all(p, matched_, scratch_);
  } else {
    RouteList matched;
    WireScratch scratch;
    routed = route_all(p, matched, scratch);
  }
  --publish_depth_;
  if (routed) return ReasonCode::Success;
  if (!p.system) {
    metrics_.add(Metric::MessagesDropped);
    metrics_.add(Metric::MessagesDroppedNoSubscribers);
    if (!hooks_.message_dropped.empty()) hooks_.message_dropped.run(p);
  }
  return ReasonCode::NoMatchingSubscribers;
}

bool Broker::route_all(Publication& p, RouteList& matched, WireScratch& scratch) {
  const auto routes = match_cache_.match(core_.router(), p.topic, matched);
  if (routes.empty()) return false;
  Delivery delivery(p, &scratch);
  delivery.receipt() = p.receipt;
  bool routed = false;
  for (Route* one : routes) routed = route(delivery, *one) || routed;
  p.receipt = delivery.receipt();
  return routed;
}

bool Broker::route(Delivery& delivery, Route& route) {
  bool routed = deliver_local(delivery, route);
  for (std::uint64_t others = route.shard_mask() & ~(std::uint64_t{1} << shard_); others != 0; others &= others - 1) {
    cross(static_cast<unsigned>(__builtin_ctzll(others)),
          Crossing{delivery.message(), &route, nullptr, expect_receipt(delivery)});
    routed = true;
  }
  if (const auto* groups = static_cast<const SharedGroupList*>(route.groups())) [[unlikely]]
    for (SharedGroup* group : *groups) routed = dispatch_shared(delivery, *group, 0) || routed;
  return routed;
}

ReceiptRef Broker::expect_receipt(Delivery& delivery) {
  if (!sessions_durable_ || delivery.publication().qos == Qos::AtMostOnce) return nullptr;
  ReceiptRef& receipt = delivery.receipt();
  if (!receipt) receipt = std::make_shared<Receipt>(shard_);
  receipt->expect();
  return receipt;
}

void Broker::finish_receipt(const ReceiptRef& receipt) {
  Broker& origin = core_.shard(receipt->origin());
  if (&origin == this) return;
  origin.loop().post([&origin] { origin.journal()->notify_waiters(); });
}

bool Broker::deliver_local(Delivery& delivery, Route& route) {
  Subscription* single = nullptr;
  const auto view = LocalSubscribers::view(route.local(shard_), single);
  if (view.size == 1) {
    // One receiver gets the bytes encoded straight into its outbox.
    WireScratch* scratch = delivery.exchange_scratch(nullptr);
    view.data[0]->session->deliver(delivery, *view.data[0]);
    delivery.exchange_scratch(scratch);
    return true;
  }
  constexpr std::size_t kAhead = 4;
  for (std::size_t i = 0; i < view.size; ++i) {
    if (i + 2 * kAhead < view.size) __builtin_prefetch(view.data[i + 2 * kAhead]);
    if (i + kAhead < view.size) __builtin_prefetch(view.data[i + kAhead]->session);
    view.data[i]->session->deliver(delivery, *view.data[i]);
  }
  return view.size > 0;
}

bool Broker::dispatch_shared(Delivery& delivery, const SharedGroup& group, std::uint64_t excluded_session) {
  const Publication& p = delivery.publication();
  PickContext context;
  context.strategy = settings_->shared_strategy;
  if (!settings_->group_strategies.empty())
    if (const auto own = settings_->group_strategies.find(group.name()); own != settings_->group_strategies.end())
      context.strategy = own->second;
  context.shard = shard_;
  context.client_id = p.from && *p.from ? std::string_view((*p.from)->client_id) : std::string_view{};
  context.topic = p.topic;
  if (p.state && (context.strategy == SharedStrategy::RoundRobin || context.strategy == SharedStrategy::Sticky)) {
    if (!*p.state) *p.state = std::make_unique<PublisherState>();
    context.state = p.state->get();
  }
  context.random = random_();
  context.excluded_session = excluded_session;
  SharedMember* member = pick(group, context);
  if (!member) return false;
  if (member->shard == shard_) {
    deliver_to_member(delivery, *member);
  } else {
    cross(member->shard, Crossing{delivery.message(), nullptr, member, expect_receipt(delivery)});
  }
  return true;
}

void Broker::deliver_to_member(Delivery& delivery, SharedMember& member) {
  if (member.session) member.session->deliver(delivery, *member.subscription);
}

void Broker::redispatch(Owed owed, std::uint64_t excluded_session) {
  const Publication p = owed.message->as_publication();
  Delivery delivery(p, nullptr);
  if (!dispatch_shared(delivery, *owed.group.get(), excluded_session)) {
    metrics_.add(Metric::MessagesDropped);
    metrics_.add(Metric::MessagesDroppedNoSubscribers);
  }
}

// ---------------------------------------------------------------- between shards

void Broker::cross(unsigned shard, Crossing crossing) {
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
      count += core_.ring(from, shard_).drain([this](Crossing crossing) { accept_crossing(std::move(crossing)); });
  if (!overflow_.empty()) push_overflow();
  return count > 0;
}

void Broker::accept_crossing(Crossing crossing) {
  const Publication p = crossing.message->as_publication();
  Delivery delivery(p, &scratch_);
  const std::size_t written = journal_ ? journal_->changes() : 0;
  if (crossing.member)
    deliver_to_member(delivery, *crossing.member);
  else
    deliver_local(delivery, *crossing.route);
  if (!crossing.receipt) return;
  if (journal_->changes() != written)
    journal_->attach(crossing.receipt);
  else if (crossing.receipt->done(true))
    finish_receipt(crossing.receipt);
}

}  // namespace sb::broker
