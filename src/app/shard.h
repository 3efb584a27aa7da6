// One shard put together: thread, loop, broker, gate, channels. Members are in the order of their dependence; destroyed in
// reverse after the thread has ended.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "access/gate.h"
#include "broker/broker.h"
#include "client/shard_context.h"
#include "mqtt/channel.h"
#include "net/acceptor.h"
#include "net/stream.h"
#include "runtime/loop.h"

namespace sb::app {

class Shard {
 public:
  using MakeGate = std::function<std::unique_ptr<access::Gate>(broker::Broker&)>;
  Shard(broker::Core& core, unsigned id, const Clock& clock, Nanos coalesce, broker::CoreSettingsRef settings,
        const MakeGate& make_gate, std::function<void(mqtt::HandOver)> hand_over);
  ~Shard();

  void start();
  void join();

  unsigned id() const { return broker_.shard(); }
  runtime::Loop& loop() { return loop_; }
  broker::Broker& broker() { return broker_; }
  mqtt::ChannelHost& channels() { return channels_; }
  client::ShardContext& context() { return context_; }

  /// On the shard's thread.
  [[nodiscard]] Result<> open_listener(const net::Endpoint& bind, const net::AcceptorOptions& options,
                                       client::ListenerRef listener, std::shared_ptr<client::ListenerState> state);
  void close_listeners();

  /// Runs `fn` on the shard's thread and waits for its result. Never from a shard.
  template <class Fn>
  auto ask(Fn&& fn);

 private:
  struct Listening {
    client::ListenerRef listener;
    std::shared_ptr<client::ListenerState> state;
    std::unique_ptr<net::Acceptor> acceptor;
  };
  runtime::Loop loop_;
  net::ShardIo io_;
  broker::Broker broker_;
  std::unique_ptr<access::Gate> gate_;
  client::ShardContext context_;
  mqtt::ChannelHost channels_;
  std::vector<std::unique_ptr<Listening>> listening_;
  std::thread thread_;
};

}  // namespace sb::app
