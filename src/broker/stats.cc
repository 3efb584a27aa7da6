#include "broker/stats.h"

#include <algorithm>

namespace sb::broker {

std::string_view to_string(Gauge gauge) {
  static constexpr std::string_view kNames[] = {
#define SB_GAUGE_NAME(id, name) name,
      SB_GAUGES(SB_GAUGE_NAME)
#undef SB_GAUGE_NAME
  };
  return kNames[static_cast<std::size_t>(gauge)];
}

class Stats::ShardCells final : private runtime::Timer {
 public:
  ShardCells(Stats& stats, Broker& broker, std::function<std::uint64_t()> live_now)
      : stats_(stats), broker_(broker), live_(std::move(live_now)) {
    arm();
  }
  std::atomic<std::uint64_t> sessions{0}, live{0}, subscriptions{0}, shared{0};

 private:
  void arm() { broker_.loop().timers().arm(*this, broker_.loop().now(), kPeriod); }
  void on_timer() override {
    arm();
    sessions.store(broker_.session_count(), std::memory_order_relaxed);
    live.store(live_ ? live_() : 0, std::memory_order_relaxed);
    subscriptions.store(broker_.subscription_count(), std::memory_order_relaxed);
    shared.store(broker_.shared_subscription_count(), std::memory_order_relaxed);
    if (broker_.shard() == 0) stats_.collect();
  }
  Stats& stats_;
  Broker& broker_;
  std::function<std::uint64_t()> live_;
};

Stats::Stats(Core& core) : core_(core), shards_(core.shards()) {}
Stats::~Stats() = default;

void Stats::join(Broker& broker, std::function<std::uint64_t()> live) {
  shards_[broker.shard()] = std::make_unique<ShardCells>(*this, broker, std::move(live));
}

void Stats::set_source(Gauge gauge, std::function<std::uint64_t()> source) {
  sources_[static_cast<std::size_t>(gauge)] = std::move(source);
}

void Stats::collect() {
  std::uint64_t sessions = 0, live = 0, subscriptions = 0, shared = 0;
  for (const auto& cells : shards_) {
    if (!cells) continue;
    sessions += cells->sessions.load(std::memory_order_relaxed);
    live += cells->live.load(std::memory_order_relaxed);
    subscriptions += cells->subscriptions.load(std::memory_order_relaxed);
    shared += cells->shared.load(std::memory_order_relaxed);
  }
  std::array<std::uint64_t, kGaugeCount> now{};
  const auto set = [&now](Gauge gauge, std::uint64_t value) { now[static_cast<std::size_t>(gauge)] = value; };
  set(Gauge::Connections, sessions);
  set(Gauge::LiveConnections, live);
  set(Gauge::Channels, sessions);
  set(Gauge::Sessions, sessions);
  set(Gauge::Topics, core_.router().count());
  set(Gauge::Suboptions, subscriptions);
  set(Gauge::Subscriptions, subscriptions);
  set(Gauge::Subscribers, subscriptions);  // [S] 14.2: shared ones included
  set(Gauge::SharedSubscriptions, shared);
  set(Gauge::Retained, core_.retained_count().load(std::memory_order_relaxed));
  for (std::size_t i = 0; i < kGaugeCount; ++i) {
    if (sources_[i]) now[i] = sources_[i]();
    counts_[i].store(now[i], std::memory_order_relaxed);
    if (now[i] > maxima_[i].load(std::memory_order_relaxed)) maxima_[i].store(now[i], std::memory_order_relaxed);
  }
}

std::vector<std::pair<std::string, std::uint64_t>> Stats::list() const {
  std::vector<std::pair<std::string, std::uint64_t>> out;
  for (std::size_t i = 0; i < kGaugeCount; ++i) {
    const auto gauge = static_cast<Gauge>(i);
    out.emplace_back(std::string(to_string(gauge)) + ".count", count(gauge));
    out.emplace_back(std::string(to_string(gauge)) + ".max", max(gauge));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace sb::broker
