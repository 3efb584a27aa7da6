#include "app/access_gate.h"

#include "access/authn/base64.h"

namespace sb::app {

namespace {

using http::Access;
using http::Actor;
using http::Response;
using management::Role;

Response with_challenge(Response response) {
  response.headers.emplace_back("WWW-Authenticate", "Basic Realm=\"emqx-dashboard\"");
  return response;
}

Response no_header() {
  return with_challenge(Response::error(401, "AUTHORIZATION_HEADER_ERROR", "Support authorization: basic/bearer "));
}

bool same_word(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

}  // namespace

bool AccessGate::allows(Role role, Access access, std::string_view user, Actor actor,
                        const http::Table::Raw& parameters) {
  if (role == Role::Administrator || access == Access::Open) return true;
  switch (access) {
    case Access::Viewer:
    case Access::Metrics:
      return role == Role::Viewer;
    case Access::Publisher:
      return role == Role::Publisher;
    case Access::Own:
      return role == Role::Viewer && actor == Actor::User && !parameters.empty() && parameters.front().second == user;
    case Access::Administrator:
    case Access::Open:
      break;
  }
  return false;
}

std::optional<Response> AccessGate::check(http::Request& request, const http::Endpoint& endpoint,
                                          const http::Table::Raw& parameters) {
  if (request.door == http::Door::Cli) {
    request.actor = Actor::Cli;
    request.role = management::to_string(Role::Administrator);
    return std::nullopt;
  }
  if (endpoint.access == Access::Open) return std::nullopt;
  if (endpoint.access == Access::Metrics && !(metrics_need_log_in_ && metrics_need_log_in_())) return std::nullopt;

  const std::string_view header = request.authorization;
  const auto space = header.find(' ');
  if (space == std::string_view::npos) return no_header();
  const std::string_view scheme = header.substr(0, space);
  std::string_view rest = header.substr(space + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (same_word(scheme, "bearer")) return check_token(request, endpoint, rest, parameters);
  if (same_word(scheme, "basic")) return check_key(request, endpoint, rest, parameters);
  return no_header();
}

std::optional<Response> AccessGate::check_token(http::Request& request, const http::Endpoint& endpoint,
                                                std::string_view token, const http::Table::Raw& parameters) {
  request.actor = Actor::Nobody;
  management::Accounts::Session session;
  switch (accounts_.check_token(token, session)) {
    case management::Accounts::TokenState::Good:
      break;
    case management::Accounts::TokenState::Unknown:
      return Response::error(401, "BAD_TOKEN", "Get a token by POST /login");
    case management::Accounts::TokenState::Expired:
      return Response::error(401, "TOKEN_TIME_OUT", "Token expired, get new token by POST /login");
  }
  request.actor = Actor::User;
  request.user = session.username;
  request.role = management::to_string(session.role);
  if (session.initial && !request.from_this_machine())
    return Response::error(403, "NOT_ALLOWED",
                           "Until the default password is changed, this user is served on the node's own machine only, "
                           "without a proxy, as localhost or by an IP address");
  if (allows(session.role, endpoint.access, session.username, Actor::User, parameters)) return std::nullopt;
  return Response::error(403, "UNAUTHORIZED_ROLE", "You don't have permission to access this resource");
}

std::optional<Response> AccessGate::check_key(http::Request& request, const http::Endpoint& endpoint,
                                              std::string_view credentials, const http::Table::Raw& parameters) {
  request.actor = Actor::Nobody;
  request.refused_key = true;
  if (endpoint.login == http::Login::TokenOnly)
    return with_challenge(Response::error(401, "BAD_API_KEY_OR_SECRET", "Not allowed, Check api_key/api_secret"));
  const auto plain = access::authn::decode_base64(credentials);
  const auto colon = plain ? plain->find(':') : std::string::npos;
  const management::ApiKey* const key = colon == std::string::npos
                                            ? nullptr
                                            : accounts_.check_api_key(std::string_view(*plain).substr(0, colon),
                                                                      std::string_view(*plain).substr(colon + 1));
  if (!key) return with_challenge(Response::error(401, "BAD_API_KEY_OR_SECRET", "Check api_key/api_secret"));
  request.actor = Actor::ApiKey;
  request.user = key->key;
  request.role = management::to_string(key->role);
  if (allows(key->role, endpoint.access, key->name, Actor::ApiKey, parameters)) return std::nullopt;
  return Response::error(403, "UNAUTHORIZED_ROLE", "This API Key don't have permission to access this resource");
}

}  // namespace sb::app
