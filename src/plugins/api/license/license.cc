// The licence (management-api 2.21). Its watermarks are among the settings.
#include "http/table.h"
#include "management/api_registry.h"
#include "management/licence.h"
#include "management/service.h"

namespace sb::plugins::api::license {

namespace {
using http::Call;
using http::Reply;
using http::Response;
using management::Licence;
namespace json = http::json;
namespace schema = http::schema;

json::object to_json(const Licence::View& view) {
  const auto& terms = view.terms;
  json::object out{{"customer", terms.customer},
                   {"email", terms.email},
                   {"deployment", terms.deployment},
                   {"type", codec::license::to_string(terms.type)},
                   {"customer_type", static_cast<int>(terms.customer_type)},
                   {"max_connections", terms.max_connections},
                   {"start_at", codec::license::day_text(terms.start_day)},
                   {"expiry_at", codec::license::day_text(terms.expiry_day())},
                   {"expiry", view.expired},
                   {"live_connections", view.live},
                   {"refused_connections", view.refused}};
  if (view.kind == Licence::Kind::Community) {
    out["type"] = "community";
    out["max_connections"] = "infinity";
  } else if (view.kind == Licence::Kind::Trial) {
    out["to_lift_the_limit"] = access::kLiftTheLimit;
  }
  if (!view.trouble.empty()) out["trouble"] = view.trouble;
  return out;
}

/// The words of the reference come first, whatever the reason.
std::string bad_key(std::string_view reason) {
  constexpr std::string_view kBad = "Bad license key";
  return reason.starts_with(kBad) ? std::string(reason) : fmt::format("{}: {}", kBad, reason);
}

void install(config::ConfigStore& store, const Licence& licence, const Call& call, const Reply& reply) {
  const auto* key = call.object().if_contains("key");
  if (!key || key->get_string().empty()) return reply(Response::error(400, "BAD_REQUEST", "Invalid request params"));
  const auto outcome = store.update("license.key", config::Value(std::string_view(key->get_string())),
                                    config::ConfigStore::Mode::Replace);
  if (!outcome) return reply(Response::error(400, "BAD_REQUEST", bad_key(outcome.error().message)));
  reply(Response::of(to_json(licence.view())));
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  if (!api.service.environment().licence || !api.service.environment().config) return;
  const Licence& licence = *api.service.environment().licence;
  config::ConfigStore& store = *api.service.environment().config;
  api.table.add({http::Method::Get,
                 "/api/v5/license",
                 "License",
                 http::Access::Viewer,
                 "Read the licence that is in force",
                 {},
                 {},
                 false,
                 {http::ok(schema::open_object())},
                 false,
                 [&licence](const Call&, const Reply& reply) { reply(Response::of(to_json(licence.view()))); }});
  api.table.add({http::Method::Post,
                 "/api/v5/license",
                 "License",
                 http::Access::Administrator,
                 "Install a licence key",
                 {},
                 schema::open_object({{"key", schema::string(0, 16384), false,
                                       "A signed key, file:// and a path, default for the trial, or community"}}),
                 false,
                 {http::ok(schema::open_object()), http::fault(400, "The key does not count")},
                 false,
                 [&store, &licence](const Call& call, const Reply& reply) { install(store, licence, call, reply); }});
}

}  // namespace sb::plugins::api::license
