// One shard put together: thread, loop, broker, gate, channels. Members are in the order of their dependence; destroyed
// in reverse after the thread has ended.
#pragma once

#include "access/gate.h"
#include "app/shard_listener.h"
#include "broker/broker.h"
#include "client/shard_context.h"
#include "mqtt/channel.h"
#include "net/stream.h"
#include "runtime/loop.h"

#include <memory>
#include <thread>
#include <vector>

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

  // --- on the shard's thread; called by Listeners
  [[nodiscard]] Result<> open_listener(const net::Endpoint& bind, const net::AcceptorOptions& options,
                                       const ListenerSnapshot& snapshot);
  void update_listener(const ListenerSnapshot& snapshot);
  /// Stops accepting; its connections live on.
  void close_listener(const std::string& id);
  void drop_connections(const std::string& id);
  void close_listeners();

 private:
  ShardListener* find_listener(const std::string& id);

  runtime::Loop loop_;
  net::ShardIo io_;
  broker::Broker broker_;
  std::unique_ptr<access::Gate> gate_;
  client::ShardContext context_;
  mqtt::ChannelHost channels_;
  std::vector<std::unique_ptr<ShardListener>> listeners_;
  std::thread thread_;
};

}  // namespace sb::app
