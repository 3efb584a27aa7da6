#include "app/features.h"

#include "plugins/module/auto_subscribe/auto_subscribe.h"
#include "plugins/module/delayed/delayed.h"
#include "plugins/module/rewrite/rewrite.h"
#include "plugins/module/slow_subs/slow_subs.h"
#include "plugins/module/sys_monitor/sys_monitor.h"
#include "plugins/module/sys_topics/sys_topics.h"
#include "plugins/module/topic_metrics/topic_metrics.h"

#include <algorithm>

namespace sb::app {

namespace {

namespace module = plugins::module;

access::FlappingSettings flapping_of(const config::FlappingDetect& from) {
  access::FlappingSettings out;
  out.enable = from.enable && from.window_time.count() > 0;
  out.window_time = from.window_time;
  out.max_count = from.max_count;
  out.ban_time = from.ban_time;
  return out;
}

module::rewrite::Applies applies_of(config::RewriteAction action) {
  switch (action) {
    case config::RewriteAction::Subscribe:
      return module::rewrite::Applies::Subscribe;
    case config::RewriteAction::Publish:
      return module::rewrite::Applies::Publish;
    case config::RewriteAction::All:
      return module::rewrite::Applies::All;
  }
  return module::rewrite::Applies::All;
}

module::slow_subs::Kind kind_of(config::SlowStats stats) {
  switch (stats) {
    case config::SlowStats::Whole:
      return module::slow_subs::Kind::Whole;
    case config::SlowStats::Internal:
      return module::slow_subs::Kind::Internal;
    case config::SlowStats::Response:
      return module::slow_subs::Kind::Response;
  }
  return module::slow_subs::Kind::Whole;
}

}  // namespace

Result<access::PolicyRef> access_policy(const config::Config& config, access::authn::Authentication& authentication,
                                        access::authz::Authorization& authorization, bool judge) {
  auto out = std::make_shared<access::Policy>();
  const config::Authorization& from = config.authorization;
  out->allow_no_match = from.no_match == config::NoMatch::Allow;
  out->disconnect_on_deny = from.deny_action == config::DenyAction::Disconnect;
  out->cache.enable = from.cache.enable;
  out->cache.max_size = from.cache.max_size;
  out->cache.ttl_ms = from.cache.ttl.count();
  out->cache_excludes = from.cache.excludes;
  SB_TRY(out->sources, authorization.apply(config, judge));
  out->flapping = flapping_of(config.flapping_detect);
  for (const auto& [name, zone] : config.zones) out->zones.emplace(name, flapping_of(zone.flapping_detect));
  const config::AuthenticationFailureLimit& limit = config.authentication_failure_limit;
  out->failure_limit = {limit.enable, limit.max_failures, limit.window, limit.block_time};
  SB_TRY(out->authentication, authentication.apply(config));  // last: it remembers what it made
  return out;
}

Result<> configure_modules(Node& node, const config::Config& config) {
  Result<> problem{};
  const auto note = [&problem](Result<> result) {
    if (!result && problem) problem = std::move(result);
  };
  broker::Modules& modules = node.modules();
  if (auto* rewrite = modules.find_as<module::rewrite::Rewrite>("rewrite")) {
    std::vector<module::rewrite::Rule> rules;
    for (const config::RewriteRule& rule : config.rewrite)
      rules.push_back({applies_of(rule.action), rule.source_topic, rule.dest_topic, rule.re});
    note(rewrite->set_rules(std::move(rules)));
  }
  if (auto* automatic = modules.find_as<module::auto_subscribe::AutoSubscribe>("auto_subscribe")) {
    std::vector<module::auto_subscribe::Topic> topics;
    for (const config::AutoSubscribeTopic& topic : config.auto_subscribe.topics) {
      SubscribeOptions options;
      options.qos = static_cast<Qos>(topic.qos);
      options.no_local = topic.nl != 0;
      options.retain_as_published = topic.rap != 0;
      options.retain_handling = static_cast<RetainHandling>(topic.rh);
      topics.push_back({topic.topic, options});
    }
    note(automatic->set_topics(std::move(topics)));
  }
  if (auto* delayed = modules.find_as<module::delayed::Delayed>("delayed"))
    delayed->set_options({config.delayed.enable, config.delayed.max_delayed_messages});
  if (auto* slow = modules.find_as<module::slow_subs::SlowSubs>("slow_subs"))
    note(slow->set_options({config.slow_subs.enable, config.slow_subs.threshold, config.slow_subs.expire_interval,
                            config.slow_subs.top_k_num, kind_of(config.slow_subs.stats_type)}));
  if (auto* metrics = modules.find_as<module::topic_metrics::TopicMetrics>("topic_metrics")) {
    for (const module::topic_metrics::Row& row : metrics->list())
      if (std::none_of(config.topic_metrics.begin(), config.topic_metrics.end(),
                       [&](const config::TopicMetric& topic) { return topic.topic == row.topic; }))
        note(metrics->remove(row.topic));
    for (const config::TopicMetric& topic : config.topic_metrics)
      if (const auto added = metrics->add(topic.topic); !added && added.error().code != Errc::Exists)
        note(fail(added.error().code,
                  fmt::format("topic_metrics.topic = {}: expected one of at most {} topics ({})", topic.topic,
                              module::topic_metrics::TopicMetrics::kTopicsMax, added.error().what)));
  }
  if (auto* sys = modules.find_as<module::sys_topics::SysTopics>("sys_topics")) {
    const config::SysTopics& from = config.sys_topics;
    sys->set_options({from.sys_msg_interval, from.sys_heartbeat_interval, from.sys_event_messages.client_connected,
                      from.sys_event_messages.client_disconnected, from.sys_event_messages.client_subscribed,
                      from.sys_event_messages.client_unsubscribed});
  }
  if (auto* monitor = modules.find_as<module::sys_monitor::SysMonitor>("sys_monitor")) {
    const config::Sysmon& from = config.sysmon;
    monitor->set_options({from.os.cpu_check_interval, from.os.cpu_high_watermark.value, from.os.cpu_low_watermark.value,
                          from.os.mem_check_interval, from.os.sysmem_high_watermark.value,
                          from.os.procmem_high_watermark.value, from.vm.process_check_interval,
                          from.vm.process_high_watermark.value, from.vm.process_low_watermark.value});
  }
  note(node.alarms().set_options(
      {config.alarm.log(), config.alarm.publish(), config.alarm.size_limit, config.alarm.validity_period}));
  client::PressureOptions pressure;
  pressure.memory_high_watermark = config.node.memory_high_watermark.value;
  node.pressure().set_options(pressure);
  return problem;
}

}  // namespace sb::app
