#include "access/backend/redis.h"

#include "access/authn/resource_settings.h"

#include <fmt/format.h>

namespace sb::access::backend {

namespace resource = driver::resource;
namespace redis = driver::redis;

void RedisServer::read(config::Checker& c, const config::Value& v, const std::vector<std::string_view>& allowed) {
  const bool single = redis_type == RedisType::Single;
  auto addresses = resource::parse_servers(single ? server : servers, redis::kDefaultPort);
  if (addresses)
    at = *std::move(addresses);
  else
    c.broken(v, single ? "server" : "servers", "bad_server", authn::expected_server(addresses.error()), {"redis_type"});
  if (single && at.size() > 1)
    c.broken(v, "server", "bad_server", "one server; several are a cluster or sentinels", {"redis_type"});
  if (redis_type == RedisType::Sentinel && sentinel.empty())
    c.broken(v, "sentinel", "required_field", "the name of the master");
  if (redis_type == RedisType::Cluster && database != 0)
    c.broken(v, "database", "not_in_a_cluster", "0: a cluster has no databases", {"redis_type"});
  if (!username.empty() && password.empty())
    c.broken(v, "password", "required_field", "a password beside username", {"username"});
  auto parsed = RedisCommand::parse(cmd, allowed);
  if (parsed)
    command = *std::move(parsed);
  else
    c.broken(v, "cmd", "bad_command", parsed.error().what);
  authn::check_tls(c, v, ssl, {.who = "Redis"});
}

resource::Options RedisServer::options(std::shared_ptr<const void> owner, std::string_view use) const {
  resource::Options out;
  out.thread_name = fmt::format("{}-rds", use);
  out.pool_size = pool_size;
  out.open = [this,
              owner = std::move(owner)](const resource::Limit& limit) -> Result<std::unique_ptr<resource::Connection>> {
    redis::Options options;
    options.kind = static_cast<redis::Kind>(redis_type);
    options.servers = at;
    options.master = sentinel;
    options.database = database;
    options.username = username;
    SB_TRY(options.password, config::resolve_secret(password));
    SB_TRY(options.tls, authn::resource_tls(ssl));
    return redis::Connection::open(options, limit);
  };
  return out;
}

Result<redis::Reply> RedisServer::ask(resource::Connection& connection,
                                      const std::vector<std::optional<std::string>>& values,
                                      const resource::Limit& limit) {
  redis::Words words;
  for (const auto& value : values) words.push_back(value.value_or(""));
  return static_cast<redis::Connection&>(connection).command(words, limit);
}

}  // namespace sb::access::backend
