#include "plugins/module/topic_metrics/topic_metrics.h"

#include "broker/topic.h"
#include "runtime/timer_wheel.h"

namespace sb::plugins::module::topic_metrics {

namespace {
constexpr std::size_t kSamples = 5;
constexpr Nanos kPeriod{1'000'000'000};
constexpr std::size_t index_of(Counter counter) {
  return static_cast<std::size_t>(counter);
}
}  // namespace

std::string_view to_string(Counter counter) {
  static constexpr std::string_view kNames[] = {"messages.in",       "messages.out",      "messages.qos0.in",
                                                "messages.qos1.in",  "messages.qos2.in",  "messages.qos0.out",
                                                "messages.qos1.out", "messages.qos2.out", "messages.dropped"};
  return kNames[index_of(counter)];
}

/// Cells are written by their shard alone, read by anybody. The rest is the module's, under its lock.
struct TopicMetrics::Topic {
  explicit Topic(unsigned shards, std::int64_t now) : cells(shards), create_ms(now) {}
  struct alignas(64) Cells {
    std::array<std::atomic<std::uint64_t>, kCounters> value{};
    void add(Counter counter) {
      auto& cell = value[index_of(counter)];
      cell.store(cell.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
  };
  std::uint64_t total(std::size_t counter) const {
    std::uint64_t sum = 0;
    for (const Cells& one : cells) sum += one.value[counter].load(std::memory_order_relaxed);
    return sum;
  }
  std::vector<Cells> cells;
  std::int64_t create_ms;
  std::optional<std::int64_t> reset_ms;
  std::array<std::uint64_t, kCounters> base{};  // totals at the last reset: cells only grow
  struct Sample {
    Nanos at{0};
    std::array<std::uint64_t, kCounters> total{};
  };
  std::array<Sample, kSamples + 1> samples{};
  std::size_t sampled = 0;
};

class TopicMetrics::Shard final : private runtime::Timer {
 public:
  Shard(TopicMetrics& module, broker::Broker& broker) : module_(module), broker_(broker) {}
  broker::Broker& broker() { return broker_; }

  void set(IndexRef index) {
    index_ = std::move(index);
    broker::Hooks& hooks = broker_.hooks();
    const bool wanted = index_ && !index_->empty();
    if (wanted && publish_ == 0) {
      publish_ = hooks.message_publish.add(broker::Hooks::kTopicMetrics, [this](broker::Publication& p) {
        count(p.topic, Counter::In, Counter::Qos0In, p.qos);
        return broker::PublishVerdict::Continue;
      });
      delivered_ = hooks.message_delivered.add(broker::Hooks::kTopicMetrics,
                                               [this](const broker::Session&, const broker::Publication& p, Qos qos) {
                                                 count(p.topic, Counter::Out, Counter::Qos0Out, qos);
                                               });
      dropped_ = hooks.message_dropped.add(broker::Hooks::kTopicMetrics, [this](const broker::Publication& p) {
        if (Topic::Cells* cells = find(p.topic)) cells->add(Counter::Dropped);
      });
      if (broker_.shard() == 0) arm();
    }
    if (!wanted && publish_ != 0) {
      hooks.message_publish.remove(std::exchange(publish_, 0));
      hooks.message_delivered.remove(std::exchange(delivered_, 0));
      hooks.message_dropped.remove(std::exchange(dropped_, 0));
      runtime::TimerWheel::cancel(*this);
    }
  }

 private:
  Topic::Cells* find(std::string_view topic) {
    const auto found = index_->find(topic);
    return found == index_->end() ? nullptr : &found->second->cells[broker_.shard()];
  }
  void count(std::string_view topic, Counter all, Counter qos0, Qos qos) {
    Topic::Cells* cells = find(topic);
    if (!cells) return;
    cells->add(all);
    cells->add(static_cast<Counter>(index_of(qos0) + to_int(qos)));
  }
  void arm() { broker_.loop().timers().arm(*this, broker_.loop().now(), kPeriod); }
  void on_timer() override {
    arm();
    module_.sample();
  }

