// The slowest deliveries (broker.md 12.3): the highest time per client and topic, the largest of them in a small table.
#pragma once

#include "broker/module_registry.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sb::plugins::module::slow_subs {

enum class Kind : std::uint8_t {
  Whole,     // from publishing to completion
  Internal,  // until sending began
  Response,  // from sending to the acknowledgement
};

struct Options {
  bool enable = false;
  Millis threshold{500};
  Millis expire_interval{300'000};
  std::uint32_t top_k_num = 10;  // at most 1000
  Kind stats_type = Kind::Whole;
};

struct Entry {
  std::string client_id;
  std::string topic;
  std::int64_t timespan_ms = 0;
  std::int64_t last_update_ms = 0;  // wall clock
};

class SlowSubs final : public broker::Module {
 public:
  static constexpr std::uint32_t kTopMax = 1000;
  explicit SlowSubs(broker::ModuleContext& context);
  ~SlowSubs() override;
  void join(broker::Broker& broker) override;

  Options options() const;
  [[nodiscard]] Result<> set_options(const Options& options);
  std::vector<Entry> list() const;  // slowest first
  void clear();

 private:
  class Shard;
  struct Slot {
    std::int64_t timespan_ms;
    std::int64_t updated_ms;  // monotonic
    std::int64_t wall_ms;
  };
  void add(std::string_view client_id, std::string_view topic, std::int64_t timespan, std::int64_t now,
           std::int64_t wall);
  void expire(std::int64_t now);
  void shrink();

  std::vector<std::unique_ptr<Shard>> shards_;
  mutable std::mutex mutex_;  // guards options_ and table_; taken for slow deliveries only
  Options options_;
  std::map<std::pair<std::string, std::string>, Slot> table_;  // client id and topic
  std::atomic<std::int64_t> floor_ms_{0};                      // what a new entry must exceed
};

void add_to(broker::ModuleRegistry& registry);

}  // namespace sb::plugins::module::slow_subs
