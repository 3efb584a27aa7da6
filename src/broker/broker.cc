// check: allow new in this file: a session is owned by the set that finds it
#include "broker/broker.h"

#include "base/check.h"
#include "base/log.h"
#include "broker/detail/will_author.h"
#include "broker/topic.h"

#include <fmt/format.h>

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
      sweeper_(*this),
      random_(std::random_device{}()) {
  follow_retained_settings();
}

void Broker::set_settings(CoreSettingsRef settings) {
  settings_ = std::move(settings);
  follow_retained_settings();
}

Broker::~Broker() {
  closing_ = true;
  const std::vector<Session*> all = sessions_.all();
  sessions_.clear();
  for (Session* session : all) {
    std::vector<Subscription*> subscriptions(session->subscriptions_.begin(), session->subscriptions_.end());
    for (Subscription* subscription : subscriptions) detach_subscription(*session, *subscription);
    delete session;
  }
}

// ---------------------------------------------------------------- sessions (broker.md 4)

Broker::Opened Broker::open(OpenRequest request, SessionSink& sink) {
  Session* session = find(request.identity->client_id);
  if (session) {
    const bool ends = request.clean_start || !session->persistent();
    if (SessionSink* old = std::exchange(session->sink_, nullptr)) {
      old->on_session_lost(request.clean_start ? EndReason::Discarded : EndReason::TakenOver);
      set_online(*session, false);  // its own will is for a member that is there
      // [S] 4.4: a will without delay, or of a session that ends, is published; otherwise resuming cancels it.
      if (session->will_ && (ends || session->will_->delay_s == 0)) publish_will(*session);
    } else if (session->will_ && ends) {
      publish_will(*session);
    }
    session->will_.reset();
    session->will_at_ms_ = 0;
    if (!ends && request.expiry_s == 0 && session->durable()) forget_rows(*session, false);
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
    sessions_.insert(*session);
  }
  session->identity_ = std::move(request.identity);
  session->settings_ = std::move(request.settings);
  session->queue_.set_limits(session->settings_->queue);
  session->window_ = request.window;
  session->expiry_s_ = request.expiry_s;
  session->clean_start_ = request.clean_start;
  session->expires_at_ms_ = 0;
  session->will_ = std::move(request.will);
  session->last_connection_ = std::move(request.connection);
  session->sink_ = &sink;
  session->connected_ = true;
  session->on_hold_ = session->leaving_ = false;
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
  set_online(session, false);  // before its will looks for members of a group
  // A session that ends stays durable until terminate() has taken its rows away.
  const std::uint32_t expiry_s = request.expiry_s.value_or(session.expiry_s_);
  if (expiry_s != 0) session.expiry_s_ = expiry_s;
  if (!request.publish_will && session.will_) {
    session.will_.reset();
    if (sessions_durable_ && !session.durable()) store::erase_will(journal_->batch(), session.client_id());
  }
  if (session.will_) {
    if (session.will_->delay_s == 0 || expiry_s == 0) {
      publish_will(session);
    } else {
      const std::uint32_t delay_s = std::min(session.will_->delay_s, expiry_s);
      session.will_at_ms_ = session.now_ms() + std::int64_t{delay_s} * 1000;
      session.want_timer(session.will_at_ms_);
    }
  }
  if (expiry_s == 0) {
    terminate(session, request.reason, true);
    return;
  }
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
  set_online(*session, false);
  if (session->will_) publish_will(*session);
  terminate(*session, "kicked", false);
  return true;
}

void Broker::change_will(Session& session, const WillChange& change) {
  Will* const will = session.will_.get();
  if (!will) return;
  if (!change.keep) {
    session.will_.reset();
  } else if (will->trusted != change.trusted || will->trusted_until_ms != change.trusted_until_ms) {
    will->trusted = change.trusted;
    will->trusted_until_ms = change.trusted_until_ms;
  } else {
    return;
  }
  if (session.durable())
    store_session(session);
  else if (session.will_)
    store_will_of_mortal(session);
  else if (sessions_durable_)
    store::erase_will(journal_->batch(), session.client_id());
}

void Broker::publish_will(Session& session) {
  const std::unique_ptr<Will> will = std::move(session.will_);
  session.will_at_ms_ = 0;
  if (!will) return;
  if (session.durable())
    store_session(session);  // without its will
  else if (sessions_durable_)
    store::erase_will(journal_->batch(), session.client_id());
  release_will(session.identity_, *will);
}

namespace {

/// A will while somebody thinks about it.
struct HeldWill {
  MessageRef message;
  std::string key;
};

void log_denied_will(const Identity& from, std::string_view topic) {
  SB_LOG(log::Level::Warning, "last_will_testament_publish_denied", kv("clientid", from.client_id), kv("topic", topic));
}

}  // namespace

