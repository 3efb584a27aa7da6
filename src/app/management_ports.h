// The ports of management/ over the node's modules and listeners.
#pragma once

#include "app/node.h"
#include "management/ports.h"
#include "plugins/module/delayed/delayed.h"
#include "plugins/module/log_trace/log_trace.h"
#include "plugins/module/slow_subs/slow_subs.h"
#include "plugins/module/topic_metrics/topic_metrics.h"

#include <functional>

namespace sb::app {

class NodeListeners final : public management::ListenerControl {
 public:
  explicit NodeListeners(Node& node) : node_(node) {}
  std::vector<management::ListenerInfo> list() override;
  [[nodiscard]] Result<> start(std::string_view id) override;
  [[nodiscard]] Result<> stop(std::string_view id) override;
  [[nodiscard]] Result<> restart(std::string_view id) override;
  [[nodiscard]] Result<> reload_certificates() override;
  /// Listeners that are not the node's.
  void set_others(std::function<Result<>()> reload) { others_ = std::move(reload); }

 private:
  Node& node_;
  std::function<Result<>()> others_;
};

class NodeDelayed final : public management::DelayedControl {
 public:
  explicit NodeDelayed(plugins::module::delayed::Delayed& delayed) : delayed_(delayed) {}
  std::size_t size() override { return delayed_.size(); }
  std::vector<management::DelayedInfo> list(std::size_t skip, std::size_t limit) override;
  std::optional<management::DelayedInfo> find(std::string_view id) override;
  [[nodiscard]] Result<> erase(std::string_view id) override { return delayed_.erase(id); }
  std::size_t erase_topic(std::string_view topic) override { return delayed_.erase_topic(topic); }

 private:
  plugins::module::delayed::Delayed& delayed_;
};

class NodeTopicMetrics final : public management::TopicMetricsControl {
 public:
  explicit NodeTopicMetrics(plugins::module::topic_metrics::TopicMetrics& metrics) : metrics_(metrics) {}
  std::vector<management::TopicMetricInfo> list() override;
  std::optional<management::TopicMetricInfo> find(std::string_view topic) override;
  [[nodiscard]] Result<> add(std::string_view topic) override { return metrics_.add(topic); }
  [[nodiscard]] Result<> remove(std::string_view topic) override { return metrics_.remove(topic); }
  [[nodiscard]] Result<> reset(std::string_view topic) override { return metrics_.reset(topic); }
  void reset_all() override { metrics_.reset_all(); }

 private:
  plugins::module::topic_metrics::TopicMetrics& metrics_;
};

class NodeTraces final : public management::TraceControl {
 public:
  explicit NodeTraces(plugins::module::log_trace::LogTrace& traces) : traces_(traces) {}
  std::vector<management::TraceInfo> list() override;
  [[nodiscard]] Result<> create(const management::TraceInfo& trace) override;
  [[nodiscard]] Result<> stop(std::string_view name) override { return traces_.stop_trace(name); }
  [[nodiscard]] Result<> remove(std::string_view name) override { return traces_.remove(name); }
  void clear() override { traces_.clear(); }
  void flush() override { traces_.flush(); }

 private:
  plugins::module::log_trace::LogTrace& traces_;
};

class NodeSlowSubscriptions final : public management::SlowSubscriptionControl {
 public:
  explicit NodeSlowSubscriptions(plugins::module::slow_subs::SlowSubs& slow) : slow_(slow) {}
  std::vector<management::SlowSubscriptionInfo> list() override;
  void clear() override { slow_.clear(); }

 private:
  plugins::module::slow_subs::SlowSubs& slow_;
};

}  // namespace sb::app
