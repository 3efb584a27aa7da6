#include "management/service.h"

#include "base/give_way.h"

#include <pthread.h>

namespace sb::management {

Service::Service(Environment environment)
    : environment_(std::move(environment)),
      core_(*environment_.core),
      loop_(*environment_.clock, runtime::Loop::Options{Nanos{0}}),
      accounts_(loop_),
      monitor_(loop_, [this] { return monitor_reading(core_, *environment_.stats); }) {
  for (unsigned id = 0; id < core_.shards(); ++id) walks_.push_back(std::make_unique<SessionWalks>(core_.shard(id)));
  started_ = environment_.clock->monotonic();
}

Service::~Service() {
  stop();
}

void Service::start(std::function<void()> before) {
  thread_ = std::thread([this, before = std::move(before)] {
    pthread_setname_np(pthread_self(), "management");
    gives_way();
    if (before) before();
    store::KeyValue* store = environment_.store ? environment_.store() : nullptr;
    monitor_.start(store, environment_.config ? sample_interval(*environment_.config->current()) : kSampleInterval);
    loop_.run();
  });
}

void Service::stop(std::function<void()> last) {
  if (!thread_.joinable()) return;
  loop_.post([this, last = std::move(last)] {
    if (last) last();
    monitor_.stop();
    accounts_.stop();
    loop_.stop();
  });
  thread_.join();
}

void Service::when_kept(std::function<void(bool kept)> done) {
  struct State {
    unsigned missing;
    bool kept = true;
    std::function<void(bool)> done;
  };
  auto state = std::make_shared<State>(State{core_.shards(), true, std::move(done)});
  for (unsigned id = 0; id < core_.shards(); ++id) {
    broker::Broker& broker = core_.shard(id);
    broker.loop().post([this, state, &broker] {
      broker.when_kept(nullptr, [this, state](bool kept) {
        loop_.post([state, kept] {
          state->kept = state->kept && kept;
          if (--state->missing == 0) state->done(state->kept);
        });
      });
    });
  }
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

}  // namespace sb::management
