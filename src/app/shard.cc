#include "app/shard.h"

#include <pthread.h>
#include <sys/prctl.h>

namespace sb::app {

Shard::Shard(broker::Core& core, unsigned id, const Clock& clock, Nanos coalesce, broker::CoreSettingsRef settings,
             const MakeGate& make_gate, std::function<void(mqtt::HandOver)> hand_over)
    : loop_(clock, runtime::Loop::Options{coalesce}),
      io_(loop_),
      broker_(core, id, loop_, std::move(settings)),
      gate_(make_gate(broker_)),
      context_{broker_, io_, *gate_, 0, {}, {}, nullptr, nullptr},
      channels_(context_, std::move(hand_over)) {
  core.join(broker_);
  runtime::Reclaimer& reclaimer = core.reclaimer();
  loop_.set_poller([this] { return broker_.poll(); });
  loop_.set_has_work([this] { return broker_.has_work(); });
  runtime::Loop::Hooks hooks;
  hooks.after_turn = [this, &reclaimer, id] {
    // Bytes are counted by the streams and taken over here, once a turn.
    broker_.metrics().add(broker::Metric::BytesReceived, std::exchange(io_.bytes_received, 0));
    broker_.metrics().add(broker::Metric::BytesSent, std::exchange(io_.bytes_sent, 0));
    // What waits for room in a ring still names routes: such a shard must not count as quiet.
    if (!broker_.congested()) reclaimer.quiescent(id);
    return broker_.journal() ? broker_.journal()->after_turn() : Nanos::max();
  };
  hooks.offline = [this, &reclaimer, id] {
    if (!broker_.congested()) reclaimer.offline(id);
  };
  hooks.online = [&reclaimer, id] { reclaimer.online(id); };
  loop_.set_hooks(std::move(hooks));
}

Shard::~Shard() {
  join();
}

void Shard::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), fmt::format("shard-{}", id()).c_str());
    prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);  // naps of 100 us must not become 150
    loop_.run();
  });
}

void Shard::join() {
  if (thread_.joinable()) thread_.join();
}

ShardListener* Shard::find_listener(const std::string& id) {
  for (auto& listener : listeners_)
    if (listener->id() == id) return listener.get();
  return nullptr;
}

Result<> Shard::open_listener(const net::Endpoint& bind, const net::AcceptorOptions& options,
                              const ListenerSnapshot& snapshot) {
  ShardListener* listener = find_listener(snapshot.settings->id);
  if (!listener) {
    listeners_.push_back(std::make_unique<ShardListener>(loop_, channels_, snapshot));
    listener = listeners_.back().get();
  }
  listener->update(snapshot);
  return listener->open(bind, options);
}

void Shard::update_listener(const ListenerSnapshot& snapshot) {
  if (ShardListener* listener = find_listener(snapshot.settings->id)) listener->update(snapshot);
}

void Shard::close_listener(const std::string& id) {
  if (ShardListener* listener = find_listener(id)) listener->close();
}

void Shard::drop_connections(const std::string& id) {
  if (ShardListener* listener = find_listener(id)) listener->drop_connections();
}

void Shard::close_listeners() {
  for (auto& listener : listeners_) listener->close();
}

}  // namespace sb::app
