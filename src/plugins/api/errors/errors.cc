// The codes of error answers, for people who meet one (management-api 1.8).
#include "http/table.h"
#include "management/api_registry.h"

#include <boost/json/array.hpp>

#include <algorithm>

namespace sb::plugins::api::errors {

namespace {
using http::Call;
using http::Reply;
using http::Response;
namespace json = http::json;
namespace schema = http::schema;

struct Code {
  std::string_view code;
  std::string_view description;
};

constexpr Code kCodes[] = {
    {"BAD_USERNAME_OR_PWD", "The user name or the password is wrong"},
    {"BAD_API_KEY_OR_SECRET", "The API key or its secret is wrong"},
    {"BAD_REQUEST", "The request is malformed or breaks a rule"},
    {"NOT_MATCH", "The condition does not hold"},
    {"ALREADY_EXISTS", "The thing exists already"},
    {"BAD_CONFIG_SCHEMA", "The configuration does not fit its schema"},
    {"BAD_LISTENER_ID", "The listener id is malformed, unknown or taken"},
    {"BAD_NODE_NAME", "The node name is malformed"},
    {"BAD_RPC", "A call to another node failed"},
    {"BAD_TOPIC", "The topic cannot be used here"},
    {"EXCEED_LIMIT", "There are as many as may be"},
    {"INVALID_PARAMETER", "A query parameter is invalid"},
    {"CONFLICT", "The state does not allow this"},
    {"NO_DEFAULT_VALUE", "The configuration key has no default"},
    {"DEPENDENCY_EXISTS", "Other things depend on this one"},
    {"MESSAGE_ID_SCHEMA_ERROR", "The message id cannot be read"},
    {"INVALID_ID", "The id is malformed"},
    {"MESSAGE_ID_NOT_FOUND", "There is no such delayed message"},
    {"NOT_FOUND", "The thing or the path does not exist"},
    {"CLIENTID_NOT_FOUND", "There is no such client"},
    {"CLIENT_NOT_FOUND", "There is no such gateway client"},
    {"RESOURCE_NOT_FOUND", "There is no such gateway or part of one"},
    {"TOPIC_NOT_FOUND", "There is no such topic"},
    {"USER_NOT_FOUND", "There is no such user"},
    {"INTERNAL_ERROR", "The server failed"},
    {"SERVICE_UNAVAILABLE", "Not possible now, try later"},
    {"SOURCE_ERROR", "A source failed"},
    {"UPDATE_FAILED", "The change of the configuration was refused"},
    {"REST_FAILED", "The reset of the configuration was refused"},
    {"CLIENT_NOT_RESPONSE", "The gateway client does not answer"},
    {"AUTHORIZATION_HEADER_ERROR", "The Authorization header is missing or of another kind"},
    {"BAD_TOKEN", "The token is unknown"},
    {"TOKEN_TIME_OUT", "The token is too old"},
    {"UNAUTHORIZED_ROLE", "The role may not do this"},
    {"WRONG_TOKEN_OR_USERNAME", "The token is not of this user"},
    {"ERROR_PWD_NOT_MATCH", "The old password is wrong"},
    {"NOT_ALLOWED", "This is not allowed"},
    {"NODE_DOWN", "The node does not answer"},
    {"UNKNOW_ERROR", "A failure of unknown kind"},
    {"INVALID_PARAMTER", "A query parameter is invalid"},
    {"INVALID_PARAMS", "The parameters are invalid"},
    {"DUPLICATE_CONDITION", "Another one has the same condition"},
    {"BAD_TYPE", "The type is not possible now"},
    {"INVALID_NODE", "There is no such node"},
    {"INVALID_ACCEPT", "No form that the Accept header names is offered"},
    {"INVALID_CONFIG", "The configuration is invalid"},
    {"BAD_NODE", "The node does not answer"},
    {"FILES_NOT_FOUND", "There are no such files"},
    {"TEST_FAILED", "The trial run failed"},
    {"NODE_EVACUATING", "The node sends its clients away"},
    {"RPC_ERROR", "A call to another node failed"},
    {"BACKEND_NOT_FOUND", "There is no such back end"},
    {"UNAUTHORIZED", "Not authorised"},
    {"REDIRECT", "Go on elsewhere"},
    {"PARAMS_ERROR", "The parameters are invalid"},
    {"ALREADY_INSTALLED", "It is installed already"},
    {"BAD_PLUGIN_INFO", "The package's description cannot be read"},
    {"BAD_FORM_DATA", "The form cannot be read"},
    {"UNEXPECTED_ERROR", "A failure of unknown kind"},
    {"PARAM_ERROR", "A parameter is invalid"},
    {"BAD_POSITION", "There is no such position"},
    {"MOVE_FAILED", "It could not be moved"},
    {"NOT_IMPLEMENTED", "This version does not offer it"},
};

json::object to_json(const Code& code) {
  return {{"code", code.code}, {"description", code.description}};
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  const http::Schema row = schema::object({{"code", schema::string(), true}, {"description", schema::string(), true}});
  api.table.add({http::Method::Get,
                 "/api/v5/error_codes",
                 "Error Codes",
                 http::Access::Open,
                 "List the error codes with explanations",
                 {},
                 {},
                 false,
                 {http::ok(schema::array(row))},
                 false,
                 [](const Call&, const Reply& reply) {
                   json::array rows;
                   for (const Code& code : kCodes) rows.push_back(to_json(code));
                   reply(Response::of(std::move(rows)));
                 }});
  api.table.add({http::Method::Get,
                 "/api/v5/error_codes/{code}",
                 "Error Codes",
                 http::Access::Open,
                 "Explain one error code",
                 {http::path_parameter("code", "Code, such as BAD_REQUEST")},
                 {},
                 false,
                 {http::ok(row), http::fault(400, "No such code")},
                 false,
                 [](const Call& call, const Reply& reply) {
                   const std::string wanted = call.text("code");
                   const auto* found = std::find_if(std::begin(kCodes), std::end(kCodes),
                                                    [&](const Code& code) { return code.code == wanted; });
                   if (found == std::end(kCodes))
                     return reply(Response::error(400, "BAD_REQUEST", fmt::format("no error code '{}'", wanted)));
                   reply(Response::of(to_json(*found)));
                 }});
}

}  // namespace sb::plugins::api::errors