  TopicMetrics& module_;
  broker::Broker& broker_;
  IndexRef index_;
  std::uint32_t publish_ = 0, delivered_ = 0, dropped_ = 0;
};

TopicMetrics::TopicMetrics(broker::ModuleContext& context) : context_(context), shards_(context.core.shards()) {}
TopicMetrics::~TopicMetrics() = default;

void TopicMetrics::join(broker::Broker& broker) {
  const std::lock_guard guard(mutex_);
  shards_[broker.shard()] = std::make_unique<Shard>(*this, broker);
  shards_[broker.shard()]->set(index_);
}

void TopicMetrics::publish_index() {
  auto index = std::make_shared<Index>();
  for (const auto& [name, topic] : topics_) index->emplace(name, topic);
  index_ = std::move(index);
  for (const auto& shard : shards_)
    if (shard) shard->broker().loop().post([s = shard.get(), current = index_] { s->set(current); });
}

Result<> TopicMetrics::add(std::string_view topic) {
  if (!broker::check_topic_name(topic))
    return fail(Errc::Invalid, fmt::format("'{}' is no topic name: 1..65535 bytes of UTF-8 without + and #", topic));
  const std::lock_guard guard(mutex_);
  if (topics_.contains(topic)) return fail(Errc::Exists, fmt::format("'{}' is monitored already", topic));
  if (topics_.size() >= kTopicsMax) return fail(Errc::Full, fmt::format("at most {} topics are monitored", kTopicsMax));
  topics_.emplace(std::string(topic), std::make_shared<Topic>(context_.core.shards(), context_.clock.wall_ms()));
  publish_index();
  return {};
}

Result<> TopicMetrics::remove(std::string_view topic) {
  const std::lock_guard guard(mutex_);
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return fail(Errc::NotFound, "TOPIC_NOT_FOUND");
  topics_.erase(found);
  publish_index();
  return {};
}

void TopicMetrics::reset(Topic& topic) {
  topic.reset_ms = context_.clock.wall_ms();
  for (std::size_t i = 0; i < kCounters; ++i) topic.base[i] = topic.total(i);
  topic.sampled = 0;
}

Result<> TopicMetrics::reset(std::string_view topic) {
  const std::lock_guard guard(mutex_);
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return fail(Errc::NotFound, "TOPIC_NOT_FOUND");
  reset(*found->second);
  return {};
}

void TopicMetrics::reset_all() {
  const std::lock_guard guard(mutex_);
  for (auto& [name, topic] : topics_) reset(*topic);
}

void TopicMetrics::sample() {
  const std::lock_guard guard(mutex_);
  for (auto& [name, topic] : topics_) {
    auto& slot = topic->samples[topic->sampled++ % (kSamples + 1)];
    slot.at = context_.clock.monotonic();
    for (std::size_t i = 0; i < kCounters; ++i) slot.total[i] = topic->total(i);
  }
}

Row TopicMetrics::row(const std::string& name, const Topic& topic) const {
  Row out;
  out.topic = name;
  out.create_ms = topic.create_ms;
  out.reset_ms = topic.reset_ms;
  for (std::size_t i = 0; i < kCounters; ++i) {
    out.count[i] = topic.total(i) - topic.base[i];
    if (topic.sampled < 2) continue;
    const std::size_t span = std::min(topic.sampled - 1, kSamples);
    const Topic::Sample& newest = topic.samples[(topic.sampled - 1) % (kSamples + 1)];
    const Topic::Sample& oldest = topic.samples[(topic.sampled - 1 - span) % (kSamples + 1)];
    const double seconds = std::chrono::duration<double>(newest.at - oldest.at).count();
    if (seconds > 0) out.rate[i] = static_cast<double>(newest.total[i] - oldest.total[i]) / seconds;
  }
  return out;
}

std::optional<Row> TopicMetrics::find(std::string_view topic) const {
  const std::lock_guard guard(mutex_);
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return std::nullopt;
  return row(found->first, *found->second);
}

std::vector<Row> TopicMetrics::list() const {
  const std::lock_guard guard(mutex_);
  std::vector<Row> out;
  for (const auto& [name, topic] : topics_) out.push_back(row(name, *topic));
  return out;
}

void add_to(broker::ModuleRegistry& registry) {
  registry.add({"topic_metrics", "Counts the messages of chosen topics",
                [](broker::ModuleContext& context) { return std::make_unique<TopicMetrics>(context); }});
}

}  // namespace sb::plugins::module::topic_metrics
