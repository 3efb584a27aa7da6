// check: allow new in this file: what readers may still see is retired through the reclaimer
#include "broker/broker.h"

#include "base/check.h"
#include "base/log.h"
#include "broker/topic.h"

namespace sb::broker {

namespace {
template <class T>
void retire(runtime::Reclaimer& reclaimer, const T* object) {
  reclaimer.retire(const_cast<T*>(object), [](void* p) { delete static_cast<T*>(p); });
}
}  // namespace

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

// ---------------------------------------------------------------- subscriptions (broker.md 7)

Broker::Subscribed Broker::subscribe(Session& session, std::string_view filter, const SubscribeOptions& options) {
  if (Subscription* known = session.find_subscription(filter)) {
    known->options = options;
    store_subscription(session, *known);
    if (!hooks_.session_subscribed.empty()) hooks_.session_subscribed.run(session, *known, false);
    return {ReasonCode::Success, known, false};
  }
  const SessionSettings& settings = session.settings();
  if (settings.max_subscriptions != 0 && session.subscriptions_.size() >= settings.max_subscriptions)
    return {ReasonCode::QuotaExceeded, nullptr, false};
  const auto parsed = parse_filter(filter);
  if (!parsed) return {parsed.error(), nullptr, false};
  if (parsed->kind == FilterKind::Exclusive && !core_.claim_exclusive(parsed->filter, session.client_id()))
    return {ReasonCode::QuotaExceeded, nullptr, false};

  auto subscription = std::make_unique<Subscription>();
  subscription->session = &session;
  subscription->options = options;
  subscription->route = core_.router().acquire(parsed->filter);
  if (parsed->kind == FilterKind::Plain) {
    LocalSubscribers::add(*subscription->route, shard_, *subscription);
  } else {
    subscription->special = std::make_unique<Subscription::Special>();
    subscription->special->full = filter;
    subscription->special->exclusive = parsed->kind == FilterKind::Exclusive;
    if (parsed->kind == FilterKind::Exclusive)
      LocalSubscribers::add(*subscription->route, shard_, *subscription);
    else
      join_group(*subscription, parsed->group, filter);
  }
  Subscription* added = subscription.release();  // owned by the session's set
  session.subscriptions_.insert(added);
  ++subscription_count_;
  store_subscription(session, *added);
  if (!hooks_.session_subscribed.empty()) hooks_.session_subscribed.run(session, *added, true);
  return {ReasonCode::Success, added, true};
}

void Broker::store_subscription(const Session& session, const Subscription& subscription) {
  if (!session.durable()) return;
  store::SubscriptionRecord record;
  record.session = session.number_;
  record.filter = subscription.filter();
  record.options = subscription.options;
  record.created_ms = loop_.wall_ms();
  store::put(journal_->batch(), record);
}

ReasonCode Broker::unsubscribe(Session& session, std::string_view filter) {
  Subscription* subscription = session.find_subscription(filter);
  if (!subscription) return ReasonCode::NoSubscriptionExisted;
  const std::string text(filter);
  if (session.durable()) store::erase_subscription(journal_->batch(), session.number_, text);
  detach_subscription(session, *subscription);
  if (!hooks_.session_unsubscribed.empty()) hooks_.session_unsubscribed.run(session, text);
  return ReasonCode::Success;
}

void Broker::detach_subscription(Session& session, Subscription& subscription) {
  session.subscriptions_.erase(&subscription);
  --subscription_count_;
  Route* route = subscription.route;
  if (subscription.special && subscription.special->exclusive)
    core_.release_exclusive(route->filter(), session.client_id());
  if (subscription.shared())
    leave_group(subscription);
  else
    LocalSubscribers::remove(*route, shard_, subscription);
  core_.router().release(route);
  delete &subscription;
}

void Broker::join_group(Subscription& subscription, std::string_view group_name, std::string_view full) {
  auto* member = new SharedMember;  // retired by leave_group
  member->shard = shard_;
  member->session_number = subscription.session->number();
  member->session = subscription.session;
  member->subscription = &subscription;
  member->online.store(subscription.session->connected(), std::memory_order_relaxed);
  ++shared_count_;

  core_.router().with_writer_lock([&] { add_member(subscription, member, group_name, full); });
}

void Broker::add_member(Subscription& subscription, SharedMember* member, std::string_view group_name,
                        std::string_view full) {
  Route& route = *subscription.route;
  const auto* groups = static_cast<const SharedGroupList*>(route.groups());
  SharedGroup* group = nullptr;
  if (groups)
    for (SharedGroup* candidate : *groups)
      if (candidate->name() == group_name && candidate->full_filter() == full) group = candidate;
  if (!group) {
    group = new SharedGroup(std::string(group_name), std::string(full), &route, core_.next_group_number());
    auto* changed = groups ? new SharedGroupList(*groups) : new SharedGroupList;
    changed->push_back(group);
    route.set_groups(changed);
    if (groups) retire(core_.reclaimer(), groups);
  }
  const SharedGroup::Members* members = group->members();
  auto* changed = members ? new SharedGroup::Members(*members) : new SharedGroup::Members;
  changed->push_back(member);
  group->set_members(changed);
  if (members) retire(core_.reclaimer(), members);
  subscription.special->group = group;
  subscription.special->member = member;
}

void Broker::leave_group(Subscription& subscription) {
  SharedMember* member = subscription.special->member;
  SharedGroup* group = subscription.special->group;
  member->session = nullptr;
  member->subscription = nullptr;
  member->online.store(false, std::memory_order_relaxed);
  --shared_count_;

  core_.router().with_writer_lock([&] { remove_member(*subscription.route, group, member); });
}

void Broker::remove_member(Route& route, SharedGroup* group, SharedMember* member) {
  const SharedGroup::Members* members = group->members();
  auto* changed = new SharedGroup::Members;
  for (SharedMember* one : *members)
    if (one != member) changed->push_back(one);
  group->set_members(changed);
  auto& reclaimer = core_.reclaimer();
  retire(reclaimer, members);
  retire(reclaimer, member);
  if (!changed->empty()) return;

  const auto* groups = static_cast<const SharedGroupList*>(route.groups());
  auto* remaining = new SharedGroupList;
  for (SharedGroup* one : *groups)
    if (one != group) remaining->push_back(one);
  if (remaining->empty()) {
    delete remaining;
    remaining = nullptr;
  }
  route.set_groups(remaining);
  retire(reclaimer, groups);
  reclaimer.retire(group, [](void* p) {
    auto* gone = static_cast<SharedGroup*>(p);
    delete gone->members();
    gone->set_members(nullptr);
    if (gone->release()) delete gone;
  });
}

void Broker::set_online(Session& session, bool online) {
  if (shared_count_ == 0) return;
  for (Subscription* subscription : session.subscriptions_)
    if (subscription->shared()) subscription->special->member->online.store(online, std::memory_order_relaxed);
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
  RouteList own_list;
  WireScratch own_scratch;
  const bool outer = publish_depth_ == 1;
  const auto routes = match_cache_.match(core_.router(), p.topic, outer ? matched_ : own_list);
  bool routed = false;
  if (!routes.empty()) {
    Delivery delivery(p, outer ? &scratch_ : &own_scratch);
    delivery.receipt() = p.receipt;
    for (Route* one : routes) routed = route(delivery, *one) || routed;
    p.receipt = delivery.receipt();
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

// ---------------------------------------------------------------- retained (broker.md 10)

bool Broker::handle_retain(Publication& p) {
  const CoreSettings::Retained& settings = settings_->retained;
  if (!settings.enable || p.topic.starts_with("$delayed/") || p.topic.starts_with("$file")) return true;
  const unsigned home = core_.retained_home_of(p.topic);
  if (p.payload.empty()) {
    if (home == shard_)
      clear_retained(p.topic);
    else
      at_home_of_retained(home, p, [topic = std::string(p.topic)](Broker& broker) { broker.clear_retained(topic); });
    return !settings.stop_publish_clear;
  }
  if (settings.max_payload != 0 && p.payload.size() > settings.max_payload) {
    SB_LOG(log::Level::Error, "retain_failed_for_payload_size_exceeded_limit", kv("topic", p.topic),
           kv("size", p.payload.size()), kv("limit", settings.max_payload));
    return true;
  }
  Publication stored = p;
  if (stored.expiry_s == kNeverExpires && settings.default_expiry_s != 0) stored.expiry_s = settings.default_expiry_s;
  auto message = MessageRef::adopt(Message::make(stored));
  if (home == shard_)
    store_retained(message);
  else
    at_home_of_retained(home, p, [message](Broker& broker) { broker.store_retained(message); });
  return true;
}

void Broker::at_home_of_retained(unsigned home, Publication& p, std::function<void(Broker&)> change) {
  ReceiptRef receipt;
  if (retained_durable_ && p.qos != Qos::AtMostOnce) {
    if (!p.receipt) p.receipt = std::make_shared<Receipt>(shard_);
    p.receipt->expect();
    receipt = p.receipt;
  }
  Broker& there = core_.shard(home);
  there.loop().post([&there, receipt, change = std::move(change)] {
    const std::size_t written = there.journal_ ? there.journal_->changes() : 0;
    change(there);
    if (!receipt) return;
    if (there.journal_->changes() != written)
      there.journal_->attach(receipt);
    else if (receipt->done(true))
      there.finish_receipt(receipt);
  });
}

bool Broker::store_retained(const MessageRef& message) {
  const std::size_t before = retained_.size();
  const std::size_t limit = settings_->retained.max_messages;
  const std::size_t node_wide = core_.retained_count().load(std::memory_order_relaxed);
  if (limit != 0 && node_wide >= limit && !retained_.find(message->topic())) {
    SB_LOG(log::Level::Error, "failed_to_retain_message", kv("topic", message->topic()), kv("reason", "table_is_full"),
           kv("limit", limit));
    return false;
  }
  if (retained_durable_) {
    store::RetainedRecord record;
    record.message = store_fields(*message);
    if (message->expiry_s() != kNeverExpires)
      record.deadline_ms = message->published_ms() + std::int64_t{message->expiry_s()} * 1000;
    store::put(journal_->batch(), record);
  }
  retained_.put(message);
  core_.retained_count().fetch_add(retained_.size() - before, std::memory_order_relaxed);
  return true;
}

void Broker::clear_retained(std::string_view topic) {
  if (!retained_.erase(topic)) return;
  if (retained_durable_) store::erase_retained(journal_->batch(), topic);
  core_.retained_count().fetch_sub(1, std::memory_order_relaxed);
}

void Broker::replay_retained(Session& session, const Subscription& subscription, bool is_new) {
  const RetainHandling handling = subscription.options.retain_handling;
  if (!settings_->retained.enable || subscription.shared() || handling == RetainHandling::DoNotSend ||
      (handling == RetainHandling::SendIfNew && !is_new))
    return;
  if (core_.retained_count().load(std::memory_order_relaxed) == 0) return;
  const std::string_view filter = subscription.route->filter();
  const bool exact = filter.find_first_of("+#") == std::string_view::npos;
  // The finds of all shards are put in one order: the last one to come has them sent.
  struct Finds {
    std::vector<MessageRef> messages;
    unsigned missing = 0;
  };
  auto finds = std::make_shared<Finds>();  // touched on this shard alone
  for (unsigned shard = 0; shard < core_.shards(); ++shard) {
    if (shard == shard_ || (exact && shard != core_.retained_home_of(filter))) continue;
    ++finds->missing;
    Broker& other = core_.shard(shard);
    other.loop().post([this, &other, finds, filter = std::string(filter), full = std::string(subscription.filter()),
                       client = std::string(session.client_id()), number = session.number()] {
      auto found = std::make_shared<std::vector<MessageRef>>();
      other.retained().match(filter, other.loop().wall_ms(), *found);
      loop_.post([this, finds, found, full, client, number] {
        finds->messages.insert(finds->messages.end(), found->begin(), found->end());
        if (--finds->missing != 0) return;
        Session* still = find(client);
        if (!still || still->number() != number) return;
        if (const Subscription* s = still->find_subscription(full))
          deliver_retained(*still, *s, std::move(finds->messages));
      });
    });
  }
  if (!exact || core_.retained_home_of(filter) == shard_) retained_.match(filter, loop_.wall_ms(), finds->messages);
  if (finds->missing == 0) deliver_retained(session, subscription, std::move(finds->messages));
}

void Broker::deliver_retained(Session& session, const Subscription& subscription, std::vector<MessageRef> messages) {
  // [S] 10: in the order of publishing.
  std::stable_sort(messages.begin(), messages.end(),
                   [](const MessageRef& a, const MessageRef& b) { return a->published_ms() < b->published_ms(); });
  for (const MessageRef& message : messages)
    if (!core_.suppressed(*message)) session.deliver_retained(message, subscription);
}

}  // namespace sb::broker
