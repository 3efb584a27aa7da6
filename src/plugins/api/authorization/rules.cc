#include "plugins/api/authorization/rules.h"

#include "access/authz/rule_json.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <set>

namespace sb::plugins::api::authorization {

using access::authz::Holder;
using access::authz::RuleSetRef;
using access::authz::RuleTable;
using access::authz::RuleText;
using http::Call;
using http::Reply;
using http::Response;
namespace json = http::json;
namespace schema = http::schema;

namespace {
constexpr std::string_view kBase = "/api/v5/authorization/sources/built_in_database/rules";

Response failure(const Error& error) {
  switch (error.code) {
    case Errc::NotFound:
      return Response::error(404, "NOT_FOUND", "Not Found");
    case Errc::Exists:
      return Response::error(409, "ALREADY_EXISTS", error.what);
    case Errc::Io:
    case Errc::Unavailable:
      return Response::error(500, "INTERNAL_ERROR", error.what);
    default:
      return Response::error(400, "BAD_REQUEST", error.what);
  }
}

json::value rules_of(const RuleSetRef& set) {
  if (!set) return json::array{};
  return json::parse(access::authz::rules_to_json(set->texts));
}

class Rules : public std::enable_shared_from_this<Rules> {
 public:
  Rules(management::Service& service, std::function<BuiltIn()> built_in)
      : service_(service), authorization_(*service.environment().authorization), built_in_(std::move(built_in)) {}

  void add_to(http::Table& table);

 private:
  using Fn = void (Rules::*)(Holder, const Call&, const Reply&);
  http::Handler with(Holder holder, Fn fn) {
    return [self = shared_from_this(), holder, fn](const Call& call, const Reply& reply) {
      if (!self->built_in_().configured)
        return reply(Response::error(404, "NOT_FOUND", "The source built_in_database is not configured"));
      (self.get()->*fn)(holder, call, reply);
    };
  }
  void list(Holder holder, const Call& call, const Reply& reply);
  void add(Holder holder, const Call& call, const Reply& reply);
  void show(Holder holder, const Call& call, const Reply& reply);
  void put(Holder holder, const Call& call, const Reply& reply);
  void erase(Holder holder, const Call& call, const Reply& reply);
  void show_all(Holder holder, const Call& call, const Reply& reply);
  void purge(Holder holder, const Call& call, const Reply& reply);
  /// What waits for the disk. The answer is given on the management thread.
  void later(const Reply& reply, std::function<Result<>()> work);

