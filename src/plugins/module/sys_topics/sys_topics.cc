#include "plugins/module/sys_topics/sys_topics.h"

#include "base/json_text.h"
#include "base/time_text.h"
#include "broker/topic.h"
#include "runtime/timer_wheel.h"

#include <algorithm>

namespace sb::plugins::module::sys_topics {

namespace {
/// 3.3.2.3.3: Content Type
constexpr std::string_view kJsonType{
    "\x03\x00\x10"
    "application/json",
    19};

std::string with_slashes(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '.', '/');
  return out;
}

/// A client id as a part of a topic, which holds no wildcards. What was encoded can be undone.
std::string as_level(std::string_view client_id) {
  std::string out;
  for (const char c : client_id) {
    if (c == '+' || c == '#' || c == '%')
      out += fmt::format("%{:02X}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out;
}
}  // namespace

class SysTopics::Shard {
 public:
  Shard(SysTopics& module, broker::Broker& broker)
      : module_(module), broker_(broker), messages_(*this), heartbeat_(*this) {}
  broker::Broker& broker() { return broker_; }

  void set(const Options& options) {
    const Options before = std::exchange(options_, options);
    broker::Hooks& hooks = broker_.hooks();
    const int priority = broker::Hooks::kSysEvents;
    const auto keep = [](auto& point, std::uint32_t& token, bool wanted, auto&& add) {
      if (wanted && token == 0) token = add();
      if (!wanted && token != 0) point.remove(std::exchange(token, 0));
    };
    keep(hooks.client_connected, connected_, options.client_connected, [&] {
      return hooks.client_connected.add(priority, [this](const broker::ClientEvent& e) { on_connected(e); });
    });
    keep(hooks.client_disconnected, disconnected_, options.client_disconnected, [&] {
      return hooks.client_disconnected.add(priority, [this](const broker::ClientEvent& e) { on_disconnected(e); });
    });
    keep(hooks.session_subscribed, subscribed_, options.client_subscribed, [&] {
      return hooks.session_subscribed.add(
          priority, [this](broker::Session& s, const broker::Subscription& sub, bool) { on_subscribed(s, sub); });
    });
    keep(hooks.session_unsubscribed, unsubscribed_, options.client_unsubscribed, [&] {
      return hooks.session_unsubscribed.add(
          priority, [this](broker::Session& s, std::string_view filter) { on_unsubscribed(s, filter); });
    });
    if (broker_.shard() != 0) return;
    // A change elsewhere does not begin an interval anew.
    if (options.msg_interval != before.msg_interval || !messages_.armed()) arm(messages_, options.msg_interval);
    if (options.heartbeat_interval != before.heartbeat_interval || !heartbeat_.armed())
      arm(heartbeat_, options.heartbeat_interval);
  }

  /// A node that has just started tells at once, not after a first interval.
  void begin() {
    if (options_.heartbeat_interval.count() > 0) on_heartbeat();
    if (options_.msg_interval.count() > 0) on_messages();
  }

  void publish(std::string_view subtopic, std::string_view payload, bool retain = false, bool json = false) {
    publish_topic(module_.prefix_ + std::string(subtopic), payload, retain, json);
  }

 private:
  struct Messages final : runtime::Timer {
    explicit Messages(Shard& s) : shard(s) {}
    void on_timer() override { shard.on_messages(); }
    Shard& shard;
  };
  struct Heartbeat final : runtime::Timer {
    explicit Heartbeat(Shard& s) : shard(s) {}
    void on_timer() override { shard.on_heartbeat(); }
    Shard& shard;
  };

  void arm(runtime::Timer& timer, Millis interval) {
    if (interval.count() > 0)
      broker_.loop().timers().arm(timer, broker_.loop().now(), interval);
    else
      runtime::TimerWheel::cancel(timer);
  }

  void publish_topic(std::string_view topic, std::string_view payload, bool retain, bool json) {
    if (!broker::check_topic_name(topic)) return;  // a very long client id
    broker::Publication p;
    p.topic = topic;
    p.payload = as_bytes(payload);
    p.retain = retain;
    p.system = true;
    if (json) p.properties = as_bytes(kJsonType);
    broker_.publish(p);
  }

  void on_messages() {
    arm(messages_, options_.msg_interval);
    publish_topic("$SYS/brokers", module_.context_.node, true, false);
    publish("version", module_.context_.version, true);
    publish("sysdescr", module_.context_.description, true);
    for (const auto& [name, value] : module_.context_.stats.list())
      publish("stats/" + with_slashes(name), std::to_string(value));
    for (std::size_t i = 0; i < broker::kMetricCount; ++i) {
      const auto metric = static_cast<broker::Metric>(i);
      publish("metrics/" + with_slashes(to_string(metric)), std::to_string(broker_.core().metric(metric)));
    }
  }
  void on_heartbeat() {
    arm(heartbeat_, options_.heartbeat_interval);
    const auto up = std::chrono::duration_cast<Millis>(broker_.loop().now() - module_.started_);
    publish("uptime", std::to_string(up.count()));
    publish("datetime", rfc3339(broker_.loop().wall_ms(), 9));
  }

  /// What both connection events tell (JSON A).
  JsonObject about(const broker::ClientEvent& event) const {
    JsonObject out;
    const std::string& username = event.identity.username;
    out.text("clientid", event.identity.client_id);
    out.text("username", username.empty() ? std::string_view("undefined") : std::string_view(username));
    out.text("ipaddress", event.identity.peer_host).number("sockport", event.local_port);
    out.text("protocol", event.protocol).text("proto_name", event.protocol_name);
    out.number("proto_ver", event.protocol_version).number("connected_at", event.connected_ms);
    out.number("ts", broker_.loop().wall_ms());
    return out;
  }
  void on_connected(const broker::ClientEvent& event) {
    JsonObject out = about(event);
    out.number("keepalive", event.keep_alive_s).boolean("clean_start", event.clean_start);
    out.number("expiry_interval", std::uint64_t{event.expiry_s} * 1000);  // [Q] milliseconds
    publish("clients/" + as_level(event.identity.client_id) + "/connected", out.done());
  }
  void on_disconnected(const broker::ClientEvent& event) {
    JsonObject out = about(event);
    out.text("reason", event.reason).number("disconnected_at", event.disconnected_ms);
    publish("clients/" + as_level(event.identity.client_id) + "/disconnected", out.done());
  }
  JsonObject about(const broker::Session& session, std::string_view filter) const {
    JsonObject out;
    const std::string& username = session.identity()->username;
    out.text("clientid", session.client_id());
    out.text("username", username.empty() ? std::string_view("undefined") : std::string_view(username));
    out.text("protocol", "mqtt").text("topic", filter);
    return out;
  }
  void on_subscribed(const broker::Session& session, const broker::Subscription& subscription) {
    if (subscription.filter().starts_with("$SYS/")) return;
    JsonObject options;
    options.number("qos", to_int(subscription.options.qos)).number("nl", int{subscription.options.no_local});
    options.number("rap", int{subscription.options.retain_as_published});
    options.number("rh", static_cast<int>(subscription.options.retain_handling));
    JsonObject out = about(session, subscription.filter());
    out.raw("subopts", options.done()).number("ts", broker_.loop().wall_ms());
    publish("clients/" + as_level(session.client_id()) + "/subscribed", out.done());
  }
  void on_unsubscribed(const broker::Session& session, std::string_view filter) {
    if (filter.starts_with("$SYS/")) return;
    JsonObject out = about(session, filter);
    out.number("ts", broker_.loop().wall_ms());
    publish("clients/" + as_level(session.client_id()) + "/unsubscribed", out.done());
  }

  SysTopics& module_;
  broker::Broker& broker_;
  Options options_;
  Messages messages_;
  Heartbeat heartbeat_;
  std::uint32_t connected_ = 0, disconnected_ = 0, subscribed_ = 0, unsubscribed_ = 0;
};

SysTopics::SysTopics(broker::ModuleContext& context)
    : context_(context),
      prefix_("$SYS/brokers/" + context.node + "/"),
      started_(context.clock.monotonic()),
      shards_(context.core.shards()) {}
SysTopics::~SysTopics() = default;

void SysTopics::join(broker::Broker& broker) {
  const std::lock_guard guard(mutex_);
  shards_[broker.shard()] = std::make_unique<Shard>(*this, broker);
  shards_[broker.shard()]->set(options_);
}

Options SysTopics::options() const {
  const std::lock_guard guard(mutex_);
  return options_;
}

void SysTopics::set_options(const Options& options) {
  const std::lock_guard guard(mutex_);
  options_ = options;
  for (const auto& shard : shards_)
    if (shard) shard->broker().loop().post([s = shard.get(), options] { s->set(options); });
}

void SysTopics::start() {
  if (Shard* first = shards_[0].get()) first->broker().loop().post([first] { first->begin(); });
}

void SysTopics::announce(std::string subtopic, std::string json) {
  Shard* first = shards_[0].get();
  if (!first) return;
  first->broker().loop().post(
      [first, topic = std::move(subtopic), text = std::move(json)] { first->publish(topic, text, false, true); });
}

void add_to(broker::ModuleRegistry& registry) {
  registry.add({"sys_topics", "Publishes $SYS topics",
                [](broker::ModuleContext& context) { return std::make_unique<SysTopics>(context); }});
}

}  // namespace sb::plugins::module::sys_topics
