#include "management/service.h"

#include <pthread.h>

#include <future>

#include "management/gather.h"

namespace sb::management {

Service::Service(Environment environment)
    : environment_(std::move(environment)),
      core_(*environment_.core),
      loop_(*environment_.clock, runtime::Loop::Options{Nanos{0}}) {
  for (unsigned id = 0; id < core_.shards(); ++id) walks_.push_back(std::make_unique<SessionWalks>(core_.shard(id)));
  started_ = environment_.clock->monotonic();
}

Service::~Service() { stop(); }

void Service::start(std::function<void()> before) {
  thread_ = std::thread([this, before = std::move(before)] {
    pthread_setname_np(pthread_self(), "management");
    if (before) before();
    loop_.run();
  });
}

void Service::stop(std::function<void()> last) {
  if (!thread_.joinable()) return;
  loop_.post([this, last = std::move(last)] {
    if (last) last();
    loop_.stop();
  });
  thread_.join();
}

std::int64_t Service::uptime_ms() const {
  return std::chrono::duration_cast<Millis>(environment_.clock->monotonic() - started_).count();
}

std::vector<std::pair<std::string_view, std::uint64_t>> Service::metrics() const {
  std::vector<std::pair<std::string_view, std::uint64_t>> out;
  for (std::size_t i = 0; i < broker::kMetricCount; ++i) {
    const auto metric = static_cast<broker::Metric>(i);
    out.emplace_back(broker::to_string(metric), core_.metric(metric));
  }
  return out;
}

void Service::gauges(std::function<void(std::vector<GaugeInfo>)> done) {
  if (environment_.gauges) return done(environment_.gauges->gauges());
  struct Part {
    std::uint64_t sessions = 0, live = 0, subscriptions = 0, shared = 0;
  };
  const auto count = [](broker::Broker& broker) {
    // The live ones are those with a connection; counted from the counters, so that no session is looked at.
    const std::uint64_t connected = broker.metrics().get(broker::Metric::ClientConnected);
    const std::uint64_t gone = broker.metrics().get(broker::Metric::ClientDisconnected);
    return Part{broker.session_count(), connected - gone, broker.subscription_count(), broker.shared_subscription_count()};
  };
  gather<Part>(count, [this, done = std::move(done)](std::vector<Part> parts) {
    Part sum;
    for (const Part& part : parts) {
      sum.sessions += part.sessions;
      sum.live += part.live;
      sum.subscriptions += part.subscriptions;
      sum.shared += part.shared;
    }
    std::vector<GaugeInfo> now = {{"connections", sum.sessions, 0},
                                  {"live_connections", sum.live, 0},
                                  {"channels", sum.sessions, 0},
                                  {"sessions", sum.sessions, 0},
                                  {"topics", core_.router().count(), 0},
                                  {"suboptions", sum.subscriptions, 0},
                                  {"subscriptions", sum.subscriptions, 0},
                                  {"subscribers", sum.subscriptions, 0},
                                  {"subscriptions.shared", sum.shared, 0},
                                  {"retained", retained_count(), 0},
                                  {"delayed", environment_.delayed ? environment_.delayed->size() : 0, 0}};
    gauges_seen_.resize(now.size());
    for (std::size_t i = 0; i < now.size(); ++i) {
      now[i].max = std::max(now[i].count, gauges_seen_[i].max);
      gauges_seen_[i] = now[i];
    }
    done(std::move(now));
  });
}

}  // namespace sb::management
