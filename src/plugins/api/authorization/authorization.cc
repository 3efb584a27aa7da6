// Authorization (management-api 2.29): settings, the list of sources, cached decisions.
#include "access/authz/authorization.h"

#include "access/access_control.h"
#include "config/hocon.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/order.h"
#include "management/resource_json.h"
#include "management/service.h"
#include "plugins/api/authorization/rules.h"
#include "plugins/api/authorization/sources.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace sb::plugins::api::authorization {

using config::Value;
using http::Call;
using http::Reply;
using http::Response;
namespace json = http::json;
namespace schema = http::schema;

namespace {
Response not_found(std::string_view type) {
  return Response::error(404, "NOT_FOUND", fmt::format("Not found: {}", type));
}

/// Body as a tree of the configuration; null after an answer.
std::optional<Value> body_of(const Call& call, const Reply& reply) {
  auto value = config::parse_value(json::serialize(call.body), "request");
  if (value && value->is_object()) return std::move(*value);
  reply(Response::error(400, "BAD_REQUEST", "expected an object"));
  return std::nullopt;
}

class Api : public std::enable_shared_from_this<Api> {
 public:
  explicit Api(management::Service& service)
      : service_(service),
        authorization_(*service.environment().authorization),
        sources_(*service.environment().config, service.environment().refresh_access) {}

  void add_to(http::Table& table);
  BuiltIn built_in() const {
    const auto source = sources_.find(kBuiltIn);
    if (!source) return {};
    const auto* member = authorization_.find(kBuiltIn);
    return {true, member && member->enable};
  }

 private:
  static constexpr std::string_view kBuiltIn = "built_in_database";
  using Fn = void (Api::*)(const Call&, const Reply&);
  http::Handler with(Fn fn) {
    return [self = shared_from_this(), fn](const Call& call, const Reply& reply) { (self.get()->*fn)(call, reply); };
  }
  static void answer(std::optional<Response> refused, const Reply& reply) {
    reply(refused ? *std::move(refused) : Response::empty());
  }

  void settings(const Call& call, const Reply& reply);
  void set_settings(const Call& call, const Reply& reply);
  void list(const Call& call, const Reply& reply);
  void create(const Call& call, const Reply& reply);
  void show(const Call& call, const Reply& reply);
  void change(const Call& call, const Reply& reply);
  void remove(const Call& call, const Reply& reply);
  void move(const Call& call, const Reply& reply);
  void order(const Call& call, const Reply& reply);
  void status(const Call& call, const Reply& reply);

