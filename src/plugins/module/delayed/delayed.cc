#include "plugins/module/delayed/delayed.h"

#include "base/log.h"
#include "broker/topic.h"
#include "runtime/timer_wheel.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>

namespace sb::plugins::module::delayed {

namespace {
constexpr std::size_t kIdSize = 32;
/// Released in one turn; the rest follows in the next, so that a crowd does not hold up the shard.
constexpr std::size_t kBatch = 256;
}  // namespace

class Delayed::Shard final : private runtime::Timer {
 public:
  Shard(Delayed& module, broker::Broker& broker) : module_(module), broker_(broker) {}
  ~Shard() {
    if (token_ != 0) broker_.hooks().message_publish.remove(token_);
  }
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  broker::Broker& broker() { return broker_; }

  void set_enabled(bool enable) {
    auto& point = broker_.hooks().message_publish;
    if (enable && token_ == 0)
      token_ = point.add(broker::Hooks::kDelayed, [this](broker::Publication& p) { return on_publish(p); });
    if (enable || token_ == 0) return;
    point.remove(std::exchange(token_, 0));
    runtime::TimerWheel::cancel(*this);
    const std::lock_guard guard(mutex_);
    for (const auto& [key, record] : waiting_) module_.log_->erase(broker_.shard(), record);
    module_.count_.fetch_sub(waiting_.size(), std::memory_order_relaxed);
    waiting_.clear();
    by_id_.clear();
  }

  void hold(Record record) {
    const std::int64_t due = now_ms() + (record.due_wall_ms - broker_.loop().wall_ms());
    {
      const std::lock_guard guard(mutex_);
      const Key key{due, ++sequence_};
      by_id_.emplace(record.number, key);
      waiting_.emplace(key, std::move(record));
    }
    module_.count_.fetch_add(1, std::memory_order_relaxed);
    rearm();
  }

  template <class Fn>
  void for_each(Fn&& fn) const {
    const std::lock_guard guard(mutex_);
    const std::int64_t now = clock_ms();
    for (const auto& [key, record] : waiting_)
      if (!fn(record, std::max<std::int64_t>(0, key.first - now))) return;
  }
  std::optional<Item> find(std::uint64_t number) const {
    const std::lock_guard guard(mutex_);
    const auto found = by_id_.find(number);
    if (found == by_id_.end()) return std::nullopt;
    return item(waiting_.at(found->second), std::max<std::int64_t>(0, found->second.first - clock_ms()));
  }
  /// Any thread.
  bool erase(std::uint64_t number) {
    const std::lock_guard guard(mutex_);
    const auto found = by_id_.find(number);
    if (found == by_id_.end()) return false;
    drop(waiting_.find(found->second));
    return true;
  }
  /// Any thread.
  std::size_t erase_topic(std::string_view topic) {
    const std::lock_guard guard(mutex_);
    std::size_t gone = 0;
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      const bool hit = it->second.message->topic() == topic;
      gone += hit ? 1 : 0;
      it = hit ? drop(it) : std::next(it);
    }
    return gone;
  }

  static Item item(const Record& record, std::int64_t remaining_ms) {
    Item out;
    out.id = fmt::format("{:032X}", record.number);
    out.topic = record.message->topic();
    out.qos = record.message->qos();
    if (record.message->from()) {
      out.client_id = record.message->from()->client_id;
      out.username = record.message->from()->username;
    }
    out.publish_at_ms = record.message->published_ms();
    out.interval_s = record.interval_s;
    out.remaining_s = (remaining_ms + 999) / 1000;
    out.expected_at_ms = record.due_wall_ms;
    out.message = record.message;
    return out;
  }

 private:
  using Key = std::pair<std::int64_t, std::uint64_t>;  // monotonic due time, order of arrival

  /// With the lock held. What follows it.
  std::map<Key, Record>::iterator drop(std::map<Key, Record>::iterator record) {
    by_id_.erase(record->second.number);
    // The log belongs to the shard.
    broker_.loop().post([this, gone = std::move(record->second)] { module_.log_->erase(broker_.shard(), gone); });
    module_.count_.fetch_sub(1, std::memory_order_relaxed);
    return waiting_.erase(record);
  }
  std::int64_t now_ms() const { return std::chrono::duration_cast<Millis>(broker_.loop().now()).count(); }
  std::int64_t clock_ms() const {
    return std::chrono::duration_cast<Millis>(broker_.loop().clock().monotonic()).count();
  }

