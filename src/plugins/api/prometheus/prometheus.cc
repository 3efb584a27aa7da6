// The page that Prometheus reads (management-api 2.23). Its settings are among those of the configuration.
#include "management/prometheus.h"

#include "http/table.h"
#include "management/api_registry.h"
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
  api.table.add({http::Method::Get,
                 "/api/v5/prometheus/stats",
                 "Monitor",
                 http::Access::Metrics,
                 "Metrics of the answering node, for Prometheus",
                 {},
                 {},
                 false,
                 {{200, "Text exposition format", schema::string(), "text/plain"}},
                 false,
                 [state](const http::Call& call, const http::Reply& reply) {
                   if (call.request.accept == "application/json") return reply(Response::of(state->page.json()));
                   Response response = Response::text(state->page.text());
                   response.content_type = "text/plain; version=0.0.4; charset=utf-8";
                   reply(std::move(response));
                 }});
}

}  // namespace sb::plugins::api::prometheus
