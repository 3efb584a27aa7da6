// The page that Prometheus reads (management-api 2.23). Its settings are among those of the configuration.
#include "management/prometheus.h"

#include "http/table.h"
#include "management/api_registry.h"
#include "management/prometheus_auth.h"
#include "management/push_gateway.h"
#include "management/service.h"

namespace sb::plugins::api::prometheus {

namespace {
using http::Response;
namespace schema = http::schema;

/// Lives as long as the table: its page is asked for from there and pushed from here.
struct State {
  explicit State(management::Service& service)
      : page(service), gateway(service.loop(), service.environment().node, [this] { return page.text(); }) {}
  management::PrometheusPage page;
  management::PushGateway gateway;
};
}  // namespace

void add_to(management::ApiRegistry& api) {
  management::Service& service = api.service;
  const auto state = std::make_shared<State>(service);
  if (config::ConfigStore* config = service.environment().config) {
    // The table alone holds the state: it must go before the loop does.
    const std::weak_ptr<State> weak = state;
    service.loop().post([weak, config] {
      if (const auto held = weak.lock()) held->gateway.apply(config->current()->prometheus.push_gateway);
    });
    config->subscribe(
        [weak](const config::Config&, const config::Config& after, const std::vector<std::string>& roots) -> Result<> {
          const auto held = weak.lock();
          if (held && std::find(roots.begin(), roots.end(), "prometheus") != roots.end())
            held->gateway.apply(after.prometheus.push_gateway);
          return {};
        });
  }
  // One node: the three say the same, but where every sample names the node.
  http::Parameter mode = http::query_parameter(
      "mode", schema::choice({"node", "all_nodes_aggregated", "all_nodes_unaggregated"}), "Whose metrics (5.5)");
  mode.fallback = "node";
  const auto node_of = [&service](const http::Call& call) {
    return call.text("mode") == "all_nodes_unaggregated" ? std::string_view(service.environment().node)
                                                         : std::string_view();
  };
  const auto page = [&](const char* path, const char* summary, http::Handler handler) {
    api.table.add({http::Method::Get,
                   path,
                   "Monitor",
                   http::Access::Metrics,
                   summary,
                   {mode},
                   {},
                   false,
                   {{200, "Text exposition format", schema::string(), "text/plain"}},
                   false,
                   std::move(handler)});
  };
  const auto exposition = [](std::string text) {
    Response response = Response::text(std::move(text));
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return response;
  };
  page("/api/v5/prometheus/stats", "Metrics of the answering node, for Prometheus",
       [state, node_of, exposition](const http::Call& call, const http::Reply& reply) {
         if (call.request.accept == "application/json") return reply(Response::of(state->page.json()));
         reply(exposition(state->page.text(node_of(call))));
       });
  page("/api/v5/prometheus/auth", "Metrics of authentication, authorization and bans, for Prometheus",
       [&service, node_of, exposition](const http::Call& call, const http::Reply& reply) {
         reply(exposition(management::prometheus_auth(service, node_of(call))));
       });
}

}  // namespace sb::plugins::api::prometheus
