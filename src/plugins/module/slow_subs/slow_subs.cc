#include "plugins/module/slow_subs/slow_subs.h"

#include "runtime/timer_wheel.h"

#include <algorithm>

namespace sb::plugins::module::slow_subs {

namespace {
constexpr Nanos kExpireCheck{10'000'000'000};
}

class SlowSubs::Shard final : private runtime::Timer {
 public:
  Shard(SlowSubs& module, broker::Broker& broker) : module_(module), broker_(broker) {}
  broker::Broker& broker() { return broker_; }
  void set(const Options& options) {
    options_ = options;
    broker::Hooks& hooks = broker_.hooks();
    if (options.enable && completed_ == 0) {
      completed_ = hooks.delivery_completed.add(
          broker::Hooks::kSlowSubscriptions,
          [this](const broker::Session& session, const broker::Message& message, std::int64_t sent, std::int64_t done) {
            look(session, message.topic(), message.published_ms(), sent, done);
          });
      // QoS 0 is complete when it is sent; only what waited in a queue can be slow.
      delivered_ =
          hooks.message_delivered.add(broker::Hooks::kSlowSubscriptions,
                                      [this](const broker::Session& session, const broker::Publication& p, Qos qos) {
                                        if (qos != Qos::AtMostOnce || p.system) return;
                                        const std::int64_t now = broker_.loop().wall_ms();
                                        look(session, p.topic, p.published_ms, now, now);
                                      });
      if (broker_.shard() == 0) arm();
    }
    if (!options.enable && completed_ != 0) {
      hooks.delivery_completed.remove(std::exchange(completed_, 0));
      hooks.message_delivered.remove(std::exchange(delivered_, 0));
      runtime::TimerWheel::cancel(*this);
    }
  }

 private:
  void look(const broker::Session& session, std::string_view topic, std::int64_t published, std::int64_t sent,
            std::int64_t done) {
    if (published < session.created_ms()) return;
    std::int64_t span = done - published;
    if (options_.stats_type == Kind::Internal) span = sent - published;
    if (options_.stats_type == Kind::Response) span = done - sent;
    if (span <= options_.threshold.count()) return;
    module_.add(session.client_id(), topic, span, now_ms(), broker_.loop().wall_ms());
  }
  void arm() { broker_.loop().timers().arm(*this, broker_.loop().now(), kExpireCheck); }
  void on_timer() override {
    module_.expire(now_ms());
    arm();
  }
  std::int64_t now_ms() const { return std::chrono::duration_cast<Millis>(broker_.loop().now()).count(); }

  SlowSubs& module_;
  broker::Broker& broker_;
  Options options_;
  std::uint32_t completed_ = 0, delivered_ = 0;
};

SlowSubs::SlowSubs(broker::ModuleContext& context) : shards_(context.core.shards()) {}
SlowSubs::~SlowSubs() = default;

void SlowSubs::join(broker::Broker& broker) {
  const std::lock_guard guard(mutex_);
  shards_[broker.shard()] = std::make_unique<Shard>(*this, broker);
  shards_[broker.shard()]->set(options_);
}

Options SlowSubs::options() const {
  const std::lock_guard guard(mutex_);
  return options_;
}

Result<> SlowSubs::set_options(const Options& options) {
  if (options.top_k_num < 1 || options.top_k_num > kTopMax) return fail(Errc::Invalid, "top_k_num is 1 to 1000");
  const std::lock_guard guard(mutex_);
  options_ = options;
  if (!options.enable) table_.clear();
  shrink();
  for (const auto& shard : shards_)
    if (shard) shard->broker().loop().post([s = shard.get(), options] { s->set(options); });
  return {};
}

void SlowSubs::shrink() {
  const auto slowest_last = [](const auto& a, const auto& b) { return a.second.timespan_ms < b.second.timespan_ms; };
  while (table_.size() > options_.top_k_num) table_.erase(std::min_element(table_.begin(), table_.end(), slowest_last));
  floor_ms_.store(table_.size() < options_.top_k_num
                      ? 0
                      : std::min_element(table_.begin(), table_.end(), slowest_last)->second.timespan_ms,
                  std::memory_order_relaxed);
}

void SlowSubs::add(std::string_view client_id, std::string_view topic, std::int64_t timespan, std::int64_t now,
                   std::int64_t wall) {
  if (timespan < floor_ms_.load(std::memory_order_relaxed)) return;
  const std::lock_guard guard(mutex_);
  const auto [slot, fresh] =
      table_.try_emplace({std::string(client_id), std::string(topic)}, Slot{timespan, now, wall});
  if (!fresh && slot->second.timespan_ms <= timespan) slot->second = Slot{timespan, now, wall};
  shrink();
}

void SlowSubs::expire(std::int64_t now) {
  const std::lock_guard guard(mutex_);
  std::erase_if(table_,
                [&](const auto& one) { return now - one.second.updated_ms >= options_.expire_interval.count(); });
  shrink();
}

std::vector<Entry> SlowSubs::list() const {
  std::vector<Entry> out;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& [key, slot] : table_) out.push_back({key.first, key.second, slot.timespan_ms, slot.wall_ms});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Entry& a, const Entry& b) { return a.timespan_ms > b.timespan_ms; });
  return out;
}

void SlowSubs::clear() {
  const std::lock_guard guard(mutex_);
  table_.clear();
  shrink();
}

void add_to(broker::ModuleRegistry& registry) {
  registry.add({"slow_subs", "Lists the slowest deliveries",
                [](broker::ModuleContext& context) { return std::make_unique<SlowSubs>(context); }});
}

}  // namespace sb::plugins::module::slow_subs
