// Retained messages: storing where their topic lives, replaying to new subscriptions (broker.md 10).
#include "base/log.h"
#include "broker/broker.h"

namespace sb::broker {

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
  if (retained_durable_ && p.qos != Qos::AtMostOnce && p.receipt && p.receipt->is_joint()) {
    ++p.receipt->joint().missing;
    receipt = std::make_shared<Receipt>(shard_, p.receipt);
    receipt->expect();
  } else if (retained_durable_ && p.qos != Qos::AtMostOnce) {
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
