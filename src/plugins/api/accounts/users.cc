// Users of the dashboard (management-api 3.4).
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
using management::Admin;

const char* const kTag = "Dashboard";

json::object to_json(const Admin& admin) {
  return {{"username", admin.username},
          {"role", management::to_string(admin.role)},
          {"description", admin.description},
          {"backend", "local"}};
}

http::Schema user_schema() {
  return schema::open_object({{"username", schema::string(), true},
                              {"role", role_schema(false), true},
                              {"description", schema::string(), true},
                              {"backend", schema::string(), true}});
}

management::Role role_in(const json::object& body) {
  return management::role_of(text_in(body, "role")).value_or(management::Role::Administrator);
}

Response refusal(const Error& error) {
  switch (error.code) {
    case Errc::NotFound:
      return Response::error(404, "USER_NOT_FOUND", error.what);
    case Errc::Denied:
      return Response::error(400, "ERROR_PWD_NOT_MATCH", error.what);
    case Errc::Busy:
      return Response::error(503, "SERVICE_UNAVAILABLE", error.what);
    case Errc::Io:
    case Errc::Unavailable:
      return Response::error(500, "INTERNAL_ERROR", error.what);
    default:
      return Response::error(400, "BAD_REQUEST", error.what);
  }
}

http::Endpoint operation(Method method, std::string path, Access access, std::string summary) {
  http::Endpoint out;
  out.method = method;
  out.path = std::move(path);
  out.tag = kTag;
  out.access = access;
  out.login = http::Login::TokenOnly;
  out.summary = std::move(summary);
  return out;
}

/// Users of other backends come with single sign-on, which is not here yet: nobody has one.
bool of_another_backend(const Call& call) {
  const auto backend = call.find_text("backend");
  return backend && *backend != "local";
}

Response no_such_user() {
  return Response::error(404, "USER_NOT_FOUND", "username_not_found");
}

void add_user(Accounts& accounts, const Call& call, const Reply& reply) {
  const json::object& body = call.object();
  const std::string username = text_in(body, "username");
  accounts.add_admin(username, text_in(body, "password"), role_in(body), text_in(body, "description"),
                     [&accounts, username, reply](const Result<>& added) {
                       if (!added) return reply(refusal(added.error()));
                       const Admin* const admin = accounts.find_admin(username);
                       reply(admin ? Response::of(to_json(*admin)) : Response::empty());
                     });
}

void update_user(Accounts& accounts, const Call& call, const Reply& reply) {
  if (of_another_backend(call)) return reply(no_such_user());
  const std::string username = call.text("username");
  const auto updated = accounts.update_admin(username, role_in(call.object()), text_in(call.object(), "description"));
  if (!updated) return reply(refusal(updated.error()));
  reply(Response::of(to_json(*accounts.find_admin(username))));
}

void remove_user(Accounts& accounts, const Call& call, const Reply& reply) {
  if (of_another_backend(call)) return reply(no_such_user());
  const std::string username = call.text("username");
  if (call.request.actor == http::Actor::User && call.request.user == username)
    return reply(Response::error(400, "NOT_ALLOWED", "Cannot delete self"));
  if (username == accounts.settings().default_username)
    return reply(Response::error(400, "NOT_ALLOWED", fmt::format("Cannot delete the default user {}", username)));
  const auto removed = accounts.remove_admin(username);
  reply(removed ? Response::empty() : refusal(removed.error()));
}

void change_password(Accounts& accounts, const Call& call, const Reply& reply) {
  if (of_another_backend(call)) return reply(no_such_user());
  const json::object& body = call.object();
  const std::string username = call.text("username");
  const management::Origin from = origin_of(call.request);
  accounts.change_password(username, text_in(body, "old_pwd"), text_in(body, "new_pwd"), from,
                           [&accounts, username, from, reply](const Result<>& changed) {
                             if (changed) return reply(Response::empty());
                             if (changed.error().code != Errc::Full) return reply(refusal(changed.error()));
                             reply(locked(accounts.retry_after_s(username, from)));
                           });
}

}  // namespace

void add_users(http::Table& table, Accounts& accounts) {
  const auto with = [&accounts](void (*handler)(Accounts&, const Call&, const Reply&)) {
    return [&accounts, handler](const Call& call, const Reply& reply) { handler(accounts, call, reply); };
  };
  const http::Parameter name = http::path_parameter("username", "Name of the user");
  const http::Parameter backend =
      http::query_parameter("backend", schema::choice({"local", "ldap", "saml"}), "Where the user comes from");
  const http::Answer missing = http::fault(404, "No such user");
  const http::Answer bad = http::fault(400, "Malformed, or not allowed");

  auto list = operation(Method::Get, "/api/v5/users", Access::Viewer, "List the users of the dashboard");
  list.answers = {http::ok(schema::array(user_schema()))};
  list.handler = [&accounts](const Call&, const Reply& reply) {
    json::array rows;
    for (const Admin& admin : accounts.admins()) rows.push_back(to_json(admin));
    reply(Response::of(std::move(rows)));
  };
  table.add(std::move(list));

  auto add = operation(Method::Post, "/api/v5/users", Access::Administrator, "Create a user of the dashboard");
  add.body = schema::open_object({{"username", schema::string(1, 256), true},
                                  {"password", schema::string(1, 256), true, "8 to 64 ASCII characters of two kinds"},
                                  {"role", role_schema(false)},
                                  {"description", schema::string()}});
  add.answers = {http::ok(user_schema()), bad};
  add.handler = with(add_user);
  table.add(std::move(add));

  auto update = operation(Method::Put, "/api/v5/users/{username}", Access::Administrator,
                          "Change role and description of a user");
  update.parameters = {name, backend};
  update.body = schema::open_object({{"role", role_schema(false)}, {"description", schema::string(), true}});
  update.answers = {http::ok(user_schema()), bad, missing};
  update.handler = with(update_user);
  table.add(std::move(update));

  auto remove = operation(Method::Delete, "/api/v5/users/{username}", Access::Administrator, "Delete a user");
  remove.parameters = {name, backend};
  remove.answers = {http::no_content(), bad, missing};
  remove.handler = with(remove_user);
  table.add(std::move(remove));

  auto change =
      operation(Method::Post, "/api/v5/users/{username}/change_pwd", Access::Own, "Change the password of a user");
  change.parameters = {name, backend};
  change.body =
      schema::open_object({{"old_pwd", schema::string(1, 256), true}, {"new_pwd", schema::string(1, 256), true}});
  change.answers = {http::no_content(), bad, missing, http::fault(429, "Too many wrong passwords")};
  change.handler = with(change_password);
  table.add(std::move(change));

  // Resetting without the old password is for whoever may open the local socket.
  auto reset = operation(Method::Put, "/api/v5/local/users/{username}/password", Access::Administrator,
                         "Set the password of a user");
  reset.hidden = true;
  reset.parameters = {name};
  reset.body = schema::object({{"password", schema::string(1, 256), true}});
  reset.answers = {http::no_content(), bad, missing};
  reset.handler = [&accounts](const Call& call, const Reply& reply) {
    if (call.request.door != http::Door::Cli)
      return reply(Response::error(403, "NOT_ALLOWED", "Only signalbox ctl on the node's machine may do this"));
    accounts.change_password(
        call.text("username"), std::nullopt, text_in(call.object(), "password"), origin_of(call.request),
        [reply](const Result<>& changed) { reply(changed ? Response::empty() : refusal(changed.error())); });
  };
  table.add(std::move(reset));
}

}  // namespace sb::plugins::api::accounts
