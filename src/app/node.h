// A node: shards, what they share, listeners; started and stopped in order. Built by main from the configuration.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/listeners.h"
#include "app/shard.h"
#include "base/clock.h"
#include "broker/broker.h"
#include "runtime/reclaimer.h"
#include "store/key_value.h"

namespace sb::app {

struct NodeOptions {
  unsigned shards = 1;
  Nanos coalesce{100'000};
  broker::RouterOptions router;
  broker::CoreSettingsRef core = std::make_shared<const broker::CoreSettings>();
  std::vector<ListenerOptions> listeners;
  net::Rate connection_rate{};  // of the whole node (config.md 7.11)
  net::Rate bytes_rate{};
  net::Rate messages_rate{};
  broker::SessionSettingsRef default_session = std::make_shared<const broker::SessionSettings>();

  /// Empty: no store at all.
  std::string data_dir{};
  bool durable_sessions = false;
  bool durable_retained = false;
  store::Durability durability = store::Durability::Process;
  std::function<void(std::string_view table, std::uint64_t records)> progress{};
};

class Node {
 public:
  explicit Node(NodeOptions options);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  [[nodiscard]] Result<> start();
  /// Stops accepting, says goodbye to everybody (0x8B), flushes, ends the threads.
  void stop();

  broker::Core& core() { return core_; }
  Shard& shard(unsigned id) { return *shards_[id]; }
  unsigned shard_count() const { return options_.shards; }
  /// Opens, changes and closes listeners while the node runs.
  Listeners& listeners() { return *listeners_; }
  /// Where the listeners really listen, in the order of the options.
  const std::vector<net::Endpoint>& bound() const { return bound_; }

 private:
  NodeOptions options_;
  [[nodiscard]] Result<> open_store();

  SystemClock clock_;
  std::unique_ptr<store::KeyValue> store_;  // outlives the shards' journals
  runtime::Reclaimer reclaimer_;
  broker::Core core_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Listeners> listeners_;
  std::vector<net::Endpoint> bound_;
  bool running_ = false;
};

}  // namespace sb::app
