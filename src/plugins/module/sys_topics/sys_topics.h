// $SYS/brokers/... (broker.md 12.1): version, uptime, statistics at intervals, events of clients and alarms as they
// come. Its messages are marked `system`: no counter of messages sees them.
#pragma once

#include "broker/module_registry.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sb::plugins::module::sys_topics {

struct Options {
  Millis msg_interval{60'000};        // 0 = disabled
  Millis heartbeat_interval{30'000};  // 0 = disabled
  bool client_connected = true;
  bool client_disconnected = true;
  bool client_subscribed = false;
  bool client_unsubscribed = false;
};

class SysTopics final : public broker::Module {
 public:
  explicit SysTopics(broker::ModuleContext& context);
  ~SysTopics() override;
  void join(broker::Broker& broker) override;
  void start() override;

  Options options() const;
  void set_options(const Options& options);

  /// Any thread: publishes below `$SYS/brokers/<node>/`, on shard 0, in its next turn. For alarms, gateways, monitors.
  void announce(std::string subtopic, std::string json);

 private:
  class Shard;
  broker::ModuleContext& context_;
  std::string prefix_;  // "$SYS/brokers/<node>/"
  Nanos started_;
  std::vector<std::unique_ptr<Shard>> shards_;
  mutable std::mutex mutex_;  // guards options_
  Options options_;
};

void add_to(broker::ModuleRegistry& registry);

}  // namespace sb::plugins::module::sys_topics
