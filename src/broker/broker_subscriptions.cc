// Subscriptions of a shard's sessions, shared groups among them (broker.md 7 and 8).
// check: allow new in this file: what readers may still see is retired through the reclaimer
#include "broker/broker.h"
#include "broker/topic.h"

namespace sb::broker {

namespace {
template <class T>
void retire(runtime::Reclaimer& reclaimer, const T* object) {
  reclaimer.retire(const_cast<T*>(object), [](void* p) { delete static_cast<T*>(p); });
}
}  // namespace

Broker::Subscribed Broker::subscribe(Session& session, std::string_view filter, const SubscribeOptions& asked) {
  filter = canonical_filter(filter);
  SubscribeOptions options = asked;
  options.qos = min(options.qos, session.settings().max_qos);  // what is granted, 7.1
  if (Subscription* known = session.find_subscription(filter)) {
    known->options = options;
    store_subscription(session, *known);
    if (!hooks_.session_subscribed.empty()) hooks_.session_subscribed.run(session, *known, false);
    return {ReasonCode::Success, known, false};
  }
  const SessionSettings& settings = session.settings();
  if (settings.max_subscriptions != 0 && session.subscriptions_.size() >= settings.max_subscriptions)
    return {ReasonCode::QuotaExceeded, nullptr, false};
  return add_subscription(session, filter, options);
}

Broker::Subscribed Broker::add_subscription(Session& session, std::string_view filter,
                                            const SubscribeOptions& options) {
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
  const std::string text(subscription->filter());
  if (session.durable()) store::erase_subscription(journal_->batch(), session.number_, text);
  detach_subscription(session, *subscription);
  if (!hooks_.session_unsubscribed.empty()) hooks_.session_unsubscribed.run(session, text);
  return ReasonCode::Success;
}

void Broker::detach_subscription(Session& session, Subscription& subscription) {
  session.stop_replay(subscription);
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
  member->group = group;
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
  SharedGroup::Members* changed = nullptr;  // of a group without members, which owed messages may outlive
  if (members->size() > 1) {
    changed = new SharedGroup::Members;
    for (SharedMember* one : *members)
      if (one != member) changed->push_back(one);
  }
  group->set_members(changed);
  auto& reclaimer = core_.reclaimer();
  retire(reclaimer, members);
  retire(reclaimer, member);
  if (changed) return;

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
    const auto* gone = static_cast<SharedGroup*>(p);
    if (gone->release()) delete gone;
  });
}

void Broker::set_online(Session& session, bool online) {
  if (shared_count_ == 0) return;
  for (Subscription* subscription : session.subscriptions_)
    if (subscription->shared()) subscription->special->member->online.store(online, std::memory_order_relaxed);
}

}  // namespace sb::broker
