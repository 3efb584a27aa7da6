// Chains of authenticators, global and of listeners, and the users of their built-in databases (management-api 2.28).
#include "access/authn/authentication.h"

#include "access/authn/import.h"
#include "base/secret.h"
#include "config/hocon.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/order.h"
#include "management/resource_json.h"
#include "management/service.h"
#include "plugins/api/authentication/chains.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace sb::plugins::api::authentication {

namespace {
using access::authn::Authentication;
using access::authn::UserDirectory;
using config::Value;
using http::Call;
using http::Reply;
using http::Response;
namespace json = http::json;
namespace schema = http::schema;

constexpr std::int64_t kRoundsMin = 5, kRoundsMax = 10;

/// The same operations under /authentication and under /listeners/{id}/authentication.
class Api : public std::enable_shared_from_this<Api> {
 public:
  Api(management::Service& service, bool of_listeners)
      : service_(service),
        store_(*service.environment().config),
        authentication_(*service.environment().authentication),
        of_listeners_(of_listeners) {}

  void add_to(http::Table& table);

 private:
  using Fn = void (Api::*)(const Call&, Chain&, const Reply&);
  /// Calls `fn` with the chain that the path names.
  http::Handler with(Fn fn) {
    return [self = shared_from_this(), fn](const Call& call, const Reply& reply) {
      const std::string listener = self->of_listeners_ ? call.text("listener_id") : std::string();
      Chain chain(self->store_, listener);
      if (!chain.exists())
        return reply(Response::error(404, "NOT_FOUND", fmt::format("Listener {} not found", listener)));
      (self.get()->*fn)(call, chain, reply);
    };
  }

  void list(const Call& call, Chain& chain, const Reply& reply);
  void create(const Call& call, Chain& chain, const Reply& reply);
  void show(const Call& call, Chain& chain, const Reply& reply);
  void change(const Call& call, Chain& chain, const Reply& reply);
  void remove(const Call& call, Chain& chain, const Reply& reply);
  void status(const Call& call, Chain& chain, const Reply& reply);
  void move(const Call& call, Chain& chain, const Reply& reply);
  void order(const Call& call, Chain& chain, const Reply& reply);
  void import(const Call& call, Chain& chain, const Reply& reply);
  void users(const Call& call, Chain& chain, const Reply& reply);
  void add_user(const Call& call, Chain& chain, const Reply& reply);
  void show_user(const Call& call, Chain& chain, const Reply& reply);
  void change_user(const Call& call, Chain& chain, const Reply& reply);
  void remove_user(const Call& call, Chain& chain, const Reply& reply);

  const Authentication::Member* member(const Call& call, const Chain& chain, const Reply& reply) const;
  /// The provider, so that its users live while they are used; null after an answer.
  std::shared_ptr<access::authn::Provider> with_users(const Call& call, const Chain& chain, const Reply& reply) const;
  /// What may take its time: hashing, the disk. The answer is given on the management thread.
  void later(const Reply& reply, std::function<Response()> work);
  /// From a worker.
  void answer(const Reply& reply, Response response);
  /// On a worker: the next step of an import, and the one after it as a task of its own.
  void import_on(const Reply& reply, const std::shared_ptr<access::authn::Provider>& provider,
                 const std::shared_ptr<access::authn::UserImport>& import);