  management::Service& service_;
  access::authz::Authorization& authorization_;
  std::function<BuiltIn()> built_in_;
};

/// "username" or "clientid"
std::string name_of(Holder holder) {
  return std::string(access::authz::to_string(holder));
}

Result<std::vector<RuleText>> rules_in(const json::object& body) {
  const json::value* rules = body.if_contains("rules");
  return access::authz::rules_from_json(rules ? json::serialize(*rules) : "null");
}

void Rules::later(const Reply& reply, std::function<Result<>()> work) {
  const bool taken = authorization_.workers().try_run_later([self = shared_from_this(), reply, work = std::move(work)] {
    const auto done = work();
    self->service_.loop().post([reply, answer = done ? Response::empty() : failure(done.error())] { reply(answer); });
  });
  if (!taken) reply(Response::error(503, "SERVICE_UNAVAILABLE", "too much to do, try again later"));
}

void Rules::list(Holder holder, const Call& call, const Reply& reply) {
  const http::Paging paging = http::paging_of(call);
  const auto like = call.find_text("like_" + name_of(holder));
  const RuleTable::Page page = authorization_.rules().list(holder, paging.skip(), paging.limit, like);
  json::array rows = http::rows_of(page.rows, [&](const RuleSetRef& set) {
    return json::object{{name_of(holder), set->who}, {"rules", rules_of(set)}};
  });
  const bool more = paging.skip() + page.rows.size() < page.count;
  reply(
      Response::of(http::page_answer(std::move(rows), paging, like ? std::nullopt : std::optional(page.count), more)));
}

void Rules::add(Holder holder, const Call& call, const Reply& reply) {
  std::vector<RuleTable::Stored> rows;
  std::set<std::string> named;
  for (const json::value& one : call.body.as_array()) {
    const json::object& row = one.as_object();
    RuleTable::Stored stored;
    stored.holder = holder;
    stored.who = std::string_view(row.at(name_of(holder)).get_string());
    if (!named.insert(stored.who).second)
      return reply(Response::error(400, "BAD_REQUEST", fmt::format("{} '{}' twice", name_of(holder), stored.who)));
    auto rules = rules_in(row);
    if (!rules) return reply(failure(rules.error()));
    stored.rules = *std::move(rules);
    rows.push_back(std::move(stored));
  }
  later(reply,
        [&table = authorization_.rules(), epoch = authorization_.rules().epoch(), holder,
         rows = std::move(rows)]() -> Result<> {
          auto added = table.add(holder, rows, epoch);
          if (!added && added.error().code == Errc::Exists)
            return fail(Errc::Exists,
                        fmt::format("{} '{}' already exist", holder == Holder::Username ? "Users" : "Clients",
                                    added.error().what));
          return added;
        });
}

void Rules::show(Holder holder, const Call& call, const Reply& reply) {
  const std::string who = call.text(name_of(holder));
  const RuleSetRef set = authorization_.rules().find(holder, who);
  if (!set) return reply(failure({Errc::NotFound, ""}));
  reply(Response::of(json::object{{name_of(holder), who}, {"rules", rules_of(set)}}));
}

void Rules::put(Holder holder, const Call& call, const Reply& reply) {
  std::string who;
  if (holder != Holder::All) {
    who = call.text(name_of(holder));
    const json::value* named = call.object().if_contains(name_of(holder));
    if (named && named->get_string() != who)
      return reply(Response::error(400, "BAD_REQUEST", fmt::format("{} differs from the path", name_of(holder))));
  }
  auto rules = rules_in(call.object());
  if (!rules) return reply(failure(rules.error()));
  later(reply, [&table = authorization_.rules(), epoch = authorization_.rules().epoch(), holder, who = std::move(who),
                rules = *std::move(rules)] { return table.put(holder, who, rules, epoch); });
}

void Rules::erase(Holder holder, const Call& call, const Reply& reply) {
  std::string who = holder == Holder::All ? std::string() : call.text(name_of(holder));
  later(reply, [&table = authorization_.rules(), holder, who = std::move(who)]() -> Result<> {
    auto erased = table.erase(holder, who);
    // Rules of everybody are always there, if only as an empty list.
    if (!erased && erased.error().code == Errc::NotFound && holder == Holder::All) return {};
    return erased;
  });
}

void Rules::show_all(Holder holder, const Call&, const Reply& reply) {
  reply(Response::of(json::object{{"rules", rules_of(authorization_.rules().find(holder, ""))}}));
}

void Rules::purge(Holder, const Call&, const Reply& reply) {
  if (built_in_().enabled)
    return reply(Response::error(400, "BAD_REQUEST", "'built_in_database' type source must be disabled before purge."));
  later(reply, [&table = authorization_.rules()] { return table.clear(); });
}

void Rules::add_to(http::Table& table) {
  using http::Method;
  const auto rule = schema::open_object({{"topic", schema::string(1), true, "Topic filter; may begin with eq"},
                                         {"permission", schema::choice({"allow", "deny"}), true, "What it means"},
                                         {"action", schema::choice({"publish", "subscribe", "all"}), true, "Of what"}});
  const std::vector<http::Field> rules = {{"rules", schema::array(rule, RuleTable::kRulesMax), true, "In order"}};
  const auto gone = http::fault(404, "No such rules, or the source is not configured");
  const auto bad = http::fault(400, "Bad request");
  const auto endpoint = [&](Method method, std::string_view path, std::string summary, Holder holder, Fn fn,
                            std::optional<http::Schema> body, std::vector<http::Answer> answers,
                            std::vector<http::Parameter> parameters = {}) {
    http::Endpoint out;
    out.method = method;
    out.path = std::string(kBase) + std::string(path);
    out.tag = "Authorization";
    out.access = method == Method::Get ? http::Access::Viewer : http::Access::Administrator;
    out.summary = std::move(summary);
    out.parameters = std::move(parameters);
    if (path.ends_with("}")) out.parameters.push_back(http::path_parameter(name_of(holder), "Whose rules"));
    out.body = std::move(body);
    out.answers = std::move(answers);
    out.handler = with(holder, fn);
    table.add(std::move(out));
  };
  endpoint(Method::Delete, "", "Delete every built-in rule (source must be disabled)", Holder::All, &Rules::purge, {},
           {http::no_content(), bad, gone});
  endpoint(Method::Get, "/all", "Read the rules that apply to every client", Holder::All, &Rules::show_all, {},
           {http::ok(schema::object(rules)), gone});
  endpoint(Method::Post, "/all", "Write the rules that apply to every client", Holder::All, &Rules::put,
           schema::object(rules), {http::no_content(), bad, gone});
  endpoint(Method::Delete, "/all", "Delete the rules that apply to every client", Holder::All, &Rules::erase, {},
           {http::no_content(), gone});
  for (const Holder holder : {Holder::Username, Holder::ClientId}) {
    const bool users = holder == Holder::Username;
    const std::string path = users ? "/users" : "/clients";
    const std::string one = path + (users ? "/{username}" : "/{clientid}");
    const std::string what = users ? "username" : "client ID";
    std::vector<http::Field> named = rules;
    named.insert(named.begin(), {name_of(holder), schema::string(1), true, "Whose rules"});
    std::vector<http::Field> maybe_named = rules;
    maybe_named.push_back({name_of(holder), schema::string(1), false, "As in the path"});
    endpoint(
        Method::Get, path, "Page through per-" + what + " rule sets", holder, &Rules::list, {},
        {http::ok(http::page_of(schema::object(named))), gone},
        http::with_paging({http::query_parameter("like_" + name_of(holder), schema::string(), "Part of the name")}));
    endpoint(Method::Post, path, "Add rule sets for several names", holder, &Rules::add,
             schema::array(schema::object(named)),
             {http::no_content(), bad, gone, http::fault(409, "There are rules already")});
    endpoint(Method::Get, one, "Read the rule set of one " + what, holder, &Rules::show, {},
             {http::ok(schema::object(named)), gone});
    endpoint(Method::Put, one, "Write the rule set of one " + what, holder, &Rules::put, schema::object(maybe_named),
             {http::no_content(), bad, gone});
    endpoint(Method::Delete, one, "Delete the rule set of one " + what, holder, &Rules::erase, {},
             {http::no_content(), gone});
  }
}
}  // namespace

void add_rules(http::Table& table, management::Service& service, std::function<BuiltIn()> built_in) {
  std::make_shared<Rules>(service, std::move(built_in))->add_to(table);
}

}  // namespace sb::plugins::api::authorization
