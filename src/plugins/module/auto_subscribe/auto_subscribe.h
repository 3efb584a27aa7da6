// Subscriptions that every client gets when it has connected (broker.md 9.4), as far as authorization allows them to
// it; without caps.
#pragma once

#include "broker/module_registry.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sb::plugins::module::auto_subscribe {

struct Topic {
  std::string topic;  // with ${clientid}, ${username}, ${host}, ${port}
  SubscribeOptions options;
};

class AutoSubscribe final : public broker::Module {
 public:
  static constexpr std::size_t kTopicsMax = 20;

  explicit AutoSubscribe(broker::ModuleContext& context);
  ~AutoSubscribe() override;
  void join(broker::Broker& broker) override;

  std::vector<Topic> topics() const;
  /// Full: more than kTopicsMax. Concerns clients that connect from now on.
  [[nodiscard]] Result<> set_topics(std::vector<Topic> topics);

 private:
  class Shard;
  std::vector<std::unique_ptr<Shard>> shards_;
  mutable std::mutex mutex_;  // guards topics_
  std::shared_ptr<const std::vector<Topic>> topics_;
};

void add_to(broker::ModuleRegistry& registry);

}  // namespace sb::plugins::module::auto_subscribe
