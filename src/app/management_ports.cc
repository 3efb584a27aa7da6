#include "app/management_ports.h"

namespace sb::app {

namespace {

management::DelayedInfo to_info(const plugins::module::delayed::Item& item, bool with_payload) {
  management::DelayedInfo out;
  out.id = item.id;
  out.topic = item.topic;
  out.qos = item.qos;
  out.client_id = item.client_id;
  out.username = item.username;
  out.publish_at_ms = item.publish_at_ms;
  out.interval_s = item.interval_s;
  out.remaining_s = item.remaining_s;
  out.expected_at_ms = item.expected_at_ms;
  if (with_payload && item.message)
    out.payload.assign(reinterpret_cast<const char*>(item.message->payload().data()), item.message->payload().size());
  return out;
}

management::TopicMetricInfo to_info(const plugins::module::topic_metrics::Row& row) {
  management::TopicMetricInfo out;
  out.topic = row.topic;
  out.create_ms = row.create_ms;
  out.reset_ms = row.reset_ms;
  for (std::size_t i = 0; i < plugins::module::topic_metrics::kCounters; ++i) {
    const std::string name(to_string(static_cast<plugins::module::topic_metrics::Counter>(i)));
    out.counts.emplace_back(name, row.count[i]);
    out.rates.emplace_back(name, row.rate[i]);
  }
  return out;
}

std::string_view status_name(plugins::module::log_trace::Status status) {
  switch (status) {
    case plugins::module::log_trace::Status::Waiting:
      return "waiting";
    case plugins::module::log_trace::Status::Running:
      return "running";
    case plugins::module::log_trace::Status::Stopped:
      return "stopped";
  }
  return "stopped";
}

}  // namespace

std::vector<management::ListenerInfo> NodeListeners::list() {
  std::vector<management::ListenerInfo> out;
  for (const ListenerInfo& known : node_.listeners().list()) {
    management::ListenerInfo info;
    info.id = known.id;
    const auto colon = std::min(info.id.find(':'), info.id.size());
    info.type = info.id.substr(0, colon);
    info.name = info.id.substr(std::min(colon + 1, info.id.size()));
    info.bind = known.bind.to_string();
    info.enable = known.enabled;
    info.running = known.running;
    info.acceptors = known.acceptors;
    info.proxy_protocol = known.proxy_protocol;
    info.current_connections = known.connections;
    info.max_connections = known.connections_limit;
    info.shutdown_count.assign(known.shutdown_count.begin(), known.shutdown_count.end());
    out.push_back(std::move(info));
  }
  return out;
}

Result<> NodeListeners::start(std::string_view id) {
  return node_.listeners().start(std::string(id));
}
Result<> NodeListeners::stop(std::string_view id) {
  return node_.listeners().stop(std::string(id));
}
Result<> NodeListeners::restart(std::string_view id) {
  return node_.listeners().restart(std::string(id));
}
Result<> NodeListeners::reload_certificates() {
  SB_CHECKED(node_.listeners().reload_certificates());
  return others_ ? others_() : Result<>{};
}

std::vector<management::DelayedInfo> NodeDelayed::list(std::size_t skip, std::size_t limit) {
  std::vector<management::DelayedInfo> out;
  for (const auto& item : delayed_.list(skip, limit)) out.push_back(to_info(item, false));
  return out;
}

std::optional<management::DelayedInfo> NodeDelayed::find(std::string_view id) {
  const auto item = delayed_.find(id);
  return item ? std::optional(to_info(*item, true)) : std::nullopt;
}

std::vector<management::TopicMetricInfo> NodeTopicMetrics::list() {
  std::vector<management::TopicMetricInfo> out;
  for (const auto& row : metrics_.list()) out.push_back(to_info(row));
  return out;
}

std::optional<management::TopicMetricInfo> NodeTopicMetrics::find(std::string_view topic) {
  const auto row = metrics_.find(topic);
  return row ? std::optional(to_info(*row)) : std::nullopt;
}

std::vector<management::TraceInfo> NodeTraces::list() {
  std::vector<management::TraceInfo> out;
  for (const auto& known : traces_.list())
    out.push_back({known.trace.name, std::string(to_string(known.trace.kind)), known.trace.value, known.trace.start_ms,
                   known.trace.end_ms, std::string(status_name(known.status)), known.file, known.bytes,
                   std::string(to_string(known.trace.payload))});
  return out;
}

Result<> NodeTraces::create(const management::TraceInfo& trace) {
  const auto kind = plugins::module::log_trace::trace_kind(trace.type);
  if (!kind)
    return fail(Errc::Invalid, fmt::format("trace type '{}': expected clientid, topic or ip_address", trace.type));
  plugins::module::log_trace::Trace wanted;
  wanted.name = trace.name;
  wanted.kind = *kind;
  wanted.value = trace.value;
  wanted.start_ms = trace.start_ms;
  wanted.end_ms = trace.end_ms;
  wanted.file = trace.file;
  const auto form = plugins::module::log_trace::payload_form(trace.payload_encode);
  if (!form)
    return fail(Errc::Invalid, fmt::format("payload_encode '{}': expected text, hex or hidden", trace.payload_encode));
  wanted.payload = *form;
  return traces_.create(std::move(wanted));
}

std::vector<management::SlowSubscriptionInfo> NodeSlowSubscriptions::list() {
  std::vector<management::SlowSubscriptionInfo> out;
  for (const auto& entry : slow_.list())
    out.push_back({entry.client_id, entry.topic, entry.timespan_ms, entry.last_update_ms});
  return out;
}

}  // namespace sb::app
