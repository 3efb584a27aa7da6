// Retained messages: storing where their topic lives, replaying to new subscriptions (broker.md 10).
#include "base/log.h"
#include "broker/broker.h"
#include "broker/topic.h"

namespace sb::broker {

bool Broker::handle_retain(Publication& p) {
  const CoreSettings::Retained& settings = settings_->retained;
  if (!settings.enable || is_delayed(p.topic) || p.topic.starts_with("$file")) return true;
  const unsigned home = core_.retained_home_of(p.topic);
  // A lifetime of 0 s is over at once (3.3.2.3.3): nothing is kept, and what was kept has been replaced.
  if (p.payload.empty() || p.expiry_s == 0) {
    if (home == shard_)
      clear_retained(p.topic);
    else
      at_home_of_retained(home, p, [topic = std::string(p.topic)](Broker& broker) { broker.clear_retained(topic); });
    return !p.payload.empty() || !settings.stop_publish_clear;
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
    const std::size_t written = there.changes();
    change(there);
    there.conclude(receipt, written);
  });
}

bool Broker::store_retained(const MessageRef& message) {
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
  keep_retained(message);
  return true;
}

void Broker::keep_retained(const MessageRef& message) {
  const std::size_t before = retained_.size();
  retained_.put(message);
  core_.retained_count().fetch_add(retained_.size() - before, std::memory_order_relaxed);
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
  session.stop_replay(subscription);  // subscribed anew while the last one was still replayed: from the beginning
  if (core_.retained_count().load(std::memory_order_relaxed) == 0) return;
  const std::string_view filter = subscription.route->filter();
  if (!has_wildcard(filter) && core_.retained_home_of(filter) == shard_ && !retained_.find(filter)) return;
  session.start_replay(std::make_unique<Replay>(*this, session, subscription));
}

std::uint64_t Broker::add_replay(Replay& replay) {
  const std::uint64_t id = ++replay_ids_ << 6 | shard_;
  replays_.emplace(id, &replay);
  return id;
}

void Broker::post_replay(std::uint64_t id) {
  loop_.post([this, id] {
    if (const auto found = replays_.find(id); found != replays_.end()) found->second->on_turn();
  });
}

std::size_t Broker::replay_page(std::size_t usual, std::size_t most) const {
  const std::size_t wanted = settings_->retained.batch_read;
  return wanted == 0 ? usual : std::min(wanted, most);
}

void Broker::ask_remote_reader(unsigned shard, std::uint64_t id, std::string_view filter, std::size_t page) {
  Broker& home = core_.shard(shard);
  home.loop().post([this, &home, id, filter = std::string(filter), page] {
    auto found = std::make_shared<Replay::Page>(home.read_page(id, filter, page));
    loop_.post([this, &home, id, found] {
      if (const auto replay = replays_.find(id); replay != replays_.end())
        replay->second->on_page(home.shard(), std::move(*found));
    });
  });
}

Replay::Page Broker::read_page(std::uint64_t id, std::string_view filter, std::size_t page) {
  auto& reader = readers_[id];
  if (!reader) reader = std::make_unique<RetainedReader>(retained_, filter);
  Replay::Page out;
  out.more = reader->read(page, loop_.wall_ms(), out.messages);
  if (!out.more) readers_.erase(id);
  return out;
}

void Broker::drop_remote_reader(unsigned shard, std::uint64_t id) {
  if (closing_) return;
  Broker& home = core_.shard(shard);
  home.loop().post([&home, id] { home.readers_.erase(id); });
}

void Broker::follow_retained_settings() {
  const CoreSettings::Retained& settings = settings_->retained;
  core_.replay_budget().set(settings.replay_per_second, settings.replay_burst);
  sweeper_.follow_settings();
}

// ---------------------------------------------------------------- expiry

namespace {
/// Slots a sweep looks at before the shard does something else.
constexpr std::size_t kSweepSlice = 1024;
}  // namespace

void Broker::Sweeper::follow_settings() {
  const Millis wanted = broker.settings_->retained.clear_interval;
  if (wanted == interval) return;
  interval = wanted;
  at = 0;
  if (interval.count() == 0)
    runtime::TimerWheel::cancel(*this);
  else
    broker.loop_.timers().arm(*this, broker.loop_.now(), interval);
}

void Broker::Sweeper::on_timer() {
  Nanos next = interval;
  const bool behind = broker.journal_ && broker.journal_->congested();
  if (broker.retained_.any_expiring() && !behind) {
    std::vector<MessageRef> expired;
    at = broker.retained_.find_expired(at, kSweepSlice, broker.loop_.wall_ms(), expired);
    for (const MessageRef& message : expired) broker.clear_retained(message->topic());
  } else if (!behind) {
    at = 0;
  }
  if (at != 0 || behind) next = runtime::TimerWheel::kTick;
  broker.loop_.timers().arm(*this, broker.loop_.now(), next);
}

}  // namespace sb::broker