void Broker::release_will(const IdentityRef& from, const Will& will) {
  Publication p;
  p.topic = will.topic;
  p.payload = as_bytes(will.payload);
  p.properties = as_bytes(will.properties);
  p.qos = will.qos;
  p.retain = will.retain;
  p.expiry_s = will.message_expiry_s;
  p.from = &from;
  if (will_guard_) {
    const auto held = std::make_shared<HeldWill>();
    const WillVerdict verdict = will_guard_(from, will, [this, held](bool publish) {
      Publication late = held->message->as_publication();
      if (publish) return publish_set_aside(late, held->key);
      log_denied_will(**late.from, late.topic);
      if (!held->key.empty() && journal_) store::erase_will(journal_->batch(), held->key);
    });
    if (verdict == WillVerdict::Deny) return log_denied_will(*from, p.topic);
    if (verdict == WillVerdict::Held) {
      held->message = MessageRef::adopt(Message::make(p));
      held->key = set_aside_will(*from, will);
      return;
    }
  }
  const bool crosses = p.qos != Qos::AtMostOnce && core_.shards() > 1;
  publish_set_aside(p, crosses ? set_aside_will(*from, will) : std::string());
}

std::string Broker::set_aside_will(const Identity& from, const Will& will) {
  if (!sessions_durable_) return {};
  std::string key = fmt::format("{}{}{:016x}", from.client_id, '\0', random());
  store_will(key, from, will);
  return key;
}

void Broker::publish_set_aside(Publication& p, const std::string& key) {
  p.published_ms = 0;  // an ordinary publish of now
  p.stored = nullptr;
  const auto forget = [this, key] {
    if (!key.empty() && journal_) store::erase_will(journal_->batch(), key);
  };
  if (!key.empty() && p.qos != Qos::AtMostOnce) p.receipt = begin_joint(forget);
  const bool joint = p.receipt != nullptr;
  publish(p);
  if (!joint) forget();
}

void Broker::store_session(const Session& session) {
  store::SessionRecord record;
  record.client_id = session.client_id();
  record.number = session.number_;
  record.created_ms = session.created_ms_;
  record.expiry_interval_s = session.expiry_s_;
  record.disconnected_ms = session.connected_ ? 0 : session.disconnected_ms_;
  record.clean_start = session.clean_start_;
  record.perhaps_sent_below = session.perhaps_sent_below_;
  record.username = session.identity_->username;
  record.peer_host = session.identity_->peer_host;
  record.zone = session.settings_->zone;
  if (const LastConnection* last = session.last_connection()) {
    record.version = last->version;
    record.mountpoint = last->mountpoint;
    record.listener = last->listener;
    record.peer_port = last->peer_port;
    record.keep_alive_s = last->keep_alive_s;
    record.connected_ms = last->connected_ms;
  }
  if (session.will_) {
    store::WillFields will;
    will.topic = session.will_->topic;
    will.payload = as_bytes(session.will_->payload);
    will.properties = as_bytes(session.will_->properties);
    will.qos = session.will_->qos;
    will.retain = session.will_->retain;
    will.delay_s = session.will_->delay_s;
    will.expiry_s = session.will_->message_expiry_s;
    will.author = detail::author_of(*session.will_);
    record.will = will;
  }
  store::put(journal_->batch(), record);
}

// A client whose session ends with its connection still has a will that a crash of the node must not lose.
void Broker::store_will_of_mortal(const Session& session) {
  if (sessions_durable_ && session.will_) store_will(session.client_id(), *session.identity_, *session.will_);
}

void Broker::store_will(std::string_view key, const Identity& from, const Will& will) {
  store::WillRecord record;
  record.owner = key;
  record.message.topic = will.topic;
  record.message.payload = as_bytes(will.payload);
  record.message.properties = as_bytes(will.properties);
  record.message.qos = will.qos;
  record.message.retain = will.retain;
  record.message.expiry_s = will.message_expiry_s;
  record.message.client_id = from.client_id;
  record.message.username = from.username;
  record.message.peer_host = from.peer_host;
  record.author = detail::author_of(will);
  store::put(journal_->batch(), record);
}

void Broker::forget_rows(Session& session, bool keep_shared) {
  store::Batch& batch = journal_->batch();
  store::erase_session(batch, session.client_id());
  for (const Subscription* subscription : session.subscriptions_)
    store::erase_subscription(batch, session.number_, subscription->filter());
  for (std::size_t i = 0; i < session.inflight_.size(); ++i)
    if (!keep_shared || !Session::goes_to_another(session.inflight_[i])) session.forget(session.inflight_[i].owed);
  session.queue_.for_each([&](Owed& owed) {
    if (!keep_shared || !Session::goes_to_another(owed)) session.forget(owed);
  });
  for (const auto& one : session.awaiting_) store::erase_awaiting_rel(batch, session.number_, one.id);
}

