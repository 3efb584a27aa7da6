#include "access/authn/mongodb_settings.h"

#include "access/authn/resource_settings.h"

#include <fmt/format.h>

namespace sb::access::authn {

const config::Struct& MongoTopology::schema() {
  using S = MongoTopology;
  static const config::Struct s =
      config::Schema<S>("topology", config::Hot::Y)
          .doc("Time-outs of the client.")
          .field("connect_timeout_ms", &S::connect_timeout_ms,
                 {.def = "20s", .min = 1, .max = 600'000, .doc = "Of a connection attempt."})
          .field("socket_timeout_ms", &S::socket_timeout_ms,
                 {.def = "5s", .min = 1, .max = 600'000, .doc = "Of an answer; at most 5s are waited."})
          .field("server_selection_timeout_ms", &S::server_selection_timeout_ms,
                 {.def = "5s", .min = 1, .max = 600'000, .doc = "Until a server is found that may be asked."})
          .field("local_threshold_ms", &S::local_threshold_ms,
                 {.def = "0s", .doc = "How much slower than the fastest a server may be; 0: the library's."})
          .field("heartbeat_frequency_ms", &S::heartbeat_frequency_ms,
                 {.def = "200s", .min = 500, .doc = "Between looks at the members."})
          .accept<config::milliseconds>("min_heartbeat_frequency_ms")
          .accept<config::milliseconds>("wait_queue_timeout_ms")
          .accept<config::milliseconds>("overflow_ttl")
          .accept<config::milliseconds>("overflow_check_period")
          .accept<std::uint32_t>("max_overflow")
          .accept<std::uint32_t>("pool_size")
          .build();
  return s;
}

namespace {
/// Whether a text below the key is code or a pattern rather than a value.
bool is_code(std::string_view key) {
  return key == "$where" || key == "$regex" || key == "$function" || key == "$accumulator";
}
/// Expressions whose members `regex` and `options` are patterns.
bool takes_pattern(std::string_view key) {
  return key == "$regexMatch" || key == "$regexFind" || key == "$regexFindAll";
}

/// Filter values are data, never operators (access-control 4.4). `code`: the key that makes code of what is below it.
void check_filter(config::Checker& c, const config::Value& v, const config::Value& part, std::string_view key,
                  std::string_view code) {
  if (const auto* text = part.if_string()) {
    if (!code.empty() && Template(*text).has_placeholders())
      c.broken(v, "filter", "placeholder_in_code",
               fmt::format("no placeholder below {}, which makes code or a pattern of {}", code, *text));
  } else if (const auto* object = part.if_object()) {
    for (const auto& [name, member] : *object) {
      const bool pattern = takes_pattern(key) && (name == "regex" || name == "options");
      check_filter(c, v, member, name, is_code(name) ? name : pattern ? key : code);
    }
  } else if (const auto* list = part.if_array()) {
    for (const auto& member : *list) check_filter(c, v, member, key, code);
  }
}
}  // namespace

void check_mongo_settings(config::Checker& c, const config::Value& v, MongoSettings& s) {
  const bool single = s.mongo_type == MongoType::Single;
  const char* const key = single ? "server" : "servers";
  const std::string& text = single ? s.server : s.servers;
  if (text.empty()) {
    c.broken(v, key, "required_field", "host, or host:port", {"mongo_type"});
  } else if (auto at = driver::resource::parse_servers(text, driver::mongodb::kDefaultPort)) {
    s.at = *std::move(at);
    if (single && s.at.size() > 1) c.broken(v, key, "bad_server", "one server", {"mongo_type"});
  } else {
    c.broken(v, key, "bad_server", expected_server(at.error()), {"mongo_type"});
  }
  if (s.mongo_type == MongoType::Rs && s.replica_set_name.empty())
    c.broken(v, "replica_set_name", "required_field", "the name of the replica set");
  check_tls(c, v, s.ssl, {.who = "MongoDB"});
  if (!s.filter.is_object()) c.broken(v, "filter", "bad_filter", "an object");
  check_filter(c, v, s.filter, {}, {});
  driver::mongodb::visit_texts(s.filter, [&](const std::string& one) { s.texts.emplace_back(one); });
  for (const Template& one : s.texts)
    for (const std::string& name : one.unknown())
      c.broken(v, "filter", "unknown_placeholder", "placeholders that are known, not ${" + name + "}");
}

Result<driver::mongodb::Options> mongo_options(const MongoSettings& s) {
  driver::mongodb::Options out;
  out.servers = s.at;
  out.single = s.mongo_type == MongoType::Single;
  out.srv_record = s.srv_record;
  if (s.mongo_type == MongoType::Rs) out.replica_set = s.replica_set_name;
  out.secondaries = s.r_mode == MongoRead::SlaveOk;
  out.username = s.username;
  SB_TRY(out.password, config::resolve_secret(s.password));
  out.auth_source = s.auth_source;
  out.database = s.database;
  SB_TRY(out.tls, resource_tls(s.ssl));
  out.connect_timeout = s.topology.connect_timeout_ms;
  out.socket_timeout = std::min<Millis>(s.topology.socket_timeout_ms, kMongoTimeout);
  out.selection_timeout = s.topology.server_selection_timeout_ms;
  out.local_threshold = s.topology.local_threshold_ms;
  out.heartbeat = s.topology.heartbeat_frequency_ms;
  return out;
}

std::vector<std::optional<std::string>> mongo_values(const MongoSettings& s, const Credentials& credentials) {
  std::vector<std::optional<std::string>> out;
  for (const Template& text : s.texts) out.emplace_back(text.render(credentials));
  return out;
}

Result<std::vector<driver::mongodb::Document>> mongo_find(const MongoSettings& s,
                                                          driver::resource::Connection& connection,
                                                          const std::vector<std::optional<std::string>>& values,
                                                          unsigned most, const driver::resource::Limit& limit) {
  std::vector<std::string> texts;
  for (const auto& value : values) texts.push_back(value.value_or(""));
  return static_cast<driver::mongodb::Connection&>(connection).find(s.collection, s.filter, texts, most, limit);
}

}  // namespace sb::access::authn
