// What an authenticator and an authorization source that ask MongoDB have in common: their keys, the connection that is
// made of them (access-control 4.4).
#pragma once

#include "access/authn/template.h"
#include "config/roots/listener.h"
#include "driver/mongodb/connection.h"

#include <optional>
#include <string>
#include <vector>

namespace sb::access::authn {

enum class MongoType : std::uint8_t { Single, Rs, Sharded };
enum class MongoRead : std::uint8_t { Master, SlaveOk };
enum class MongoWrite : std::uint8_t { Unsafe, Safe };
enum class MongoLegacy : std::uint8_t { Auto, True, False };

struct MongoTopology {
  config::milliseconds connect_timeout_ms{}, socket_timeout_ms{}, server_selection_timeout_ms{}, local_threshold_ms{},
      heartbeat_frequency_ms{};
  static const config::Struct& schema();
};

struct MongoSettings {
  MongoType mongo_type = MongoType::Single;
  std::string server;
  std::string servers;
  std::string replica_set_name;
  MongoRead r_mode = MongoRead::Master;
  MongoWrite w_mode = MongoWrite::Unsafe;
  MongoLegacy use_legacy_protocol = MongoLegacy::Auto;
  bool srv_record = false;
  std::string username;
  Secret password;
  std::string auth_source;
  std::string database;
  std::uint32_t pool_size = 8;
  MongoTopology topology;
  std::string collection;
  config::Value filter;
  config::ClientTls ssl;

  std::vector<driver::resource::Server> at;  // parsed
  std::vector<Template> texts;               // of the filter, in the order of visit_texts()
};

/// Rules between the keys; fills what is parsed.
void check_mongo_settings(config::Checker& c, const config::Value& v, MongoSettings& s);
/// Secrets in files are read anew at every attempt.
[[nodiscard]] Result<driver::mongodb::Options> mongo_options(const MongoSettings& s);

/// The client's values for the filter, as data.
std::vector<std::optional<std::string>> mongo_values(const MongoSettings& s, const Credentials& credentials);
/// The documents. `values` as above.
[[nodiscard]] Result<std::vector<driver::mongodb::Document>> mongo_find(
    const MongoSettings& s, driver::resource::Connection& connection,
    const std::vector<std::optional<std::string>>& values, unsigned most, const driver::resource::Limit& limit);

constexpr Millis kMongoTimeout{5'000};  // of a question: there is no key for it

/// The keys. S derives from MongoSettings.
template <class S>
config::Schema<S>& add_mongo_fields(config::Schema<S>& s) {
  const auto of = []<class M>(M MongoSettings::*member) { return static_cast<M S::*>(member); };
  s.field("mongo_type", of(&MongoSettings::mongo_type),
          {.def = "single", .doc = "One server, a replica set, or routers of a sharded cluster."})
      .field("server", of(&MongoSettings::server), {.doc = "single: host, or host:port; 27017 without."})
      .field("servers", of(&MongoSettings::servers), {.doc = "rs and sharded: several, by commas."})
      .field("replica_set_name", of(&MongoSettings::replica_set_name), {.doc = "rs: name of the set."})
      .field("r_mode", of(&MongoSettings::r_mode), {.def = "master", .doc = "rs: who is read from."})
      .field("w_mode", of(&MongoSettings::w_mode), {.def = "unsafe", .doc = "Accepted; nothing is written."})
      .field("use_legacy_protocol", of(&MongoSettings::use_legacy_protocol),
             {.def = "auto", .doc = "Accepted; the server's protocol is found out."})
      .field("srv_record", of(&MongoSettings::srv_record),
             {.def = "false", .doc = "The server's name stands for an SRV record that lists them."})
      .field("username", of(&MongoSettings::username), {.doc = "User of the database."})
      .field("password", of(&MongoSettings::password), {.doc = "Password of that user.", .secret = true})
      .field("auth_source", of(&MongoSettings::auth_source), {.doc = "Database that knows the user."})
      .field("database", of(&MongoSettings::database), {.min = 1, .doc = "Name of the database.", .required = true})
      .field("pool_size", of(&MongoSettings::pool_size), {.def = "8", .min = 1, .max = 256, .doc = "Most connections."})
      .field("topology", of(&MongoSettings::topology), {.doc = "Time-outs."})
      .field("collection", of(&MongoSettings::collection),
             {.min = 1, .doc = "Collection that is searched.", .required = true})
      .field("filter", of(&MongoSettings::filter),
             {.def = "{}", .doc = "What is searched; texts may hold placeholders."})
      .field("ssl", of(&MongoSettings::ssl), {.doc = "TLS to the server."});
  return s;
}

}  // namespace sb::access::authn

template <>
struct sb::config::EnumNames<sb::access::authn::MongoType> {
  static constexpr std::string_view names[] = {"single", "rs", "sharded"};
};
template <>
struct sb::config::EnumNames<sb::access::authn::MongoRead> {
  static constexpr std::string_view names[] = {"master", "slave_ok"};
};
template <>
struct sb::config::EnumNames<sb::access::authn::MongoWrite> {
  static constexpr std::string_view names[] = {"unsafe", "safe"};
};
template <>
struct sb::config::EnumNames<sb::access::authn::MongoLegacy> {
  static constexpr std::string_view names[] = {"auto", "true", "false"};
};
