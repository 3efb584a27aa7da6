// Operations of areas that this version does not have yet, so that a client is told so in words, and coverage can be
// counted: what only ever answers 501 is not covered. An area that arrives takes its lines out.
#include "http/table.h"
#include "management/api_registry.h"

namespace sb::plugins::api::absent {

namespace {
using http::Access;
using http::Method;

struct Operation {
  Method method;
  std::string_view path;  // below /api/v5
  std::string_view tag;
  Access access;
};

constexpr Operation kOperations[] = {
    {Method::Get, "/action_types", "Actions", Access::Viewer},
    {Method::Get, "/actions", "Actions", Access::Viewer},
    {Method::Post, "/actions", "Actions", Access::Administrator},
    {Method::Get, "/actions/{id}", "Actions", Access::Viewer},
    {Method::Put, "/actions/{id}", "Actions", Access::Administrator},
    {Method::Delete, "/actions/{id}", "Actions", Access::Administrator},
    {Method::Put, "/actions/{id}/enable/{enable}", "Actions", Access::Administrator},
    {Method::Get, "/actions/{id}/metrics", "Actions", Access::Viewer},
    {Method::Put, "/actions/{id}/metrics/reset", "Actions", Access::Administrator},
    {Method::Post, "/actions/{id}/{operation}", "Actions", Access::Administrator},
    {Method::Post, "/actions_probe", "Actions", Access::Administrator},
    {Method::Post, "/nodes/{node}/actions/{id}/{operation}", "Actions", Access::Administrator},
    {Method::Get, "/bridges", "Bridges", Access::Viewer},
    {Method::Post, "/bridges", "Bridges", Access::Administrator},
    {Method::Get, "/bridges/{id}", "Bridges", Access::Viewer},
    {Method::Put, "/bridges/{id}", "Bridges", Access::Administrator},
    {Method::Delete, "/bridges/{id}", "Bridges", Access::Administrator},
    {Method::Put, "/bridges/{id}/enable/{enable}", "Bridges", Access::Administrator},
    {Method::Get, "/bridges/{id}/metrics", "Bridges", Access::Viewer},
    {Method::Put, "/bridges/{id}/metrics/reset", "Bridges", Access::Administrator},
    {Method::Post, "/bridges/{id}/{operation}", "Bridges", Access::Administrator},
    {Method::Post, "/bridges_probe", "Bridges", Access::Administrator},
    {Method::Post, "/nodes/{node}/bridges/{id}/{operation}", "Bridges", Access::Administrator},
    {Method::Post, "/gateways/coap/clients/{clientid}/request", "CoAP Gateways", Access::Administrator},
    {Method::Get, "/configs/file_transfer", "Configs", Access::Viewer},
    {Method::Put, "/configs/file_transfer", "Configs", Access::Administrator},
    {Method::Get, "/connectors", "Connectors", Access::Viewer},
    {Method::Post, "/connectors", "Connectors", Access::Administrator},
    {Method::Get, "/connectors/{id}", "Connectors", Access::Viewer},
    {Method::Put, "/connectors/{id}", "Connectors", Access::Administrator},
    {Method::Delete, "/connectors/{id}", "Connectors", Access::Administrator},
    {Method::Put, "/connectors/{id}/enable/{enable}", "Connectors", Access::Administrator},
    {Method::Post, "/connectors/{id}/{operation}", "Connectors", Access::Administrator},
    {Method::Post, "/connectors_probe", "Connectors", Access::Administrator},
    {Method::Post, "/nodes/{node}/connectors/{id}/{operation}", "Connectors", Access::Administrator},
    {Method::Get, "/sso", "Dashboard Single Sign-On", Access::Viewer},
    {Method::Post, "/sso/login/{backend}", "Dashboard Single Sign-On", Access::Open},
    {Method::Get, "/sso/running", "Dashboard Single Sign-On", Access::Open},
    {Method::Post, "/sso/saml/acs", "Dashboard Single Sign-On", Access::Open},
    {Method::Get, "/sso/saml/metadata", "Dashboard Single Sign-On", Access::Open},
    {Method::Get, "/sso/{backend}", "Dashboard Single Sign-On", Access::Viewer},
    {Method::Put, "/sso/{backend}", "Dashboard Single Sign-On", Access::Administrator},
    {Method::Delete, "/sso/{backend}", "Dashboard Single Sign-On", Access::Administrator},
    {Method::Get, "/exhooks", "ExHook", Access::Viewer},
    {Method::Post, "/exhooks", "ExHook", Access::Administrator},
    {Method::Get, "/exhooks/{name}", "ExHook", Access::Viewer},
    {Method::Put, "/exhooks/{name}", "ExHook", Access::Administrator},
    {Method::Delete, "/exhooks/{name}", "ExHook", Access::Administrator},
    {Method::Get, "/exhooks/{name}/hooks", "ExHook", Access::Viewer},
    {Method::Post, "/exhooks/{name}/move", "ExHook", Access::Administrator},
    {Method::Get, "/file_transfer", "File Transfer", Access::Viewer},
    {Method::Put, "/file_transfer", "File Transfer", Access::Administrator},
    {Method::Get, "/file_transfer/file", "File Transfer", Access::Viewer},
    {Method::Get, "/file_transfer/files", "File Transfer", Access::Viewer},
    {Method::Get, "/file_transfer/files/{clientid}/{fileid}", "File Transfer", Access::Viewer},
    {Method::Get, "/gateways/{name}/authentication", "Gateway Authentication", Access::Viewer},
    {Method::Post, "/gateways/{name}/authentication", "Gateway Authentication", Access::Administrator},
    {Method::Put, "/gateways/{name}/authentication", "Gateway Authentication", Access::Administrator},
    {Method::Delete, "/gateways/{name}/authentication", "Gateway Authentication", Access::Administrator},
    {Method::Post, "/gateways/{name}/authentication/import_users", "Gateway Authentication", Access::Administrator},
    {Method::Get, "/gateways/{name}/authentication/users", "Gateway Authentication", Access::Viewer},
    {Method::Post, "/gateways/{name}/authentication/users", "Gateway Authentication", Access::Administrator},
    {Method::Get, "/gateways/{name}/authentication/users/{uid}", "Gateway Authentication", Access::Viewer},
    {Method::Put, "/gateways/{name}/authentication/users/{uid}", "Gateway Authentication", Access::Administrator},
    {Method::Delete, "/gateways/{name}/authentication/users/{uid}", "Gateway Authentication", Access::Administrator},
    {Method::Post, "/gateways/{name}/listeners/{id}/authentication/import_users", "Gateway Authentication",
     Access::Administrator},
    {Method::Get, "/gateways/{name}/clients", "Gateway Clients", Access::Viewer},
    {Method::Get, "/gateways/{name}/clients/{clientid}", "Gateway Clients", Access::Viewer},
    {Method::Delete, "/gateways/{name}/clients/{clientid}", "Gateway Clients", Access::Administrator},
    {Method::Get, "/gateways/{name}/clients/{clientid}/subscriptions", "Gateway Clients", Access::Viewer},
    {Method::Post, "/gateways/{name}/clients/{clientid}/subscriptions", "Gateway Clients", Access::Administrator},
    {Method::Delete, "/gateways/{name}/clients/{clientid}/subscriptions/{topic}", "Gateway Clients",
     Access::Administrator},
    {Method::Get, "/gateways/{name}/listeners", "Gateway Listeners", Access::Viewer},
    {Method::Post, "/gateways/{name}/listeners", "Gateway Listeners", Access::Administrator},
    {Method::Get, "/gateways/{name}/listeners/{id}", "Gateway Listeners", Access::Viewer},
    {Method::Put, "/gateways/{name}/listeners/{id}", "Gateway Listeners", Access::Administrator},
    {Method::Delete, "/gateways/{name}/listeners/{id}", "Gateway Listeners", Access::Administrator},
    {Method::Get, "/gateways/{name}/listeners/{id}/authentication", "Gateway Listeners", Access::Viewer},
    {Method::Post, "/gateways/{name}/listeners/{id}/authentication", "Gateway Listeners", Access::Administrator},
    {Method::Put, "/gateways/{name}/listeners/{id}/authentication", "Gateway Listeners", Access::Administrator},
    {Method::Delete, "/gateways/{name}/listeners/{id}/authentication", "Gateway Listeners", Access::Administrator},
    {Method::Get, "/gateways/{name}/listeners/{id}/authentication/users", "Gateway Listeners", Access::Viewer},
    {Method::Post, "/gateways/{name}/listeners/{id}/authentication/users", "Gateway Listeners", Access::Administrator},
    {Method::Get, "/gateways/{name}/listeners/{id}/authentication/users/{uid}", "Gateway Listeners", Access::Viewer},
    {Method::Put, "/gateways/{name}/listeners/{id}/authentication/users/{uid}", "Gateway Listeners",
     Access::Administrator},
    {Method::Delete, "/gateways/{name}/listeners/{id}/authentication/users/{uid}", "Gateway Listeners",
     Access::Administrator},
    {Method::Get, "/gateways", "Gateways", Access::Viewer},
    {Method::Get, "/gateways/{name}", "Gateways", Access::Viewer},
    {Method::Put, "/gateways/{name}", "Gateways", Access::Administrator},
    {Method::Put, "/gateways/{name}/enable/{enable}", "Gateways", Access::Administrator},
    {Method::Get, "/gcp_devices", "GCP Devices", Access::Viewer},
    {Method::Post, "/gcp_devices", "GCP Devices", Access::Administrator},
    {Method::Get, "/gcp_devices/{deviceid}", "GCP Devices", Access::Viewer},
    {Method::Put, "/gcp_devices/{deviceid}", "GCP Devices", Access::Administrator},
    {Method::Delete, "/gcp_devices/{deviceid}", "GCP Devices", Access::Administrator},
    {Method::Get, "/gateways/lwm2m/clients/{clientid}/lookup", "LwM2M Gateways", Access::Viewer},
    {Method::Post, "/gateways/lwm2m/clients/{clientid}/observe", "LwM2M Gateways", Access::Administrator},
    {Method::Post, "/gateways/lwm2m/clients/{clientid}/read", "LwM2M Gateways", Access::Administrator},
    {Method::Post, "/gateways/lwm2m/clients/{clientid}/write", "LwM2M Gateways", Access::Administrator},
    {Method::Get, "/opentelemetry", "Monitor", Access::Viewer},
    {Method::Put, "/opentelemetry", "Monitor", Access::Administrator},
    {Method::Get, "/plugins", "Plugins", Access::Viewer},
    {Method::Post, "/plugins/install", "Plugins", Access::Administrator},
    {Method::Get, "/plugins/{name}", "Plugins", Access::Viewer},
    {Method::Delete, "/plugins/{name}", "Plugins", Access::Administrator},
    {Method::Post, "/plugins/{name}/move", "Plugins", Access::Administrator},
    {Method::Put, "/plugins/{name}/{action}", "Plugins", Access::Administrator},
    {Method::Get, "/rule_engine", "Rules", Access::Viewer},
    {Method::Put, "/rule_engine", "Rules", Access::Administrator},
    {Method::Get, "/rule_events", "Rules", Access::Viewer},
    {Method::Post, "/rule_test", "Rules", Access::Administrator},
    {Method::Get, "/rules", "Rules", Access::Viewer},
    {Method::Post, "/rules", "Rules", Access::Administrator},
    {Method::Get, "/rules/{id}", "Rules", Access::Viewer},
    {Method::Put, "/rules/{id}", "Rules", Access::Administrator},
    {Method::Delete, "/rules/{id}", "Rules", Access::Administrator},
    {Method::Get, "/rules/{id}/metrics", "Rules", Access::Viewer},
    {Method::Put, "/rules/{id}/metrics/reset", "Rules", Access::Administrator},
    {Method::Get, "/schema_registry", "Schema Registry", Access::Viewer},
    {Method::Post, "/schema_registry", "Schema Registry", Access::Administrator},
    {Method::Get, "/schema_registry/{name}", "Schema Registry", Access::Viewer},
    {Method::Put, "/schema_registry/{name}", "Schema Registry", Access::Administrator},
    {Method::Delete, "/schema_registry/{name}", "Schema Registry", Access::Administrator},
};

std::vector<http::Parameter> parameters_of(std::string_view path) {
  std::vector<http::Parameter> out;
  for (std::size_t at = path.find('{'); at != path.npos; at = path.find('{', at + 1)) {
    const std::string name(path.substr(at + 1, path.find('}', at) - at - 1));
    out.push_back(http::path_parameter(name, "Not used yet"));
  }
  return out;
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  for (const Operation& operation : kOperations)
    api.table.add(
        {operation.method,
         "/api/v5" + std::string(operation.path),
         std::string(operation.tag),
         operation.access,
         "Not in this version",
         parameters_of(operation.path),
         {},
         false,
         {http::fault(501, "Not in this version")},
         false,
         [tag = operation.tag](const http::Call&, const http::Reply& reply) {
           reply(http::Response::error(501, "NOT_IMPLEMENTED", fmt::format("{}: this version does not have it", tag)));
         }});
}

}  // namespace sb::plugins::api::absent
