#include "config/roots/modules.h"

namespace sb::config {

const Struct& Delayed::schema() {
  using S = Delayed;
  static const Struct s =
      Schema<S>("delayed", Hot::Y)
          .doc("$delayed/<seconds>/<topic>.")
          .field("enable", &S::enable, {.def = "true", .doc = "Whether delayed publishing is offered."})
          .field("max_delayed_messages", &S::max_delayed_messages,
                 {.def = "0", .min = 0, .doc = "Most waiting messages; 0 = no limit."})
          .build();
  return s;
}

const Struct& RewriteRule::schema() {
  using S = RewriteRule;
  static const Struct s =
      Schema<S>("rewrite", Hot::Y)
          .doc("Topic rewrite rules, in order; the last that matches counts.")
          .field("action", &S::action, {.doc = "Where the rule applies.", .required = true})
          .field("source_topic", &S::source_topic,
                 {.min = 1, .max = 65535, .doc = "Filter of the topics to rewrite.", .required = true})
          .field("dest_topic", &S::dest_topic,
                 {.min = 1, .max = 65535, .doc = "New topic; may hold $1, ${clientid}, ${username}.", .required = true})
          .field("re", &S::re, {.max = 4096, .doc = "Regular expression whose groups are $1 to $9.", .required = true})
          .finish([](Checker& c, const Value& v, S& rule) {
            if (rule.action != RewriteAction::Subscribe && rule.dest_topic.find_first_of("+#") != std::string::npos) {
              c.broken(v, "dest_topic", "cannot_use_wildcard_for_destination_topic", "a topic without + and #",
                       {"action"});
            }
          })
          .build();
  return s;
}

const Struct& TopicMetric::schema() {
  static const Struct s = Schema<TopicMetric>("topic_metrics", Hot::Y)
                              .doc("Topics with counters of their own.")
                              .field("topic", &TopicMetric::topic,
                                     {.min = 1, .max = 65535, .doc = "Topic without wildcards.", .required = true})
                              .finish([](Checker& c, const Value& v, TopicMetric& metric) {
                                if (metric.topic.find_first_of("+#") != std::string::npos)
                                  c.broken(v, "topic", "bad_topic", "a topic without + and #");
                              })
                              .build();
  return s;
}

const Struct& AutoSubscribeTopic::schema() {
  using S = AutoSubscribeTopic;
  static const Struct s = Schema<S>("topics", Hot::C)
                              .field("topic", &S::topic,
                                     {.min = 1,
                                      .max = 65535,
                                      .doc = "Filter; may hold ${clientid}, ${username}, ${host}, ${port}.",
                                      .required = true})
                              .field("qos", &S::qos, {.def = "0", .min = 0, .max = 2, .doc = "QoS."})
                              .field("rh", &S::rh, {.def = "0", .min = 0, .max = 2, .doc = "Retain Handling."})
                              .field("rap", &S::rap, {.def = "0", .min = 0, .max = 1, .doc = "Retain As Published."})
                              .field("nl", &S::nl, {.def = "0", .min = 0, .max = 1, .doc = "No Local."})
                              .build();
  return s;
}

const Struct& AutoSubscribe::schema() {
  using S = AutoSubscribe;
  static const Struct s = Schema<S>("auto_subscribe", Hot::Y)
                              .doc("Subscriptions made for every client that connects.")
                              .field("topics", &S::topics, {.def = "[]", .doc = "At most 20."})
                              .finish([](Checker& c, const Value& v, S& a) {
                                constexpr std::size_t kMaxTopics = 20;
                                if (a.topics.size() > kMaxTopics)
                                  c.broken(v, "topics", "max_topics", "at most 20 topics");
                              })
                              .build();
  return s;
}

const Struct& SlowSubs::schema() {
  using S = SlowSubs;
  static const Struct s =
      Schema<S>("slow_subs", Hot::Y)
          .doc("The slowest subscriptions.")
          .field("enable", &S::enable, {.def = "false", .doc = "Whether latencies are watched."})
          .field("threshold", &S::threshold,
                 {.def = "500ms", .doc = "Latency from which a subscription counts as slow."})
          .field("expire_interval", &S::expire_interval, {.def = "300s", .doc = "How long an entry stays."})
          .field("top_k_num", &S::top_k_num, {.def = "10", .min = 1, .max = 1000, .doc = "Entries kept."})
          .field("stats_type", &S::stats_type, {.def = "whole", .doc = "Which part of the way is measured."})
          .build();
  return s;
}

const Struct& PskAuthentication::schema() {
  using S = PskAuthentication;
  static const Struct s =
      Schema<S>("psk_authentication", Hot::Y)
          .doc("TLS pre-shared keys.")
          .field("enable", &S::enable, {.def = "false", .doc = "Whether pre-shared keys are used."})
          .field("init_file", &S::init_file, {.doc = "File of identity and secret, one pair a line.", .path = true})
          .field("separator", &S::separator,
                 {.def = "\":\"", .min = 1, .max = 1, .doc = "Character between identity and secret."})
          .field("chunk_size", &S::chunk_size,
                 {.def = "50", .min = 1, .max = 100000, .doc = "Keys written to the store at a time."})
          .build();
  return s;
}

const Struct& AuthzCache::schema() {
  using S = AuthzCache;
  static const Struct s =
      Schema<S>("cache", Hot::Y)
          .field("enable", &S::enable, {.def = "true", .doc = "Whether a connection remembers decisions."})
          .field("max_size", &S::max_size,
                 {.def = "32", .min = 1, .max = 1048576, .doc = "Decisions kept per connection."})
          .field("ttl", &S::ttl, {.def = "1m", .doc = "How long a decision is kept."})
          .field("excludes", &S::excludes,
                 {.def = "[]", .doc = "Topic filters whose decisions are not kept.", .since = "5.5"})
          .build();
  return s;
}

const Struct& AuthzSource::schema() {
  using S = AuthzSource;
  static const Struct s = Schema<S>("sources", Hot::Y)
                              .doc("Authorization sources, asked in order.")
                              .field("type", &S::type, {.min = 1, .doc = "Kind of source: file, ...", .required = true})
                              .field("enable", &S::enable, {.def = "true", .doc = "Whether the source is asked."})
                              .field("path", &S::path, {.doc = "file: the rules' file.", .path = true})
                              .field("rules", &S::rules, {.doc = "file: the rules themselves, in place of a file."})
                              .open()
                              .finish([](Checker& c, const Value& v, S& source) {
                                source.raw = v;
                                if (source.type == "file" && source.path.empty() && source.rules.empty()) {
                                  c.broken(v, "path", "required_field", "a path, or rules", {"type", "rules"});
                                }
                              })
                              .build();
  return s;
}

std::string_view shipped_rules() {
  return "%% Who may do what on which topic; the first rule that fits decides. {allow | deny, Who, Action, Topics}.\n"
         "\n"
         "%% Programs on this machine see everything, the system topics included.\n"
         "{allow, {ipaddr, \"127.0.0.1\"}, all, [\"$SYS/#\", \"#\"]}.\n"
         "\n"
         "%% Nobody else listens to system topics or, with one bare wildcard, to everything.\n"
         "{deny, all, subscribe, [\"$SYS/#\", {eq, \"#\"}]}.\n"
         "\n"
         "{allow, all}.\n";
}

const Struct& Authorization::schema() {
  using S = Authorization;
  static const Struct s =
      Schema<S>("authorization", Hot::Y)
          .doc("Who may publish and subscribe to what.")
          .field("no_match", &S::no_match, {.def = "allow", .doc = "What counts when no rule matches."})
          .field("deny_action", &S::deny_action, {.def = "ignore", .doc = "What happens to a client that is denied."})
          .field("cache", &S::cache, {.doc = "Cache of decisions."})
          .field("sources", &S::sources,
                 {.def = "[{type = file, enable = true, path = \"${EMQX_ETC_DIR}/acl.conf\"}]",
                  .doc = "Sources, asked in order."})
          .build();
  return s;
}

}  // namespace sb::config