void Broker::terminate(Session& session, std::string_view reason, bool redispatch_owed) {
  if (session.will_) publish_will(session);  // the session ends: 3.1.3.2.2
  if (session.durable()) forget_rows(session, redispatch_owed);
  session.expiry_s_ = 0;  // nothing of it is written any more
  sessions_.erase(session);
  std::vector<Subscription*> subscriptions(session.subscriptions_.begin(), session.subscriptions_.end());
  for (Subscription* subscription : subscriptions) detach_subscription(session, *subscription);
  if (redispatch_owed) {
    for (std::size_t i = 0; i < session.inflight_.size(); ++i)
      if (Session::goes_to_another(session.inflight_[i]))
        redispatch(session.number_, std::move(session.inflight_[i].owed));
    while (auto owed = session.queue_.pop())
      if (Session::goes_to_another(*owed)) redispatch(session.number_, std::move(*owed));
  }
  metrics_.add(Metric::SessionTerminated);
  if (!hooks_.session_terminated.empty()) hooks_.session_terminated.run(session, reason);
  delete &session;
}

// ---------------------------------------------------------------- publishing (broker.md 5.2)

ReasonCode Broker::publish(Publication& p) {
  if (p.published_ms == 0) p.published_ms = loop_.wall_ms();
  if (!p.system) metrics_.add(Metric::MessagesPublish);
  if (p.receipt || (journal_ && journal_->apart())) [[unlikely]]
    return publish_apart(p);
  const std::size_t written = journal_ ? journal_->changes() : 0;
  const ReasonCode code = publish_now(p);
  if (journal_ && journal_->changes() != written) p.ticket = journal_->ticket();
  return code;
}

// Of a joint publication, or from within one: the rows of either stay where they belong.
ReasonCode Broker::publish_apart(Publication& p) {
  const ReceiptRef joint = p.receipt;
  Journal::Scope rows(*journal_, joint != nullptr);
  const ReasonCode code = publish_now(p);
  if (joint) join(joint, rows.close());
  p.ticket = journal_->ticket();
  return code;
}

ReasonCode Broker::publish_now(Publication& p) {
  if (!hooks_.message_publish.empty()) {
    const PublishVerdict verdict = hooks_.message_publish.run(p);
    if (verdict == PublishVerdict::Denied) return ReasonCode::NotAuthorized;
    if (verdict == PublishVerdict::Refused) return ReasonCode::ImplementationSpecificError;
    if (verdict == PublishVerdict::Consumed) return ReasonCode::NoMatchingSubscribers;
  }
  if (p.topic.size() > kTopicBytesMax) [[unlikely]] {  // a hook made it longer than a packet can say
    metrics_.add(Metric::MessagesDropped);
    return ReasonCode::TopicNameInvalid;
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

std::uint32_t Broker::count_dispatches(const Route& route) const {
  Subscription* single = nullptr;
  const std::uint64_t others = route.shard_mask() & ~(std::uint64_t{1} << shard_);
  const auto* groups = static_cast<const SharedGroupList*>(route.groups());
  return static_cast<std::uint32_t>(LocalSubscribers::view(route.local(shard_), single).size +
                                    static_cast<std::size_t>(__builtin_popcountll(others)) +
                                    (groups ? groups->size() : 0));
}

bool Broker::route_all(Publication& p, RouteList& matched, WireScratch& scratch) {
  const auto routes = match_cache_.match(core_.router(), p.topic, matched);
  if (routes.empty()) return false;
  Delivery delivery(p, &scratch);
  delivery.receipt() = p.receipt;
  bool routed = false;
  for (Route* one : routes) {
    if (p.dispatches) [[unlikely]]
      *p.dispatches += count_dispatches(*one);
    routed = route(delivery, *one, one == routes.back()) || routed;
  }
  p.receipt = delivery.receipt();
  return routed;
}

bool Broker::route(Delivery& delivery, Route& route, bool last) {
  bool routed = deliver_local(delivery, route);
  const auto* groups = static_cast<const SharedGroupList*>(route.groups());
  for (std::uint64_t others = route.shard_mask() & ~(std::uint64_t{1} << shard_); others != 0; others &= others - 1) {
    const bool nobody_else = last && !groups && (others & (others - 1)) == 0;
    cross(static_cast<unsigned>(__builtin_ctzll(others)),
          Crossing{nobody_else ? delivery.take_message() : delivery.message(), &route, nullptr,
                   expect_receipt(delivery)});
    routed = true;
  }
  if (groups) [[unlikely]]
    for (SharedGroup* group : *groups) routed = dispatch_shared(delivery, *group, 0) || routed;
  return routed;
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

}  // namespace sb::broker
