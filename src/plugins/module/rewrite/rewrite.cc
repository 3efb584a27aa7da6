#include "plugins/module/rewrite/rewrite.h"

#include "base/log.h"
#include "broker/topic.h"

#include <re2/re2.h>

namespace sb::plugins::module::rewrite {

namespace {
re2::RE2::Options quiet() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return options;
}
constexpr int kGroupsMax = 32;
}  // namespace

class RuleSet {
 public:
  struct Compiled {
    Applies action;
    std::string source;
    std::string dest;
    re2::RE2 pattern;
    Compiled(const Rule& rule)
        : action(rule.action), source(rule.source_topic), dest(rule.dest_topic), pattern(rule.re, quiet()) {}
  };
  /// True if `out` holds another topic.
  bool apply(Applies what, std::string_view topic, const broker::Identity* who, std::string& out) const {
    for (auto rule = compiled.rbegin(); rule != compiled.rend(); ++rule) {
      const Compiled& one = **rule;
      if (one.action != Applies::All && one.action != what) continue;
      if (!broker::matches(one.source, topic)) continue;
      return substitute(one, topic, who, out);
    }
    return false;
  }
  std::vector<std::unique_ptr<const Compiled>> compiled;
  bool any_publish = false;
  bool any_subscribe = false;

 private:
  static bool substitute(const Compiled& rule, std::string_view topic, const broker::Identity* who, std::string& out) {
    std::array<re2::StringPiece, kGroupsMax> groups;
    const int count = std::min(rule.pattern.NumberOfCapturingGroups() + 1, kGroupsMax);
    const re2::StringPiece text(topic.data(), topic.size());
    if (!rule.pattern.Match(text, 0, text.size(), re2::RE2::UNANCHORED, groups.data(), count)) return false;
    out.clear();
    const auto put = [&](std::string_view name) {
      if (!broker::keeps_to_level(name, out.empty())) return false;
      out += name;
      return true;
    };
    // Permission was asked for the topic as it was sent: a name must not make another's topic, or more topics, of it.
    const auto leave = [&] {
      SB_LOG(log::Level::Warning, "rewrite_ignored", kv("topic", topic), kv("dest_topic", rule.dest),
             kv("clientid", who->client_id), kv("reason", "a name with +, #, / or a leading $"));
      return false;
    };
    std::string_view rest = rule.dest;
    while (!rest.empty()) {
      const std::size_t dollar = rest.find('$');
      out += rest.substr(0, dollar);
      if (dollar == std::string_view::npos) break;
      rest.remove_prefix(dollar);
      if (rest.starts_with("${clientid}") && who) {
        if (!put(who->client_id)) return leave();
        rest.remove_prefix(11);
      } else if (rest.starts_with("${username}") && who && !who->username.empty()) {
        if (!put(who->username)) return leave();
        rest.remove_prefix(11);
      } else if (const std::size_t used = group(rest, groups, count, out); used != 0) {
        rest.remove_prefix(used);
      } else {
        out += '$';
        rest.remove_prefix(1);
      }
    }
    return true;
  }
  /// `$N`, as many digits as still name a group.
  static std::size_t group(std::string_view text, const std::array<re2::StringPiece, kGroupsMax>& groups, int count,
                           std::string& out) {
    int best = 0;
    std::size_t used = 0;
    int value = 0;
    for (std::size_t i = 1; i < text.size() && i < 4 && text[i] >= '0' && text[i] <= '9'; ++i) {
      value = value * 10 + (text[i] - '0');
      if (value < 1 || value >= count) continue;
      best = value;
      used = i + 1;
    }
    if (used != 0)
      out.append(groups[static_cast<std::size_t>(best)].data(), groups[static_cast<std::size_t>(best)].size());
    return used;
  }
};

class Rewrite::Shard {
 public:
  explicit Shard(broker::Broker& broker) : broker_(broker) {}
  broker::Broker& broker() { return broker_; }