  management::Service& service_;
  access::authz::Authorization& authorization_;
  Sources sources_;
};

void Api::settings(const Call&, const Reply& reply) {
  reply(Response::of(sources_.settings()));
}

void Api::set_settings(const Call& call, const Reply& reply) {
  auto value = body_of(call, reply);
  if (!value) return;
  if (auto refused = sources_.set_settings(*std::move(value))) return reply(*std::move(refused));
  reply(Response::of(sources_.settings()));
}

void Api::list(const Call&, const Reply& reply) {
  json::array out;
  for (const Value& source : sources_.all()) out.push_back(sources_.shown(source));
  reply(Response::of(json::object{{"sources", std::move(out)}}));
}

void Api::create(const Call& call, const Reply& reply) {
  auto value = body_of(call, reply);
  if (!value) return;
  const std::string type = type_of(*value);
  if (sources_.find(type))
    return reply(Response::error(400, "BAD_REQUEST", fmt::format("there is a source {} already", type)));
  auto all = sources_.all();
  all.insert(all.begin(), *std::move(value));
  answer(sources_.replace(std::move(all), 0), reply);
}

void Api::show(const Call& call, const Reply& reply) {
  const auto source = sources_.find(call.text("type"));
  reply(source ? Response::of(sources_.shown(*source)) : not_found(call.text("type")));
}

void Api::change(const Call& call, const Reply& reply) {
  const std::string type = call.text("type");
  if (!sources_.find(type)) return reply(not_found(type));
  auto value = body_of(call, reply);
  if (!value) return;
  if (type_of(*value) != type) return reply(Response::error(400, "BAD_REQUEST", "Type mismatch"));
  auto all = sources_.all();
  const std::size_t at = management::position_of(all, type_of, type);
  all[at] = *std::move(value);
  answer(sources_.replace(std::move(all), at), reply);
}

void Api::remove(const Call& call, const Reply& reply) {
  const std::string type = call.text("type");
  auto all = sources_.all();
  if (std::erase_if(all, [&](const Value& one) { return type_of(one) == type; }) == 0) return reply(not_found(type));
  if (auto refused = sources_.replace(std::move(all))) return reply(*std::move(refused));
  reply(Response::empty());
}

void Api::move(const Call& call, const Reply& reply) {
  const std::string type = call.text("type");
  if (!sources_.find(type)) return reply(not_found(type));
  const auto& position = call.object().at("position").get_string();
  auto all = management::moved(sources_.all(), type_of, type, position);
  if (!all) return reply(Response::error(400, "BAD_REQUEST", "Invalid value for 'position'"));
  answer(sources_.replace(*std::move(all)), reply);
}

void Api::order(const Call& call, const Reply& reply) {
  std::vector<std::string> types;
  for (const auto& one : call.body.get_array()) types.emplace_back(std::string_view(one.at("type").get_string()));
  auto all = management::in_order(sources_.all(), type_of, types);
  if (!all) return reply(Response::error(400, "BAD_REQUEST", all.error().what));
  answer(sources_.replace(*std::move(all)), reply);
}

void Api::status(const Call& call, const Reply& reply) {
  const auto* found = authorization_.find(call.text("type"));
  if (!found) return reply(not_found(call.text("type")));
  const auto load = [](const auto& counter) { return counter.load(std::memory_order_relaxed); };
  const access::SourceCounts& counts = *found->counts;
  const json::object metrics = {{"total", load(counts.total)},   {"allow", load(counts.allow)},
                                {"deny", load(counts.deny)},     {"nomatch", load(counts.nomatch)},
                                {"rate", counts.rate.current()}, {"rate_last5m", counts.rate.last_5m()},
                                {"rate_max", counts.rate.most()}};
  using State = access::authz::Source::State;
  const State state =
      found->source ? found->source->state() : State{access::authz::Health::Disconnected, "the source is disabled"};
  const auto health = access::authn::to_string(state.health);
  const std::string& node = service_.environment().node;
  const json::object asked = management::to_json(found->source ? found->source->resource() : nullptr);
  json::array errors;
  if (!state.reason.empty()) errors.push_back(json::object{{"node", node}, {"reason", state.reason}});
  reply(Response::of(
      json::object{{"status", health},
                   {"metrics", metrics},
                   {"resource_metrics", asked},
                   {"node_status", json::array{json::object{{"node", node}, {"status", health}}}},
                   {"node_metrics", json::array{json::object{{"node", node}, {"metrics", metrics}}}},
                   {"node_resource_metrics", json::array{json::object{{"node", node}, {"metrics", asked}}}},
                   {"node_error", std::move(errors)}}));
}

void Api::add_to(http::Table& table) {
  using http::Method;
  const auto source = schema::open_object({{"type", schema::string(1), true, "Kind of source"}});
  const auto settings = schema::object(
      {{"no_match", schema::choice({"allow", "deny"}), true, "What counts when no source decides"},
       {"deny_action", schema::choice({"ignore", "disconnect"}), true, "What happens to a client that is denied"},
       {"cache", schema::open_object(), true, "Cache of decisions of each connection"}});
  const auto gone = http::fault(404, "No such source");
  const auto bad = http::fault(400, "Bad request");
  const auto add = [&](Method method, const std::string& path, std::string summary, std::optional<http::Schema> body,
                       std::vector<http::Answer> answers, Fn fn) {
    http::Endpoint endpoint;
    endpoint.method = method;
    endpoint.path = "/api/v5/authorization" + path;
    endpoint.tag = "Authorization";
    endpoint.access = method == Method::Get ? http::Access::Viewer : http::Access::Administrator;
    endpoint.summary = std::move(summary);
    if (path.find("{type}") != std::string::npos)
      endpoint.parameters = {http::path_parameter("type", "Kind of source")};
    endpoint.body = std::move(body);
    endpoint.answers = std::move(answers);
    endpoint.handler = with(fn);
    table.add(std::move(endpoint));
  };
  add(Method::Get, "/settings", "Read authorization-wide settings (no_match, deny_action, cache)", {},
      {http::ok(settings)}, &Api::settings);
  add(Method::Put, "/settings", "Write authorization-wide settings", settings, {http::ok(settings), bad},
      &Api::set_settings);
  add(Method::Get, "/sources", "List authorization sources in order", {},
      {http::ok(schema::object({{"sources", schema::array(source), true, "In order"}}))}, &Api::list);
  add(Method::Post, "/sources", "Add an authorization source (at the head of the list)", source,
      {http::no_content(), bad}, &Api::create);
  add(Method::Put, "/sources/order", "Put all sources in this order; every source is named",
      schema::array(schema::object({{"type", schema::string(1), true, "Kind of source"}})), {http::no_content(), bad},
      &Api::order);
  add(Method::Get, "/sources/{type}", "Read one authorization source", {}, {http::ok(source), gone}, &Api::show);
  add(Method::Put, "/sources/{type}", "Update one authorization source", source, {http::no_content(), bad, gone},
      &Api::change);
  add(Method::Delete, "/sources/{type}", "Remove one authorization source", {}, {http::no_content(), bad, gone},
      &Api::remove);
  add(Method::Post, "/sources/{type}/move", "Reorder an authorization source",
      schema::object({{"position", schema::string(1), true, "front, rear, before:TYPE or after:TYPE"}}),
      {http::no_content(), bad, gone}, &Api::move);
  add(Method::Get, "/sources/{type}/status", "Connection status and counters of a source", {},
      {http::ok(schema::open_object()), gone}, &Api::status);
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  const management::Environment& environment = api.service.environment();
  access::AccessControl& access = *environment.access;
  api.table.add({http::Method::Delete,
                 "/api/v5/authorization/cache",
                 "Authorization",
                 http::Access::Administrator,
                 "Clear the cached ACL decisions of every client",
                 {},
                 {},
                 false,
                 {http::no_content()},
                 false,
                 [&access](const http::Call&, const http::Reply& reply) {
                   access.clear_caches();
                   reply(http::Response::empty());
                 }});
  if (!environment.config || !environment.authorization || !environment.refresh_access) return;
  const auto made = std::make_shared<Api>(api.service);
  made->add_to(api.table);
  add_rules(api.table, api.service, [made] { return made->built_in(); });
}

}  // namespace sb::plugins::api::authorization