  management::Service& service_;
  config::ConfigStore& store_;
  Authentication& authentication_;
  const bool of_listeners_;
};

json::value shown(const Value& authenticator) {
  json::value out = json::parse(config::to_json(authenticator, {.reveal = false, .pretty = false}));
  out.as_object()["id"] = config::authn_id(authenticator);
  return out;
}

json::object to_json(const UserDirectory::Entry& user) {
  return {{"user_id", user.user_id}, {"is_superuser", user.superuser}};
}

Response not_found(std::string_view id) {
  return Response::error(404, "NOT_FOUND", fmt::format("Authenticator '{}' does not exist", id));
}

Response too_busy() {
  return Response::error(503, "SERVICE_UNAVAILABLE", "too much to do, try again later");
}

Response failure(const Error& error) {
  switch (error.code) {
    case Errc::NotFound:
      return Response::error(404, "NOT_FOUND", "User not found");
    case Errc::Exists:
      return Response::error(409, "ALREADY_EXISTS", "User already exists");
    case Errc::Io:
    case Errc::Unavailable:
      return Response::error(500, "INTERNAL_ERROR", error.what);
    default:
      return Response::error(400, "BAD_REQUEST", error.what);
  }
}

/// Body as a tree of the configuration; null after an answer.
std::optional<Value> body_of(const Call& call, const Reply& reply) {
  json::value body = call.body;
  if (auto* fields = body.if_object()) fields->erase("id");  // what GET adds
  auto value = config::parse_value(json::serialize(body), "request");
  if (!value) {
    reply(Response::error(400, "BAD_REQUEST", "not an authenticator"));
    return std::nullopt;
  }
  // A file may say more, which is clamped there (access-control 3).
  const Value* name = value->at_path("password_hash_algorithm.name");
  const Value* rounds = value->at_path("password_hash_algorithm.salt_rounds");
  if (name && rounds && name->text() == "bcrypt") {
    const std::int64_t* number = rounds->if_int();
    if (!number || *number < kRoundsMin || *number > kRoundsMax) {
      reply(http::refusal(
          {{"password_hash_algorithm.salt_rounds", "out_of_range",
            fmt::format("a number from {} to {}", kRoundsMin, kRoundsMax), json::value(rounds->text())}}));
      return std::nullopt;
    }
  }
  return *std::move(value);
}

void Api::list(const Call&, Chain& chain, const Reply& reply) {
  json::array out;
  for (const Value& one : chain.members()) out.push_back(shown(one));
  reply(Response::of(std::move(out)));
}

void Api::create(const Call& call, Chain& chain, const Reply& reply) {
  const auto value = body_of(call, reply);
  if (!value) return;
  const std::string id = config::authn_id(*value);
  auto members = chain.members();
  if (chain.find(id))
    return reply(Response::error(409, "ALREADY_EXISTS", fmt::format("Authenticator '{}' exists already", id)));
  members.push_back(*value);
  const std::size_t last = members.size() - 1;
  if (auto refused = chain.replace(std::move(members), last)) return reply(*std::move(refused));
  const auto stored = chain.find(id);
  reply(stored ? Response::of(shown(*stored)) : not_found(id));
}

void Api::show(const Call& call, Chain& chain, const Reply& reply) {
  const auto stored = chain.find(call.text("id"));
  reply(stored ? Response::of(shown(*stored)) : not_found(call.text("id")));
}

void Api::change(const Call& call, Chain& chain, const Reply& reply) {
  const std::string id = call.text("id");
  if (!chain.find(id)) return reply(not_found(id));
  auto value = body_of(call, reply);
  if (!value) return;
  if (config::authn_id(*value) != id)
    return reply(Response::error(400, "BAD_REQUEST", fmt::format("the type of '{}' cannot be changed", id)));
  auto members = chain.members();
  const std::size_t at = management::position_of(members, config::authn_id, id);
  members[at] = *std::move(value);
  const auto provider_of = [&] {
    const auto* found = authentication_.find(chain.id(), id);
    return found ? found->provider.get() : nullptr;
  };
  const auto* before = provider_of();
  if (auto refused = chain.replace(std::move(members), at)) return reply(*std::move(refused));
  if (before && before == provider_of() && service_.environment().refresh_access) {
    // The settings are the same: then it is their files that have changed.
    authentication_.set_stale(chain.id(), id, true);
    const auto renewed = service_.environment().refresh_access();
    authentication_.set_stale(chain.id(), id, false);
    if (!renewed) return reply(Response::error(400, "BAD_REQUEST", renewed.error().what));
  }
  reply(Response::empty());
}

void Api::remove(const Call& call, Chain& chain, const Reply& reply) {
  const std::string id = call.text("id");
  auto members = chain.members();
  if (std::erase_if(members, [&](const Value& one) { return config::authn_id(one) == id; }) == 0)
    return reply(not_found(id));
  if (auto refused = chain.replace(std::move(members))) return reply(*std::move(refused));
  reply(Response::empty());
}

const Authentication::Member* Api::member(const Call& call, const Chain& chain, const Reply& reply) const {
  const auto* found = authentication_.find(chain.id(), call.text("id"));
  if (!found) reply(not_found(call.text("id")));
  return found;
}

void Api::status(const Call& call, Chain& chain, const Reply& reply) {
  const auto* found = member(call, chain, reply);
  if (!found) return;
  const auto load = [](const auto& counter) { return counter.load(std::memory_order_relaxed); };
  const access::SourceCounts& counts = *found->counts;
  const json::object metrics = {{"total", load(counts.total)},   {"success", load(counts.allow)},
                                {"failed", load(counts.deny)},   {"nomatch", load(counts.nomatch)},
                                {"rate", counts.rate.current()}, {"rate_last5m", counts.rate.last_5m()},
                                {"rate_max", counts.rate.most()}};
  using State = access::authn::Provider::State;
  const auto state = found->runs() ? found->provider->state()
                                   : State{access::authn::Health::Disconnected, "the authenticator is disabled"};
  const std::string& node = service_.environment().node;
  const json::object asked = management::to_json(found->provider ? found->provider->resource() : nullptr);
  json::array errors;
  if (!state.reason.empty()) errors.push_back(json::object{{"node", node}, {"reason", state.reason}});
  reply(Response::of(json::object{
      {"status", access::authn::to_string(state.health)},
      {"metrics", metrics},
      {"resource_metrics", asked},
      {"node_status", json::array{json::object{{"node", node}, {"status", access::authn::to_string(state.health)}}}},
      {"node_metrics", json::array{json::object{{"node", node}, {"metrics", metrics}}}},
      {"node_resource_metrics", json::array{json::object{{"node", node}, {"metrics", asked}}}},
      {"node_error", std::move(errors)}}));
}

void Api::move(const Call& call, Chain& chain, const Reply& reply) {
  const std::string id = call.text("id");
  if (!chain.find(id)) return reply(not_found(id));
  auto members = management::moved(chain.members(), config::authn_id, id, call.text("position"));
  if (!members) return reply(Response::error(400, "BAD_REQUEST", "Invalid value for 'position'"));
  if (auto refused = chain.replace(*std::move(members))) return reply(*std::move(refused));
  reply(Response::empty());
}

void Api::order(const Call& call, Chain& chain, const Reply& reply) {
  std::vector<std::string> ids;
  for (const auto& one : call.body.get_array()) ids.emplace_back(std::string_view(one.at("id").get_string()));
  auto members = management::in_order(chain.members(), config::authn_id, ids);
  if (!members) return reply(Response::error(400, "BAD_REQUEST", members.error().what));
  auto refused = chain.replace(*std::move(members));
  reply(refused ? *std::move(refused) : Response::empty());
}

std::shared_ptr<access::authn::Provider> Api::with_users(const Call& call, const Chain& chain,
                                                         const Reply& reply) const {
  const auto* found = member(call, chain, reply);
  if (!found) return nullptr;
  if (found->provider && found->provider->users()) return found->provider;
  reply(Response::error(400, "BAD_REQUEST", fmt::format("'{}' has no users of its own", call.text("id"))));
  return nullptr;
}

void Api::later(const Reply& reply, std::function<Response()> work) {
  const bool taken = authentication_.workers().try_run_later(
      [self = shared_from_this(), reply, work = std::move(work)] { self->answer(reply, work()); });
  if (!taken) reply(too_busy());
}

void Api::answer(const Reply& reply, Response response) {
  service_.loop().post([reply, response = std::move(response)] { reply(response); });
}

void Api::import(const Call& call, Chain& chain, const Reply& reply) {
  const auto provider = with_users(call, chain, reply);
  if (!provider) return;
  const std::string& type = call.request.content_type;
  FormFile file;
  if (auto form = form_file(type, call.request.body)) {
    file = *std::move(form);
  } else if (type.starts_with("application/json") || type.starts_with("text/csv")) {  // 5.5
    file = {type.starts_with("text/csv") ? "users.csv" : "users.json", call.request.body};
  } else {
    return reply(Response::error(400, "BAD_REQUEST", "expected a form whose part 'filename' is a .csv or .json file"));
  }
  if (file.name.find_first_of("/\\") != std::string::npos || file.name.starts_with("."))
    return reply(Response::error(400, "BAD_REQUEST", "the file's name is a path"));
  const auto read = [self = shared_from_this(), reply, provider, file = std::make_shared<FormFile>(std::move(file)),
                     plain = call.text("type") == "plain"] {
    auto import = provider->users()->import(file->name, file->content, plain);
    if (!import) return self->answer(reply, failure(import.error()));
    self->import_on(reply, provider, std::make_shared<access::authn::UserImport>(*std::move(import)));
  };
  if (!authentication_.workers().try_run_later(read)) reply(too_busy());
}

void Api::import_on(const Reply& reply, const std::shared_ptr<access::authn::Provider>& provider,
                    const std::shared_ptr<access::authn::UserImport>& import) {
  const auto imported = import->step();
  if (!imported && imported.error().code == Errc::NotFound)  // deleted meanwhile
    return answer(reply, Response::error(404, "NOT_FOUND", imported.error().what));
  if (!imported && imported.error().code == Errc::Busy)  // changed meanwhile
    return answer(reply, Response::error(409, "CONFLICT", imported.error().what));
  if (!imported) return answer(reply, failure(imported.error()));
  if (*imported) return answer(reply, Response::empty());
  const auto next = [self = shared_from_this(), reply, provider, import] { self->import_on(reply, provider, import); };
  if (!authentication_.workers().try_run_later(next)) answer(reply, too_busy());
}

void Api::users(const Call& call, Chain& chain, const Reply& reply) {
  const auto provider = with_users(call, chain, reply);
  if (!provider) return;
  const http::Paging paging = http::paging_of(call);
  access::authn::UserQuery query;
  query.skip = paging.skip();
  query.limit = paging.limit;
  query.like_user_id = call.find_text("like_user_id");
  query.superuser = call.find_flag("is_superuser");
  const auto page = provider->users()->list(query);
  json::array rows = http::rows_of(page.rows, [](const auto& user) { return to_json(user); });
  const bool more = page.count > paging.skip() + rows.size();
  reply(Response::of(
      http::page_answer(std::move(rows), paging, query.like_user_id ? std::nullopt : std::optional(page.count), more)));
}

void Api::add_user(const Call& call, Chain& chain, const Reply& reply) {
  const auto provider = with_users(call, chain, reply);
  if (!provider) return;
  const json::object& body = call.object();
  UserDirectory::Entry user{std::string(std::string_view(body.at("user_id").get_string())),
                            body.contains("is_superuser") && body.at("is_superuser").get_bool()};
  later(reply, [provider, user = std::move(user),
                password = Secret(std::string(std::string_view(body.at("password").get_string())))] {
    const auto added = provider->users()->add(user.user_id, password.reveal(), user.superuser);
    return added ? Response::of(to_json(user), 201) : failure(added.error());
  });
}

void Api::show_user(const Call& call, Chain& chain, const Reply& reply) {
  const auto provider = with_users(call, chain, reply);
  if (!provider) return;
  const auto user = provider->users()->find(call.text("user_id"));
  reply(user ? Response::of(to_json(*user)) : failure({Errc::NotFound, ""}));
}

void Api::change_user(const Call& call, Chain& chain, const Reply& reply) {
  const auto provider = with_users(call, chain, reply);
  if (!provider) return;
  const json::object& body = call.object();
  std::optional<Secret> password;
  std::optional<bool> superuser;
  if (const auto* text = body.if_contains("password"))
    password.emplace(std::string(std::string_view(text->get_string())));
  if (const auto* flag = body.if_contains("is_superuser")) superuser = flag->get_bool();
  if (!password && !superuser) return reply(Response::error(400, "BAD_REQUEST", "expected password or is_superuser"));
  later(reply, [provider, id = call.text("user_id"), password = std::move(password), superuser] {
    const auto changed = provider->users()->update(
        id, password ? std::optional(std::string_view(password->reveal())) : std::nullopt, superuser);
    return changed ? Response::of(to_json(*changed)) : failure(changed.error());
  });
}

void Api::remove_user(const Call& call, Chain& chain, const Reply& reply) {
  const auto provider = with_users(call, chain, reply);
  if (!provider) return;
  later(reply, [provider, id = call.text("user_id")] {
    const auto erased = provider->users()->erase(id);
    return erased ? Response::empty() : failure(erased.error());
  });
}

void Api::add_to(http::Table& table) {
  using http::Method;
  const std::string base = of_listeners_ ? "/api/v5/listeners/{listener_id}/authentication" : "/api/v5/authentication";
  const auto authenticator = schema::open_object({{"mechanism", schema::string(1), true, "How clients are proved"}});
  const auto user = schema::object({{"user_id", schema::string(1), true, "Username or client id"},
                                    {"is_superuser", schema::boolean(), false, "Whether everything is allowed to it"}});
  const auto gone = http::fault(404, "No such authenticator, user or listener");
  const auto bad = http::fault(400, "Bad request");
  const auto add = [&](Method method, const std::string& path, std::string summary,
                       std::vector<http::Parameter> parameters, std::optional<http::Schema> body,
                       std::vector<http::Answer> answers, Fn fn) {
    std::vector<http::Parameter> all;
    if (of_listeners_) all.push_back(http::path_parameter("listener_id", "Type and name of the listener, tcp:default"));
    if (path.find("{id}") != std::string::npos) all.push_back(http::path_parameter("id", "mechanism:backend"));
    if (path.find("{user_id}") != std::string::npos) all.push_back(http::path_parameter("user_id", "User"));
    for (http::Parameter& one : parameters) all.push_back(std::move(one));
    http::Endpoint endpoint;
    endpoint.method = method;
    endpoint.path = base + path;
    endpoint.tag = "Authentication";
    endpoint.access = method == Method::Get ? http::Access::Viewer : http::Access::Administrator;
    endpoint.summary = std::move(summary);
    endpoint.parameters = std::move(all);
    endpoint.body = std::move(body);
    endpoint.answers = std::move(answers);
    endpoint.hidden = of_listeners_;  // deprecated there
    endpoint.handler = with(fn);
    table.add(std::move(endpoint));
  };
  add(Method::Get, "", "List the authenticator chain in order", {}, {}, {http::ok(schema::array(authenticator))},
      &Api::list);
  add(Method::Post, "", "Append an authenticator to the chain", {}, authenticator,
      {http::ok(authenticator), bad, http::fault(409, "It is in the chain already")}, &Api::create);
  add(Method::Put, "/order", "Put the whole chain in this order; every authenticator is named", {},
      schema::array(schema::object({{"id", schema::string(1), true, "mechanism:backend"}})), {http::no_content(), bad},
      &Api::order);
  add(Method::Get, "/{id}", "Read one authenticator", {}, {}, {http::ok(authenticator), gone}, &Api::show);
  add(Method::Put, "/{id}", "Replace the settings of one authenticator", {}, authenticator,
      {http::no_content(), bad, gone}, &Api::change);
  add(Method::Delete, "/{id}", "Drop one authenticator", {}, {}, {http::no_content(), gone}, &Api::remove);
  add(Method::Get, "/{id}/status", "Connection status and counters of an authenticator, cluster-wide and per node", {},
      {}, {http::ok(schema::open_object()), gone}, &Api::status);
  add(Method::Put, "/{id}/position/{position}", "Reorder an authenticator: front, rear, before:ID, after:ID",
      {http::path_parameter("position", "front, rear, before:ID or after:ID")}, {}, {http::no_content(), bad, gone},
      &Api::move);
  http::Parameter type =
      http::query_parameter("type", schema::choice({"hash", "plain"}), "Whether the file holds hashes or passwords");
  type.fallback = "hash";
  add(Method::Post, "/{id}/import_users", "Load users into the built-in database from an uploaded CSV or JSON file",
      {std::move(type)}, {},
      {http::no_content(), bad, gone, http::fault(409, "The authenticator was changed during the import")},
      &Api::import);
  add(Method::Get, "/{id}/users", "Page through built-in database users",
      http::with_paging({http::query_parameter("like_user_id", schema::string(), "Part of the user id"),
                         http::query_parameter("is_superuser", schema::boolean(), "Superusers, or the others")}),
      {}, {http::ok(http::page_of(user)), gone}, &Api::users);
  add(Method::Post, "/{id}/users", "Add a built-in database user", {},
      schema::object({{"user_id", schema::string(1), true, "Username or client id"},
                      {"password", schema::string(0), true, "Password"},
                      {"is_superuser", schema::boolean(), false, "Whether everything is allowed to it"}}),
      {http::Answer{201, "Added", user}, bad, gone, http::fault(409, "User already exists")}, &Api::add_user);
  add(Method::Get, "/{id}/users/{user_id}", "Read one built-in database user", {}, {}, {http::ok(user), gone},
      &Api::show_user);
  add(Method::Put, "/{id}/users/{user_id}", "Change password or superuser flag of a user", {},
      schema::object({{"password", schema::string(0), false, "New password"},
                      {"is_superuser", schema::boolean(), false, "Whether everything is allowed to it"}}),
      {http::ok(user), bad, gone}, &Api::change_user);
  add(Method::Delete, "/{id}/users/{user_id}", "Remove a built-in database user", {}, {}, {http::no_content(), gone},
      &Api::remove_user);
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  const management::Environment& environment = api.service.environment();
  if (!environment.config || !environment.authentication) return;
  for (const bool of_listeners : {false, true}) std::make_shared<Api>(api.service, of_listeners)->add_to(api.table);
}

}  // namespace sb::plugins::api::authentication
