// Keys of a Redis and of a command to it. Values, immutable once read.
#pragma once

#include "access/backend/redis_command.h"
#include "config/roots/listener.h"
#include "config/schema.h"
#include "driver/redis/connection.h"
#include "driver/resource/resource.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sb::access::backend {

enum class RedisType : std::uint8_t { Single, Sentinel, Cluster };

struct RedisServer {
  RedisType redis_type = RedisType::Single;
  std::string server;
  std::string servers;
  std::string sentinel;
  std::uint32_t database = 0;
  std::string username;
  Secret password;
  std::uint32_t pool_size = 8;
  std::string cmd;
  config::ClientTls ssl;

  std::vector<driver::resource::Server> at;  // parsed
  RedisCommand command;

  /// Adds the keys; T derives from this.
  template <class T>
  static void add_to(config::Schema<T>& s) {
    const auto of = [](auto RedisServer::*member) { return static_cast<decltype(of_t<T>(member))>(member); };
    s.field("redis_type", of(&RedisServer::redis_type), {.def = "single", .doc = "One server, sentinels, a cluster."})
        .field("server", of(&RedisServer::server), {.doc = "host, or host:port; 6379 without. Of single."})
        .field("servers", of(&RedisServer::servers), {.doc = "Several, by commas. Of sentinel and cluster."})
        .field("sentinel", of(&RedisServer::sentinel), {.doc = "Name of the master. Of sentinel."})
        .field("database", of(&RedisServer::database),
               {.def = "0", .max = 1'000'000, .doc = "Number of the database. Not of cluster."})
        .field("username", of(&RedisServer::username), {.doc = "User; the default one without."})
        .field("password", of(&RedisServer::password), {.doc = "Password of that user.", .secret = true})
        .field("pool_size", of(&RedisServer::pool_size), {.def = "8", .min = 1, .max = 256, .doc = "Most connections."})
        .field("cmd", of(&RedisServer::cmd),
               {.min = 1, .doc = "Command with placeholders in its key.", .required = true})
        .field("ssl", of(&RedisServer::ssl), {.doc = "TLS to the server."})
        .template accept<bool>("auto_reconnect", {.def = "true"});
  }
  /// For the schema's finish.
  void read(config::Checker& c, const config::Value& v, const std::vector<std::string_view>& allowed);

  /// `owner` keeps this alive.
  driver::resource::Options options(std::shared_ptr<const void> owner, std::string_view use) const;
  /// `values` as RedisCommand::values() made them.
  [[nodiscard]] static Result<driver::redis::Reply> ask(driver::resource::Connection& connection,
                                                        const std::vector<std::optional<std::string>>& values,
                                                        const driver::resource::Limit& limit);

 private:
  template <class T, class M>
  static M T::*of_t(M RedisServer::*member);
};

}  // namespace sb::access::backend

template <>
struct sb::config::EnumNames<sb::access::backend::RedisType> {
  static constexpr std::string_view names[] = {"single", "sentinel", "cluster"};
};
