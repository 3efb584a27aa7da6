// $delayed/<n>/<topic> (broker.md 9.2): a message is held for n seconds (or until UNIX time n) on the shard where it
// was published, after a restart on its author's, then published as any other. Due times are kept as wall clock and
// driven by the monotonic one: down-time counts, a clock that steps moves nothing.
#pragma once

#include "broker/module_registry.h"
#include "plugins/module/delayed/log.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sb::plugins::module::delayed {

struct Options {
  bool enable = true;
  std::size_t max_delayed_messages = 0;  // of the node, 0 = unlimited
};

/// What management shows of a waiting message.
struct Item {
  std::string id;
  std::string topic;
  Qos qos = Qos::AtMostOnce;
  std::string client_id;
  std::string username;
  std::int64_t publish_at_ms = 0;
  std::int64_t interval_s = 0;
  std::int64_t remaining_s = 0;
  std::int64_t expected_at_ms = 0;
  broker::MessageRef message;  // payload and properties
};

class Delayed final : public broker::Module {
 public:
  /// From here on n is a point in time, not an interval; nothing may lie further ahead.
  static constexpr std::int64_t kIntervalMax = 4'294'967;

  explicit Delayed(broker::ModuleContext& context);
  ~Delayed() override;
  /// Before join(): what was stored is taken up, later changes go there. The log outlives the module.
  [[nodiscard]] Result<> open(Log& log);
  void join(broker::Broker& broker) override;

  Options options() const;
  /// Disabling drops what waits.
  void set_options(const Options& options);

  std::size_t size() const { return count_.load(std::memory_order_relaxed); }
  /// In the order of release.
  std::vector<Item> list(std::size_t skip, std::size_t limit) const;
  std::optional<Item> find(std::string_view id) const;
  /// Invalid: not an id; NotFound.
  [[nodiscard]] Result<> erase(std::string_view id);
  /// All that wait for this topic name; how many.
  std::size_t erase_topic(std::string_view topic);

 private:
  class Shard;
  broker::ModuleContext& context_;
  NoLog no_log_;
  Log* log_ = &no_log_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::vector<Record>> stored_;  // loaded, until the shard joins
  std::atomic<bool> enabled_{true};
  std::atomic<std::size_t> max_{0};
  std::atomic<std::size_t> count_{0};
};

void add_to(broker::ModuleRegistry& registry);

}  // namespace sb::plugins::module::delayed
