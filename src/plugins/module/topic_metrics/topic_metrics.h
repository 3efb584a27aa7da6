// Counters of up to 512 exact topics (broker.md 12.4): messages in, out and dropped, and their rates over five seconds.
#pragma once

#include "base/hash.h"
#include "broker/module_registry.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sb::plugins::module::topic_metrics {

enum class Counter : std::uint8_t { In, Out, Qos0In, Qos1In, Qos2In, Qos0Out, Qos1Out, Qos2Out, Dropped, Count };
constexpr std::size_t kCounters = static_cast<std::size_t>(Counter::Count);
std::string_view to_string(Counter counter);  // "messages.in", "messages.qos0.in", ..., "messages.dropped"

struct Row {
  std::string topic;
  std::int64_t create_ms = 0;
  std::optional<std::int64_t> reset_ms;
  std::array<std::uint64_t, kCounters> count{};
  std::array<double, kCounters> rate{};  // a second
};

class TopicMetrics final : public broker::Module {
 public:
  static constexpr std::size_t kTopicsMax = 512;

  explicit TopicMetrics(broker::ModuleContext& context);
  ~TopicMetrics() override;
  void join(broker::Broker& broker) override;

  /// Full (EXCEED_LIMIT), Exists and Invalid (BAD_TOPIC).
  [[nodiscard]] Result<> add(std::string_view topic);
  [[nodiscard]] Result<> remove(std::string_view topic);  // NotFound
  [[nodiscard]] Result<> reset(std::string_view topic);
  void reset_all();
  std::optional<Row> find(std::string_view topic) const;
  std::vector<Row> list() const;

 private:
  class Shard;
  struct Topic;
  using TopicRef = std::shared_ptr<Topic>;
  using Index = boost::unordered_flat_map<std::string, TopicRef, TextHash, TextEqual>;
  using IndexRef = std::shared_ptr<const Index>;

  void publish_index();  // under the lock
  void sample();         // once a second, on shard 0
  Row row(const std::string& name, const Topic& topic) const;
  void reset(Topic& topic);

  broker::ModuleContext& context_;
  std::vector<std::unique_ptr<Shard>> shards_;
  mutable std::mutex mutex_;  // guards topics_ and what a Topic keeps besides its cells
  std::map<std::string, TopicRef, std::less<>> topics_;
  IndexRef index_;
};

void add_to(broker::ModuleRegistry& registry);

}  // namespace sb::plugins::module::topic_metrics
