#include "plugins/module/auto_subscribe/auto_subscribe.h"

#include "base/log.h"
#include "broker/topic.h"

namespace sb::plugins::module::auto_subscribe {

using Topics = std::shared_ptr<const std::vector<Topic>>;

namespace {
/// Null, or why the topic is none for this client.
const char* render(std::string_view text, const broker::ClientEvent& event, std::string& out) {
  constexpr const char* kUndefined = "undefined placeholder";
  out.clear();
  while (!text.empty()) {
    const std::size_t at = text.find("${");
    out += text.substr(0, at);
    if (at == std::string_view::npos) return nullptr;
    text.remove_prefix(at);
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos) return kUndefined;
    const std::string_view name = text.substr(2, end - 2);
    std::string value;
    if (name == "clientid")
      value = event.identity.client_id;
    else if (name == "username")
      value = event.identity.username;
    else if (name == "host")
      value = event.identity.peer_host;
    else if (name == "port")
      value = std::to_string(event.peer_port);
    if (value.empty()) return kUndefined;
    // Else a client id + would be subscribed to what every client gets.
    if (!broker::keeps_to_level(value, out.empty())) return "a name with +, #, / or a leading $";
    out += value;
    text.remove_prefix(end + 1);
  }
  return nullptr;
}

void ignored(std::string_view topic, std::string_view client_id, const char* reason) {
  SB_LOG(log::Level::Warning, "auto_subscribe_ignored", kv("topic", topic), kv("reason", reason),
         kv("clientid", client_id));
}
}  // namespace

class AutoSubscribe::Shard {
 public:
  explicit Shard(broker::Broker& broker) : broker_(broker) {}
  broker::Broker& broker() { return broker_; }
  void set(Topics topics) {
    topics_ = std::move(topics);
    auto& point = broker_.hooks().client_connected;
    const bool wanted = topics_ && !topics_->empty();
    if (wanted && token_ == 0)
      token_ =
          point.add(broker::Hooks::kAutoSubscribe, [this](const broker::ClientEvent& event) { on_connected(event); });
    if (!wanted && token_ != 0) point.remove(std::exchange(token_, 0));
  }

 private:
  void on_connected(const broker::ClientEvent& event) {
    const Topics topics = topics_;
    std::string text;
    const std::string& client_id = event.identity.client_id;
    for (const Topic& topic : *topics) {
      if (const char* reason = render(topic.topic, event, text)) {
        ignored(topic.topic, client_id, reason);
        continue;
      }
      const auto parsed = broker::parse_filter(text);
      if (!parsed) {
        ignored(text, client_id, "bad topic filter");
        continue;
      }
      // The mountpoint goes in front of the real filter, as for a SUBSCRIBE (7.1 step 12).
      std::string full = text.substr(0, text.size() - parsed->filter.size()) + std::string(event.mountpoint) +
                         std::string(parsed->filter);
      if (!event.permission) {
        subscribe(client_id, full, topic.options);
        continue;
      }
      event.permission->may_subscribe(parsed->filter, topic.options.qos,
                                      [this, client_id, full = std::move(full), options = topic.options](bool allowed) {
                                        if (allowed)
                                          subscribe(client_id, full, options);
                                        else
                                          ignored(full, client_id, "not authorized");
                                      });
    }
  }
  void subscribe(const std::string& client_id, const std::string& filter, const SubscribeOptions& options) {
    broker::Session* session = broker_.find(client_id);
    if (!session) return;
    const auto done = broker_.subscribe(*session, filter, options);
    if (done.subscription) broker_.replay_retained(*session, *done.subscription, done.is_new);
  }

  broker::Broker& broker_;
  Topics topics_;
  std::uint32_t token_ = 0;
};

AutoSubscribe::AutoSubscribe(broker::ModuleContext& context)
    : shards_(context.core.shards()), topics_(std::make_shared<const std::vector<Topic>>()) {}
AutoSubscribe::~AutoSubscribe() = default;

void AutoSubscribe::join(broker::Broker& broker) {
  const std::lock_guard guard(mutex_);
  shards_[broker.shard()] = std::make_unique<Shard>(broker);
  shards_[broker.shard()]->set(topics_);
}

std::vector<Topic> AutoSubscribe::topics() const {
  const std::lock_guard guard(mutex_);
  return *topics_;
}

Result<> AutoSubscribe::set_topics(std::vector<Topic> topics) {
  if (topics.size() > kTopicsMax) return fail(Errc::Full, "EXCEED_LIMIT");
  const std::lock_guard guard(mutex_);
  topics_ = std::make_shared<const std::vector<Topic>>(std::move(topics));
  for (const auto& shard : shards_)
    if (shard) shard->broker().loop().post([s = shard.get(), current = topics_] { s->set(current); });
  return {};
}

void add_to(broker::ModuleRegistry& registry) {
  registry.add({"auto_subscribe", "Subscribes every client to configured topics",
                [](broker::ModuleContext& context) { return std::make_unique<AutoSubscribe>(context); }});
}

}  // namespace sb::plugins::module::auto_subscribe