  broker::PublishVerdict on_publish(broker::Publication& p) {
    if (!broker::is_delayed(p.topic)) return broker::PublishVerdict::Continue;
    const auto delayed = broker::parse_delayed(p.topic);
    if (!delayed) return refuse(p, "malformed", broker::PublishVerdict::Denied);
    const std::int64_t n = delayed->n;
    const std::int64_t wall = broker_.loop().wall_ms();
    std::int64_t due = wall + n * 1000;
    std::int64_t interval = n;
    if (n >= kIntervalMax) {
      interval = n - wall / 1000;
      if (interval > kIntervalMax) return refuse(p, "too_far_ahead", broker::PublishVerdict::Refused);
      due = n * 1000;
    }
    p.topic = delayed->topic;
    p.stored = nullptr;
    if (due <= wall) return broker::PublishVerdict::Continue;  // a past time: now
    const std::size_t max = module_.max_.load(std::memory_order_relaxed);
    if (max != 0 && module_.count_.load(std::memory_order_relaxed) >= max) {
      SB_LOG(log::Level::Error, "store_delayed_message_failed", kv("topic", p.topic),
             kv("reason", "max_delayed_messages_full"), kv("limit", max));
      broker_.metrics().add(broker::Metric::MessagesDropped);
      return broker::PublishVerdict::Consumed;
    }
    Record record;
    record.number = next_number(wall);
    record.due_wall_ms = due;
    record.interval_s = interval;
    record.message = broker::MessageRef::adopt(broker::Message::make(p));
    module_.log_->append(broker_.shard(), record);
    broker_.metrics().add(broker::Metric::MessagesDelayed);
    hold(std::move(record));
    return broker::PublishVerdict::Consumed;
  }
  /// Unique on this node for ever, as long as the clock does not repeat itself: milliseconds, shard, a counter.
  std::uint64_t next_number(std::int64_t wall) {
    last_number_ =
        std::max(last_number_ + 1, (static_cast<std::uint64_t>(wall) << 22) | (std::uint64_t{broker_.shard()} << 16));
    // Beyond 65536 a millisecond the counter would run into the next shard's numbers.
    if (((last_number_ >> 16) & 63) != broker_.shard())
      last_number_ = (((last_number_ >> 22) + 1) << 22) | (std::uint64_t{broker_.shard()} << 16);
    return last_number_;
  }
  broker::PublishVerdict refuse(const broker::Publication& p, std::string_view reason, broker::PublishVerdict verdict) {
    SB_LOG(log::Level::Warning, "delayed_publish_refused", kv("topic", p.topic), kv("reason", reason));
    broker_.metrics().add(broker::Metric::MessagesDropped);
    return verdict;
  }

  void on_timer() override {
    for (std::size_t i = 0; i < kBatch; ++i) {
      Record record;
      {
        const std::lock_guard guard(mutex_);
        if (waiting_.empty() || waiting_.begin()->first.first > now_ms()) break;
        record = std::move(waiting_.begin()->second);
        by_id_.erase(record.number);
        waiting_.erase(waiting_.begin());
      }
      module_.count_.fetch_sub(1, std::memory_order_relaxed);
      release(record);
    }
    rearm();
  }
  void release(const Record& record) {
    const auto& from = record.message->from();
    if (from && module_.context_.banned && module_.context_.banned(*from)) {
      SB_LOG(log::Level::Notice, "delayed_message_of_banned_client_dropped", kv("clientid", from->client_id),
             kv("topic", record.message->topic()));
      broker_.metrics().add(broker::Metric::MessagesDropped);
    } else {
      broker::Publication p = record.message->as_publication();
      // An ordinary publish of now; what was stored tells when it came, so it is not passed on as it is.
      p.published_ms = 0;
      p.stored = nullptr;
      // What the receivers' shards store and the end of the row are there together, or not at all.
      if (p.qos != Qos::AtMostOnce)
        p.receipt =
            broker_.begin_joint([log = module_.log_, shard = broker_.shard(), record] { log->erase(shard, record); });
      const bool joint = p.receipt != nullptr;
      broker_.publish(p);
      if (joint) return;
    }
    module_.log_->erase(broker_.shard(), record);
  }
  void rearm() {
    const std::lock_guard guard(mutex_);
    if (waiting_.empty()) return;
    const std::int64_t wait = std::max<std::int64_t>(0, waiting_.begin()->first.first - now_ms());
    // The wheel reaches a year; what lies further is looked at again then.
    broker_.loop().timers().arm(*this, broker_.loop().now(), Millis{std::min<std::int64_t>(wait, 3'600'000)});
  }

