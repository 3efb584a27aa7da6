// Log-in and log-out (management-api 3.2).
#include "plugins/api/accounts/common.h"

#include <boost/json/object.hpp>

namespace sb::plugins::api::accounts {

namespace json = http::json;
namespace schema = http::schema;
using http::Call;
using http::Reply;
using http::Response;
using management::Accounts;
using management::LoginOutcome;

std::string text_in(const json::object& body, std::string_view name, std::string_view absent) {
  const auto* value = body.if_contains(name);
  return std::string(value && value->is_string() ? std::string_view(value->get_string()) : absent);
}

management::Origin origin_of(const http::Request& request) {
  return {request.peer, request.door == http::Door::Cli || request.from_this_machine()};
}

http::Response locked(std::int64_t retry_after_s) {
  http::Response out = http::Response::error(429, "BAD_USERNAME_OR_PWD", "Too many failed log-ins, try again later");
  out.headers.emplace_back("retry-after", std::to_string(retry_after_s));
  return out;
}

http::Schema role_schema(bool publisher) {
  return publisher ? schema::choice({"administrator", "viewer", "publisher"})
                   : schema::choice({"administrator", "viewer"});
}

namespace {

Response login_answer(const management::Service& service, const LoginOutcome& outcome) {
  switch (outcome.kind) {
    case LoginOutcome::Kind::Ok:
      break;
    case LoginOutcome::Kind::Refused:
      return Response::error(401, "BAD_USERNAME_OR_PWD", "Auth failed");
    case LoginOutcome::Kind::Locked:
      return locked(outcome.retry_after_s);
    case LoginOutcome::Kind::LocalOnly:
      return Response::error(403, "NOT_ALLOWED",
                             "The default password is accepted from the node's own machine only, without a proxy, as "
                             "localhost or by an IP address. Log in there and change it, or run: signalbox ctl admins "
                             "passwd <Username> <Password>");
    case LoginOutcome::Kind::Busy:
      return Response::error(503, "SERVICE_UNAVAILABLE", "Too many log-ins at once, try again");
  }
  json::object body{{"role", management::to_string(outcome.role)},
                    {"token", outcome.token},
                    {"version", service.environment().version},
                    {"license", {{"edition", "ee"}}}};
  if (outcome.must_change) body["must_change_password"] = true;
  return Response::of(body);
}

void add_login(http::Table& table, management::Service& service, Accounts& accounts) {
  http::Endpoint login;
  login.method = http::Method::Post;
  login.path = "/api/v5/login";
  login.tag = "Dashboard";
  login.access = http::Access::Open;
  login.summary = "Exchange user name and password for a bearer token";
  login.body =
      schema::open_object({{"username", schema::string(1, 256), true}, {"password", schema::string(1, 256), true}});
  login.answers = {http::ok(schema::open_object({{"role", schema::string(), true},
                                                 {"token", schema::string(), true},
                                                 {"version", schema::string(), true},
                                                 {"license", schema::open_object(), true}})),
                   http::fault(400, "Malformed"),
                   http::fault(401, "User name or password is wrong"),
                   http::fault(403, "The default password is used from another machine"),
                   http::fault(429, "Too many failures"),
                   http::fault(503, "Too many log-ins at once")};
  login.handler = [&service, &accounts](const Call& call, const Reply& reply) {
    accounts.login(text_in(call.object(), "username"), text_in(call.object(), "password"), origin_of(call.request),
                   [&service, reply](const LoginOutcome& outcome) { reply(login_answer(service, outcome)); });
  };
  table.add(std::move(login));

  http::Endpoint logout;
  logout.method = http::Method::Post;
  logout.path = "/api/v5/logout";
  logout.tag = "Dashboard";
  logout.access = http::Access::Viewer;
  logout.login = http::Login::TokenOnly;
  logout.summary = "End this log-in";
  logout.parameters = {
      http::query_parameter("backend", schema::choice({"local", "ldap", "saml"}), "Where the user comes from")};
  logout.body = schema::open_object({{"username", schema::string(1, 256), true}});
  logout.answers = {http::no_content(), http::fault(400, "Malformed"), http::fault(401, "Not a token of this user")};
  logout.handler = [&accounts](const Call& call, const Reply& reply) {
    const std::string_view header = call.request.authorization;
    const auto space = std::min(header.find(' '), header.size());
    const bool local = call.text("backend").empty() || call.text("backend") == "local";
    const std::string_view token = header.substr(std::min(space + 1, header.size()));
    if (local && accounts.logout(token, text_in(call.object(), "username"))) return reply(Response::empty());
    reply(Response::error(401, "WRONG_TOKEN_OR_USERNAME", "Ensure your token & username"));
  };
  table.add(std::move(logout));
}

}  // namespace

void add_to(management::ApiRegistry& api) {
  Accounts& accounts = api.service.accounts();
  add_login(api.table, api.service, accounts);
  add_users(api.table, accounts);
  add_keys(api.table, accounts);
}

}  // namespace sb::plugins::api::accounts
