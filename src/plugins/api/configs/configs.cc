// The configuration while the node runs (management-api 2.18).
#include "access/acl.h"
#include "base/regular_file.h"
#include "http/refused_change.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <filesystem>

namespace sb::plugins::api::configs {

namespace {
using config::ConfigStore;
using http::Call;
using http::Reply;
using http::Response;
namespace json = http::json;
namespace schema = http::schema;

/// Roots that a dump leaves out.
constexpr std::string_view kHidden[] = {"trace",   "stats", "broker", "persistent_session_store", "session_persistence",
                                        "plugins", "zones"};

constexpr std::string_view kReadOnly = "update_readonly_keys_prohibited";

bool hidden(std::string_view root) {
  return std::find(std::begin(kHidden), std::end(kHidden), root) != std::end(kHidden);
}

/// `here`: to somebody on this machine, whom places in the node's files help.
std::string told(const ConfigStore::Refusal& refusal, bool here) {
  const std::string text = here ? refusal.told_with_places() : refusal.told();
  return refusal.code == kReadOnly ? fmt::format("{}: {}", kReadOnly, text) : text;
}

/// {"<root>":{"kind":"validation_error","path":…,…}}; several mistakes of a root are an array, as in the messages of
/// 1.5.
std::string validation_text(const ConfigStore::Refusal& refusal) {
  json::object out;
  for (const auto& problem : refusal.problems) {
    const std::string root = problem.path.substr(0, problem.path.find('.'));
    if (root.empty()) return told(refusal, false);  // the text itself cannot be read
    json::object error = http::validation_error(problem, problem.path);
    const auto [at, first] = out.emplace(root, nullptr);
    json::value& errors = at->value();
    if (first) {
      errors = std::move(error);
      continue;
    }
    if (!errors.is_array()) errors = json::array{std::move(errors)};
    errors.get_array().push_back(std::move(error));
  }
  return out.empty() ? told(refusal, false) : json::serialize(out);
}

/// What the client wants of the two forms, quality values aside; nullopt: neither.
enum class Form : std::uint8_t { Hocon, Json };
std::optional<Form> form_of(std::string_view accept) {
  if (accept.empty() || accept.find("*/*") != accept.npos || accept.find("text/plain") != accept.npos)
    return Form::Hocon;
  if (accept.find("application/json") != accept.npos) return Form::Json;
  return std::nullopt;
}

/// The roots of the older form.
constexpr std::string_view kJsonRoots[] = {"dashboard", "alarm", "sys_topics", "sysmon", "log", "file_transfer"};

ConfigStore::Mode mode_of(const Call& call) {
  return call.text("mode") == "replace" ? ConfigStore::Mode::Replace : ConfigStore::Mode::Merge;
}

http::Parameter mode_parameter() {
  http::Parameter out =
      http::query_parameter("mode", schema::choice({"merge", "replace"}), "How roots that exist are changed");
  out.fallback = "merge";
  return out;
}

/// Rules that were sent to this node lie in a file of its own (access-control 7.2): they are shown themselves, for the
/// path means nothing on another node.
void show_rules(config::Value& shown, const std::string& data_dir) {
  config::Value* authorization = shown.find("authorization");
  config::Value* list = authorization ? authorization->find("sources") : nullptr;
  auto* sources = list ? list->if_array() : nullptr;
  if (!sources) return;
  const std::string own = (std::filesystem::path(data_dir) / "authz" / "acl.conf").string();
  for (config::Value& source : *sources) {
    const config::Value* path = source.find("path");
    if (!path || path->text() != own) continue;
    auto rules = read_regular_file(own, access::Acl::kTextMax);
    if (!rules) continue;
    config::erase(source, "path");
    source.if_object()->insert_or_assign("rules", config::Value(*std::move(rules)));
  }
}

void dump(ConfigStore& store, const std::string& node, const Call& call, const Reply& reply) {
  const config::Value& all = store.current()->effective;
  if (const auto wanted = call.find_text("node"); wanted && *wanted != node)
    return reply(Response::error(404, "NOT_FOUND", "Node not found: " + *wanted));
  const auto form = form_of(call.request.accept);
  if (!form) return reply(Response::error(400, "INVALID_ACCEPT", "text/plain or application/json is offered"));
  if (*form == Form::Json) {
    json::object out;
    for (const std::string_view root : kJsonRoots)
      if (const config::Value* value = all.find(root))
        out[root] = json::parse(config::to_json(*value, {.reveal = false, .pretty = false}));
    return reply(Response::of(std::move(out)));
  }
  const auto key = call.find_text("key");
  if (key) {
    const config::Value* root = all.at_path(*key);
    if (!root) return reply(Response::error(400, "BAD_REQUEST", fmt::format("no configuration key '{}'", *key)));
    config::Value only = config::Value::Object{};
    config::Problems problems;
    config::put(only, *key, *root, true, problems);
    show_rules(only, store.current()->node.data_dir);
    return reply(Response::text(config::to_hocon(only)));
  }
  config::Value shown = config::Value::Object{};
  if (const auto* roots = all.if_object())
    for (const auto& [name, value] : *roots)
      if (!hidden(name) || call.request.door == http::Door::Cli) shown.if_object()->emplace(name, value);
  show_rules(shown, store.current()->node.data_dir);
  reply(Response::text(config::to_hocon(shown)));
}

void answer(const ConfigStore::Outcome<ConfigStore::Change>& outcome, const Call& call, const Reply& reply) {
  // People read the lines that ctl prints; programs want the object of the reference.
  const bool cli = call.request.door == http::Door::Cli;
  if (!outcome) return reply(Response::text(cli ? told(outcome.error(), true) : validation_text(outcome.error()), 400));
  if (!cli) return reply(Response::empty(200));
  json::array roots;
  for (const std::string& root : outcome->roots) roots.emplace_back(root);
  json::array after_restart;
  for (const std::string& root : outcome->after_restart) after_restart.emplace_back(root);
  reply(Response::of(json::object{{"roots", std::move(roots)}, {"after_restart", std::move(after_restart)}}));
}
/// `ignore_readonly`: the roots that cannot change while the node runs are left out instead of refused.
ConfigStore::Outcome<ConfigStore::Change> load(ConfigStore& store, const Call& call) {
  if (!call.flag("ignore_readonly")) return store.update_text("", call.request.body, mode_of(call));
  config::Problems problems;
  config::Value roots = config::parse_document(call.request.body, "request", problems);
  if (!problems.empty()) return store.update_text("", call.request.body, mode_of(call));  // tells them
  if (auto* members = roots.if_object())
    std::erase_if(*members, [](const auto& member) { return config::read_only_root(member.first); });
  return store.update("", std::move(roots), mode_of(call));
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  if (!api.service.environment().config) return;
  ConfigStore& store = *api.service.environment().config;
  const std::string kTag = "Configs";
  api.table.add({http::Method::Get,
                 "/api/v5/configs",
                 kTag,
                 http::Access::Viewer,
                 "Dump the configuration as HOCON text",
                 {http::query_parameter("key", schema::string(1, 256), "Only this key"),
                  http::query_parameter("node", schema::string(1, 256), "Of this node")},
                 {},
                 false,
                 {{200, "HOCON", schema::string(), "text/plain"},
                  http::ok(schema::open_object()),
                  http::fault(400, "No such key"),
                  http::fault(404, "No such node")},
                 false,
                 [&store, node = api.service.environment().node](const Call& call, const Reply& reply) {
                   dump(store, node, call, reply);
                 }});
  api.table.add(
      {http::Method::Put,
       "/api/v5/configs",
       kTag,
       http::Access::Administrator,
       "Load a HOCON document, merging or replacing roots",
       {mode_parameter(), http::query_parameter("ignore_readonly", schema::boolean(), "Leave out what cannot change")},
       {},
       true,
       {{200, "Applied", {}, ""},
        {400, "What is wrong", schema::string(), "text/plain"},
        http::fault(400, "What is wrong")},
       false,
       [&store](const Call& call, const Reply& reply) { answer(load(store, call), call, reply); }});
  api.table.add(
      {http::Method::Post,
       "/api/v5/configs_reset/{rootname}",
       kTag,
       http::Access::Administrator,
       "Return a config root, or one key in it, to its default",
       {http::path_parameter("rootname", "Root"), http::query_parameter("conf_path", schema::string(), "Key in it")},
       {},
       false,
       {{200, "Done", {}, ""}, http::fault(400, "Refused")},
       false,
       [&store](const Call& call, const Reply& reply) {
         std::string path = call.text("rootname");
         if (const auto inner = call.find_text("conf_path")) path += "." + *inner;
         const auto outcome = store.reset(path);
         if (outcome) return reply(Response::empty(200));
         const std::string& code = outcome.error().code;
         reply(Response::error(400, code == kReadOnly ? "REST_FAILED" : code, outcome.error().told()));
       }});
  api.table.add({http::Method::Get,
                 "/api/v5/local/config_keys",
                 "Local",
                 http::Access::Viewer,
                 "Names of the config roots",
                 {},
                 {},
                 false,
                 {http::ok(schema::array(schema::string()))},
                 true,
                 [&store](const Call&, const Reply& reply) {
                   json::array names;
                   if (const auto* roots = store.current()->effective.if_object())
                     for (const auto& [name, value] : *roots) names.emplace_back(name);
                   reply(Response::of(std::move(names)));
                 }});
  api.table.add({http::Method::Post,
                 "/api/v5/local/config_reload",
                 "Local",
                 http::Access::Administrator,
                 "Read the main file again and apply it",
                 {mode_parameter()},
                 {},
                 false,
                 {{200, "Applied", schema::open_object()},
                  {400, "What is wrong", schema::string(), "text/plain"},
                  http::fault(400, "What is wrong")},
                 true,
                 [&store](const Call& call, const Reply& reply) { answer(store.reload(mode_of(call)), call, reply); }});
}

}  // namespace sb::plugins::api::configs