  Delayed& module_;
  broker::Broker& broker_;
  std::uint32_t token_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t last_number_ = 0;
  mutable std::mutex mutex_;  // guards waiting_ and by_id_: management reads them
  std::map<Key, Record> waiting_;
  boost::unordered_flat_map<std::uint64_t, Key> by_id_;
};

Delayed::Delayed(broker::ModuleContext& context)
    : context_(context), shards_(context.core.shards()), stored_(context.core.shards()) {
  context.stats.set_source(broker::Gauge::Delayed, [this] { return static_cast<std::uint64_t>(size()); });
}
Delayed::~Delayed() = default;

Result<> Delayed::open(Log& log) {
  log_ = &log;
  // Those of one author on one shard, which releases them in their order.
  return log.load([&](Record record) {
    const auto& from = record.message->from();
    const unsigned shard = from ? context_.core.home_of(from->client_id) : 0;
    stored_[shard].push_back(std::move(record));
  });
}

void Delayed::join(broker::Broker& broker) {
  const unsigned id = broker.shard();
  shards_[id] = std::make_unique<Shard>(*this, broker);
  shards_[id]->set_enabled(enabled_.load());
  if (enabled_.load())
    for (Record& record : stored_[id]) shards_[id]->hold(std::move(record));
  else if (!stored_[id].empty())  // disabling drops what waits; the shard writes once it runs
    broker.loop().post([log = log_, id, gone = std::move(stored_[id])] {
      for (const Record& record : gone) log->erase(id, record);
    });
  stored_[id] = {};
}

Options Delayed::options() const {
  return {enabled_.load(std::memory_order_relaxed), max_.load(std::memory_order_relaxed)};
}

void Delayed::set_options(const Options& options) {
  max_.store(options.max_delayed_messages, std::memory_order_relaxed);
  if (enabled_.exchange(options.enable) == options.enable) return;
  for (const auto& shard : shards_)
    if (shard) shard->broker().loop().post([s = shard.get(), enable = options.enable] { s->set_enabled(enable); });
}

std::vector<Item> Delayed::list(std::size_t skip, std::size_t limit) const {
  // The first skip + limit of each shard, merged: they hold the first skip + limit of all.
  const std::size_t wanted = limit > SIZE_MAX - skip ? SIZE_MAX : skip + limit;
  std::vector<std::pair<std::int64_t, Item>> all;
  for (const auto& shard : shards_) {
    if (!shard) continue;
    std::size_t taken = 0;
    shard->for_each([&](const Record& record, std::int64_t remaining) {
      if (taken++ == wanted) return false;
      all.emplace_back(remaining, Shard::item(record, remaining));
      return true;
    });
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Item> out;
  for (std::size_t i = skip; i < all.size() && out.size() < limit; ++i) out.push_back(std::move(all[i].second));
  return out;
}

namespace {
std::optional<std::uint64_t> number_of(std::string_view id) {
  if (id.size() != kIdSize) return std::nullopt;
  std::uint64_t number = 0;
  const std::string_view digits = id.substr(kIdSize - 16);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (id.substr(0, kIdSize - 16).find_first_not_of('0') != std::string_view::npos) return 0;  // well formed, of nobody
  return number;
}
}  // namespace

std::optional<Item> Delayed::find(std::string_view id) const {
  const auto number = number_of(id);
  if (!number) return std::nullopt;
  for (const auto& shard : shards_)
    if (shard)
      if (auto found = shard->find(*number)) return found;
  return std::nullopt;
}

Result<> Delayed::erase(std::string_view id) {
  const auto number = number_of(id);
  if (!number) return fail(Errc::Invalid, "MESSAGE_ID_SCHEMA_ERROR");
  for (const auto& shard : shards_)
    if (shard && shard->erase(*number)) return {};
  return fail(Errc::NotFound, "MESSAGE_ID_NOT_FOUND");
}

std::size_t Delayed::erase_topic(std::string_view topic) {
  std::size_t gone = 0;
  for (const auto& shard : shards_)
    if (shard) gone += shard->erase_topic(topic);
  return gone;
}

void add_to(broker::ModuleRegistry& registry) {
  registry.add({"delayed", "Publishes $delayed/<seconds>/<topic> later",
                [](broker::ModuleContext& context) { return std::make_unique<Delayed>(context); }});
}

}  // namespace sb::plugins::module::delayed
