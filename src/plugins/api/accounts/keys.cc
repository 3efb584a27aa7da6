// API keys (management-api 3.5).
#include "management/text.h"
#include "plugins/api/accounts/common.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace sb::plugins::api::accounts {

namespace {

namespace json = http::json;
namespace schema = http::schema;
using http::Access;
using http::Call;
using http::Method;
using http::Reply;
using http::Response;
using management::Accounts;
using management::ApiKey;

json::object to_json(const ApiKey& key, std::int64_t now_ms) {
  return {{"name", key.name},
          {"api_key", key.key},
          {"enable", key.enable},
          {"expired_at",
           key.expires_ms == 0 ? json::value("infinity") : json::value(management::rfc3339_s(key.expires_ms))},
          {"created_at", management::rfc3339_s(key.created_ms)},
          {"desc", key.description},
          {"expired", key.expired(now_ms)},
          {"role", management::to_string(key.role)}};
}

http::Schema key_schema(bool with_secret) {
  std::vector<http::Field> fields = {{"name", schema::string(), true},       {"api_key", schema::string(), true},
                                     {"enable", schema::boolean(), true},    {"expired_at", schema::string(), true},
                                     {"created_at", schema::string(), true}, {"desc", schema::string(), true},
                                     {"expired", schema::boolean(), true},   {"role", role_schema(true), true}};
  if (with_secret) fields.push_back({"api_secret", schema::string(), true});
  return schema::open_object(std::move(fields));
}

std::vector<http::Field> settings() {
  return {{"desc", schema::string()},
          {"enable", schema::boolean()},
          {"expired_at", schema::string(1, 64), false, "Seconds since 1970, RFC 3339, or infinity"},
          {"role", role_schema(true)}};
}

/// What the body says over what is there. False: answered.
bool read(const Call& call, ApiKey& key, const Reply& reply) {
  const json::object& body = call.object();
  if (body.contains("desc")) key.description = text_in(body, "desc");
  if (const auto* enable = body.if_contains("enable")) key.enable = enable->get_bool();
  key.role = management::role_of(text_in(body, "role")).value_or(management::Role::Administrator);
  key.expires_ms = 0;
  const std::string expires = text_in(body, "expired_at", "infinity");
  if (expires == "infinity") return true;
  const auto time = management::parse_time(expires, 1000);
  if (!time || *time <= 0) {
    reply(
        http::refusal({{"expired_at", "bad_time", "seconds since 1970, RFC 3339, or infinity", json::value(expires)}}));
    return false;
  }
  key.expires_ms = *time;
  return true;
}

Response refusal(const Error& error) {
  if (error.code == Errc::NotFound) return Response::error(404, "NOT_FOUND", error.what);
  if (error.code == Errc::Io || error.code == Errc::Unavailable)
    return Response::error(500, "INTERNAL_ERROR", error.what);
  return Response::error(400, "BAD_REQUEST", error.what);
}

http::Endpoint operation(Method method, std::string path, Access access, std::string summary) {
  http::Endpoint out;
  out.method = method;
  out.path = std::move(path);
  out.tag = "API Keys";
  out.access = access;
  out.login = http::Login::TokenOnly;
  out.summary = std::move(summary);
  return out;
}

}  // namespace

void add_keys(http::Table& table, Accounts& accounts) {
  const http::Parameter name = http::path_parameter("name", "Name of the key");
  const http::Answer missing = http::fault(404, "No such key");
  const http::Answer bad = http::fault(400, "Malformed, or not allowed");
  const auto now_ms = [&accounts] { return accounts.now_ms(); };

  auto list = operation(Method::Get, "/api/v5/api_key", Access::Viewer, "List the API keys, without their secrets");
  list.answers = {http::ok(schema::array(key_schema(false)))};
  list.handler = [&accounts, now_ms](const Call&, const Reply& reply) {
    json::array rows;
    for (const ApiKey& key : accounts.api_keys()) rows.push_back(to_json(key, now_ms()));
    reply(Response::of(std::move(rows)));
  };
  table.add(std::move(list));

  auto add = operation(Method::Post, "/api/v5/api_key", Access::Administrator,
                       "Create an API key; its secret is in this answer only");
  auto fields = settings();
  fields.insert(fields.begin(), {"name", schema::string(1, 256), true});
  add.body = schema::open_object(std::move(fields));
  add.answers = {http::ok(key_schema(true)), bad};
  add.handler = [&accounts, now_ms](const Call& call, const Reply& reply) {
    ApiKey key;
    key.name = text_in(call.object(), "name");
    if (!read(call, key, reply)) return;
    const auto secret = accounts.add_api_key(key);
    if (!secret) return reply(refusal(secret.error()));
    json::object answer = to_json(*accounts.find_api_key(key.name), now_ms());
    answer["api_secret"] = *secret;
    reply(Response::of(answer));
  };
  table.add(std::move(add));

  auto get = operation(Method::Get, "/api/v5/api_key/{name}", Access::Viewer, "One API key, without its secret");
  get.parameters = {name};
  get.answers = {http::ok(key_schema(false)), missing};
  get.handler = [&accounts, now_ms](const Call& call, const Reply& reply) {
    const ApiKey* const key = accounts.find_api_key(call.text("name"));
    reply(key ? Response::of(to_json(*key, now_ms())) : Response::error(404, "NOT_FOUND", "Name NOT FOUND"));
  };
  table.add(std::move(get));

  auto update = operation(Method::Put, "/api/v5/api_key/{name}", Access::Administrator,
                          "Change an API key; an absent role or expiry goes back to its default");
  update.parameters = {name};
  update.body = schema::open_object(settings());
  update.answers = {http::ok(key_schema(false)), bad, missing};
  update.handler = [&accounts, now_ms](const Call& call, const Reply& reply) {
    const ApiKey* const known = accounts.find_api_key(call.text("name"));
    if (!known) return reply(Response::error(404, "NOT_FOUND", "Name NOT FOUND"));
    ApiKey key = *known;
    if (!read(call, key, reply)) return;
    const std::string key_name = key.name;
    const auto updated = accounts.update_api_key(std::move(key));
    reply(updated ? Response::of(to_json(*accounts.find_api_key(key_name), now_ms())) : refusal(updated.error()));
  };
  table.add(std::move(update));

  auto remove = operation(Method::Delete, "/api/v5/api_key/{name}", Access::Administrator, "Delete an API key");
  remove.parameters = {name};
  remove.answers = {http::no_content(), missing};
  remove.handler = [&accounts](const Call& call, const Reply& reply) {
    const auto removed = accounts.remove_api_key(call.text("name"));
    reply(removed ? Response::empty() : refusal(removed.error()));
  };
  table.add(std::move(remove));
}

}  // namespace sb::plugins::api::accounts