  void set(RuleSetRef rules) {
    rules_ = std::move(rules);
    broker::Hooks& hooks = broker_.hooks();
    const bool publishes = rules_ && rules_->any_publish;
    const bool subscribes = rules_ && rules_->any_subscribe;
    if (publishes && publish_ == 0)
      publish_ =
          hooks.message_publish.add(broker::Hooks::kRewrite, [this](broker::Publication& p) { return on_publish(p); });
    if (!publishes && publish_ != 0) hooks.message_publish.remove(std::exchange(publish_, 0));
    if (subscribes && subscribe_ == 0) {
      subscribe_ = hooks.client_subscribe.add(
          broker::Hooks::kRewrite, [this](const broker::Identity& who, std::vector<broker::FilterRequest>& requests) {
            for (broker::FilterRequest& request : requests) rewrite_filter(who, request.filter);
          });
      unsubscribe_ = hooks.client_unsubscribe.add(
          broker::Hooks::kRewrite, [this](const broker::Identity& who, std::vector<std::string>& filters) {
            for (std::string& filter : filters) rewrite_filter(who, filter);
          });
    }
    if (!subscribes && subscribe_ != 0) {
      hooks.client_subscribe.remove(std::exchange(subscribe_, 0));
      hooks.client_unsubscribe.remove(std::exchange(unsubscribe_, 0));
    }
  }

 private:
  broker::PublishVerdict on_publish(broker::Publication& p) {
    if (p.system) return broker::PublishVerdict::Continue;
    const broker::Identity* who = p.from && *p.from ? p.from->get() : nullptr;
    // The text must live until publish() returns; publishes nest a little (wills, rules), so the buffers take turns.
    std::string& out = buffers_[next_++ % buffers_.size()];
    if (!rules_->apply(Applies::Publish, p.topic, who, out)) return broker::PublishVerdict::Continue;
    if (!broker::check_topic_name(out)) {
      SB_LOG(log::Level::Warning, "rewrite_made_no_topic_name", kv("topic", p.topic), kv("result", out));
      return broker::PublishVerdict::Continue;
    }
    p.topic = out;
    p.stored = nullptr;  // what was stored has the other topic
    return broker::PublishVerdict::Continue;
  }
  void rewrite_filter(const broker::Identity& who, std::string& filter) {
    const auto parsed = broker::parse_filter(filter);
    if (!parsed) return;
    std::string out;
    if (!rules_->apply(Applies::Subscribe, parsed->filter, &who, out)) return;
    if (!broker::check_topic_filter(out)) {
      SB_LOG(log::Level::Warning, "rewrite_made_no_topic_filter", kv("filter", filter), kv("result", out));
      return;
    }
    filter = filter.substr(0, filter.size() - parsed->filter.size()) + out;
  }

  broker::Broker& broker_;
  RuleSetRef rules_;
  std::uint32_t publish_ = 0, subscribe_ = 0, unsubscribe_ = 0;
  std::array<std::string, 64> buffers_;
  std::size_t next_ = 0;
};

Result<> check_expression(const std::string& re) {
  const re2::RE2 compiled(re, quiet());
  if (compiled.ok()) return {};
  return fail(Errc::Invalid, compiled.error());
}

Rewrite::Rewrite(broker::ModuleContext& context) : shards_(context.core.shards()) {}
Rewrite::~Rewrite() = default;

void Rewrite::join(broker::Broker& broker) {
  const std::lock_guard guard(mutex_);
  shards_[broker.shard()] = std::make_unique<Shard>(broker);
  shards_[broker.shard()]->set(set_);
}

std::vector<Rule> Rewrite::rules() const {
  const std::lock_guard guard(mutex_);
  return rules_;
}

Result<> Rewrite::set_rules(std::vector<Rule> rules) {
  auto set = std::make_shared<RuleSet>();
  for (const Rule& rule : rules) {
    if (rule.action != Applies::Subscribe && broker::has_wildcard(rule.dest_topic))
      return fail(Errc::Invalid, "wildcard in dest_topic: " + rule.dest_topic);
    if (!broker::check_topic_filter(rule.source_topic))
      return fail(Errc::Invalid, "bad source_topic: " + rule.source_topic);
    auto compiled = std::make_unique<const RuleSet::Compiled>(rule);
    if (!compiled->pattern.ok()) {
      SB_LOG(log::Level::Error, "rewrite_rule_re_compile_failed", kv("re", rule.re),
             kv("reason", compiled->pattern.error()));
      continue;
    }
    set->any_publish = set->any_publish || rule.action != Applies::Subscribe;
    set->any_subscribe = set->any_subscribe || rule.action != Applies::Publish;
    set->compiled.push_back(std::move(compiled));
  }
  const std::lock_guard guard(mutex_);
  rules_ = std::move(rules);
  set_ = std::move(set);
  for (const auto& shard : shards_)
    if (shard) shard->broker().loop().post([s = shard.get(), current = set_] { s->set(current); });
  return {};
}

void add_to(broker::ModuleRegistry& registry) {
  registry.add({"rewrite", "Changes topics by rules",
                [](broker::ModuleContext& context) { return std::make_unique<Rewrite>(context); }});
}

}  // namespace sb::plugins::module::rewrite
