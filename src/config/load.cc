#include "config/config.h"
#include "config/detail/layers.h"
#include "config/detail/parser.h"
#include "config/detail/pem_files.h"
#include "config/detail/schema_info.h"
#include "config/roots/log_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>

namespace sb::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnbuilt[] = {"gateway",
                                         "file_transfer",
                                         "rule_engine",
                                         "bridges",
                                         "connectors",
                                         "actions",
                                         "exhook",
                                         "plugins",
                                         "opentelemetry",
                                         "schema_registry",
                                         "telemetry",
                                         "sso",
                                         "node_rebalance",
                                         "sources",
                                         "schema_validation",
                                         "message_transformation",
                                         "durable_storage"};
/// Accepted without a word: they never did anything, or no longer do.
constexpr std::string_view kIgnored[] = {"persistent_session_store", "trace"};
constexpr std::string_view kReadOnly[] = {"node", "cluster", "rpc"};

template <class List>
bool contains(const List& list, std::string_view what) {
  return std::find(std::begin(list), std::end(list), what) != std::end(list);
}

/// Reads the chains of authenticators; the tree gets their checked form.
void check_authentication(Checker& c, Value& tree, Config& config, const LoadOptions& options) {
  if (Value* chain = tree.find("authentication")) {
    const Checker::Level level(c, "authentication");
    config.authn = read_authn_chain(c, *chain, options.built_authn, true);
    config.authentication = *chain;
  }
  for (auto* listeners : {&config.listeners.tcp, &config.listeners.ssl, &config.listeners.ws, &config.listeners.wss}) {
    for (auto& [name, l] : *listeners) {
      if (!l.authentication) continue;
      const Checker::Level a(c, "listeners");
      const Checker::Level b(c, std::string(to_string(l.type)));
      const Checker::Level d(c, l.name);
      const Checker::Level e(c, "authentication");
      AuthnChain chain = read_authn_chain(c, *l.authentication, options.built_authn, l.enable);
      if (!chain.empty()) config.listener_authn.emplace(l.id(), std::move(chain));
      if (Value* type = tree.find("listeners")) {
        type = type->find(to_string(l.type));
        Value* listener = type ? type->find(l.name) : nullptr;
        if (Value* shown = listener ? listener->find("authentication") : nullptr) *shown = *l.authentication;
      }
    }
  }
}

/// Reads each source by the keys of its kind; the tree gets their checked form.
void check_protection(Checker& c, Value& tree, Config& config, const LoadOptions& options) {
  const Checker::Level a(c, "authorization");
  const Checker::Level b(c, "sources");
  std::size_t n = 0;
  Value* root = tree.find("authorization");
  Value* list = root ? root->find("sources") : nullptr;
  Value::Array* values = list ? list->if_array() : nullptr;
  std::vector<std::string> seen;
  for (AuthzSource& source : config.authorization.sources) {
    const Checker::Level level(c, std::to_string(++n));
    if (std::find(seen.begin(), seen.end(), source.type) != seen.end())
      c.error(source.raw, "already_exists", fmt::format("at most one source {}", source.type), "");
    seen.push_back(source.type);
    const auto known = std::find_if(options.built_authz.begin(), options.built_authz.end(),
                                    [&](const AuthzKind& kind) { return kind.type == source.type; });
    if (known == options.built_authz.end()) {
      if (source.enable)
        c.error(
            source.raw, "not_built",
            fmt::format("this version has no authorization source {}; remove it or set enable = false", source.type),
            "");
      continue;
    }
    if (!known->schema || !values || n > values->size()) continue;
    Value& value = (*values)[n - 1];
    const std::size_t before = c.error_count();
    std::shared_ptr<void> settings = known->schema->make();
    c.read_object(*known->schema, value, settings.get());
    if (c.error_count() != before) continue;
    source.settings = std::move(settings);
    source.raw = value;
  }
}

/// Zones: the global roots with the zone's overrides on top, read once more as a whole.
void make_zones(Checker& c, const Value& raw, const Value& effective, Config& config, Problems& errors) {
  const auto global_values = [&] {
    Value::Object out;
    for (const Key& key : Zone::schema().keys) {
      // From what was written, so that defaults that depend on other keys are formed again below.
      const Value* written = raw.find(key.name);
      out.emplace(std::string(key.name), written && written->is_object() ? *written : Value(Value::Object{}));
    }
    return Value(std::move(out));
  };
  std::map<std::string, Zone> zones;
  const Value* overrides = effective.find("zones");
  const auto add = [&](const std::string& name, const Value* over) {
    const Checker::Level a(c, "zones");
    const Checker::Level b(c, name);
    Value tree = global_values();
    if (over) merge(tree, *over, errors, "zones." + name);
    prune(tree);
    Zone zone;
    c.read_object(Zone::schema(), tree, &zone);
    zones.insert_or_assign(name, std::move(zone));
  };
  add("default", overrides ? overrides->find("default") : nullptr);
  if (overrides && overrides->is_object()) {
    for (const auto& [name, over] : *overrides->if_object()) {
      if (name != "default") add(name, &over);
    }
  }
  config.zones = std::move(zones);
}

/// Tells listeners that somebody wrote down from those that are there by default.
void note_written(const Value& raw, Listeners& listeners) {
  for (auto* map : {&listeners.tcp, &listeners.ssl, &listeners.ws, &listeners.wss})
    for (auto& [name, listener] : *map)
      listener.written =
          raw.at_path(fmt::format("listeners.{}.{}", to_string(listener.type), listener.name)) != nullptr;
}

struct Taken {
  Bind address;
  std::string path;
  std::string name;  // as people know it
  bool written;
};

bool overlap(const Bind& a, const Bind& b) {
  const auto host = [](const Bind& bind) { return bind.host.empty() ? std::string_view("0.0.0.0") : bind.host; };
  const auto all = [&](const Bind& bind) { return host(bind) == "0.0.0.0" || host(bind) == "::"; };
  return a.port == b.port && a.v6() == b.v6() && (host(a) == host(b) || all(a) || all(b));
}

/// No two listen on one address. It is told of the later one, but not where that is there by default only.
void take_address(Checker& c, const Value& tree, Taken fresh, std::vector<Taken>& all) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Taken& other) { return overlap(other.address, fresh.address); });
  if (found != all.end()) {
    const bool later = fresh.written || !found->written;
    const Taken& blamed = later ? fresh : *found;
    std::deque<Checker::Level> levels;
    for (std::string_view rest = blamed.path; !rest.empty();) {
      const std::size_t dot = std::min(rest.find('.'), rest.size());
      levels.emplace_back(c, std::string(rest.substr(0, dot)));
      rest.remove_prefix(std::min(dot + 1, rest.size()));
    }
    if (const Value* node = tree.at_path(blamed.path); node && node->is_object())
      c.broken(*node, "bind", "address_in_use",
               fmt::format("an address that {} does not have", later ? found->name : fresh.name));
  }
  all.push_back(std::move(fresh));
}

void check_listeners(Checker& c, const Value& raw, const Value& tree, const Config& config) {
  std::vector<Taken> taken;
  const auto dashboard = [&](const std::string& path, const DashboardListener& own) {
    // One that nobody wrote down gives way.
    if (own.bind.port == 0 || !raw.at_path(path)) return;
    Bind address = own.bind;
    if (address.host.empty() && own.inet6) address.host = "::";
    take_address(c, tree, {std::move(address), path, path, true}, taken);
  };
  dashboard("dashboard.listeners.http", config.dashboard.listeners.http);
  dashboard("dashboard.listeners.https", config.dashboard.listeners.https);
  config.listeners.for_each([&](const Listener& l) {
    const std::string path = fmt::format("listeners.{}.{}", to_string(l.type), l.name);
    const Value* node = tree.at_path(path);
    if (!node || !node->is_object()) return;
    {
      const Checker::Level a(c, "listeners");
      const Checker::Level b(c, std::string(to_string(l.type)));
      const Checker::Level d(c, l.name);
      const Value* zone = node->find("zone");
      if (zone && zone->is_string() && l.zone != "default" && !config.zones.contains(l.zone))
        c.broken(*node, "zone", "unknown_zone", "default or a name below zones");
    }
    if (l.enable && l.bind.port != 0) take_address(c, tree, {l.bind, path, l.id(), l.written}, taken);
  });
}

void note_roots(const Value& all, const LoadOptions& options, Problems& warnings) {
  std::vector<std::string> unbuilt;
  for (const auto& [root, value] : *all.if_object()) {
    if (value.is_null()) continue;
    if (unbuilt_root(root, options))
      unbuilt.push_back(root);
    else if (!detail::known_root(root, options))
      warnings.add({.file = value.at.file ? *value.at.file : std::string(),
                    .line = value.at.line,
                    .path = root,
                    .reason = "config_key_not_recognized",
                    .value = {},
                    .expected = detail::known_root_near(root)});
  }
  const Value* quic = all.at_path("listeners.quic");
  if (quic && !quic->is_null() && !contains(options.built_roots, "listeners.quic")) unbuilt.push_back("listeners.quic");
  const Value* discovery = all.at_path("cluster.discovery_strategy");
  if (discovery && discovery->text() != "manual" && !contains(options.built_roots, "cluster"))
    unbuilt.push_back("cluster.discovery_strategy");
  if (!unbuilt.empty()) {
    warnings.add({.file = {},
                  .line = 0,
                  .path = {},
                  .reason = "config_not_used",
                  .value = {},
                  .expected = fmt::format("these parts are accepted but this version does nothing with them: {}",
                                          fmt::join(unbuilt, ", "))});
  }
}

bool has_file(const std::string& path, const LoadOptions& options) {
  if (options.read) return options.read(path).has_value();
  std::error_code ec;
  return fs::exists(path, ec);
}

/// Where changes at run time are kept. Older versions kept them in another file, which then still counts.
std::string cluster_file_in(const fs::path& configs, const LoadOptions& options) {
  const std::string old = (configs / "cluster-override.conf").string();
  return has_file(old, options) ? old : (configs / "cluster.hocon").string();
}

/// Names that path values refer to, resolved where the environment leaves them out.
std::map<std::string, std::string> path_environment(const LoadOptions& options, const std::string& data_dir) {
  std::map<std::string, std::string> env = options.env;
  const fs::path folder = fs::path(options.main_file).parent_path();
  std::string etc = detail::env_value(env, "ETC_DIR");
  if (etc.empty()) etc = options.main_file.empty() ? "etc" : (folder.empty() ? "." : folder.string());
  std::string log = detail::env_value(env, "LOG_DIR");
  if (log.empty()) log = data_dir + "/log";
  for (const char* prefix : {"EMQX_", "SIGNALBOX_"}) {
    env[std::string(prefix) + "DATA_DIR"] = data_dir;
    env[std::string(prefix) + "ETC_DIR"] = etc;
    env[std::string(prefix) + "LOG_DIR"] = log;
  }
  return env;
}

/// The default source is a file that a package brings. Where it is not there its rules count nevertheless, so that
/// nothing is open that it would close. The file that is missing, or "".
std::string use_shipped_rules(Value& all, const std::map<std::string, std::string>& env, const LoadOptions& options) {
  const auto given = [](const Value* value) { return value && !value->is_null(); };
  const Value* authorization = all.find("authorization");
  if (given(authorization) && (!authorization->is_object() || given(authorization->find("sources")))) return {};
  std::string file = detail::env_value(env, "ETC_DIR") + "/acl.conf";
  if (has_file(file, options)) return {};
  Value source(
      Value::Object{{"type", Value("file")}, {"enable", Value(true)}, {"rules", Value(std::string(shipped_rules()))}});
  if (!given(authorization)) all.if_object()->insert_or_assign("authorization", Value(Value::Object{}));
  all.find("authorization")->if_object()->insert_or_assign("sources", Value(Value::Array{std::move(source)}));
  return file;
}

std::string data_dir_of(Value all, const LoadOptions& options) {
  Problems ignored;
  resolve(all, ignored);
  prune(all);
  detail::apply_environment(all, options, ignored, ignored);
  const Value* dir = all.at_path("node.data_dir");
  std::string out = dir && dir->is_scalar() && !dir->is_null() ? dir->text() : std::string("data");
  if (out.starts_with('$')) {  // a path like any other
    const auto slash = out.find('/');
    std::string name = out.substr(1, slash == out.npos ? out.npos : slash - 1);
    if (name.starts_with('{') && name.ends_with('}')) name = name.substr(1, name.size() - 2);
    const auto it = options.env.find(name);
    if (it != options.env.end()) out = it->second + (slash == out.npos ? "" : out.substr(slash));
  }
  return out;
}

/// A listener that was deleted while the node ran stays so, wherever it is declared.
void keep_listeners_deleted(Value& all, const Value& cluster) {
  const Value* types = cluster.find("listeners");
  if (!types || !types->is_object()) return;
  Problems ignored;
  for (const auto& [type, names] : *types->if_object()) {
    if (!names.is_object()) continue;
    for (const auto& [name, listener] : *names.if_object()) {
      const std::string path = fmt::format("listeners.{}.{}", type, name);
      const auto* mark = listener.if_string();
      if (listener.is_null())
        erase(all, path);
      else if (mark && *mark == "marked_for_deletion")
        put(all, path, listener, true, ignored);
    }
  }
}

}  // namespace

bool detail::known_root(std::string_view root, const LoadOptions& options) {
  return Roots::schema().find(root) || contains(kIgnored, root) || contains(options.built_roots, root) ||
         unbuilt_root(root, options);
}

std::string detail::known_root_near(std::string_view root) {
  const std::string_view near = nearest(Roots::schema(), root);
  return near.empty() ? "a known root; this one is ignored"
                      : fmt::format("a known root; this one is ignored, did you mean {}?", near);
}

bool read_only_root(std::string_view root) {
  return contains(kReadOnly, root);
}

bool unbuilt_root(std::string_view root, const LoadOptions& options) {
  return contains(kUnbuilt, root) && !contains(options.built_roots, root);
}

Loaded check(Value all, const LoadOptions& options) {
  Loaded out;
  auto config = std::make_shared<Config>();
  out.all = all;
  note_roots(all, options, out.warnings);
  const std::string data_dir = data_dir_of(all, options);
  const auto env = path_environment(options, data_dir);
  Checker checker(out.errors, out.warnings, env);
  config->rules_missing = use_shipped_rules(all, env, options);
  const Value raw = all;
  checker.read_object(Roots::schema(), all, static_cast<Roots*>(config.get()));
  note_written(raw, config->listeners);
  if (out.errors.empty()) make_zones(checker, raw, all, *config, out.errors);
  check_listeners(checker, raw, all, *config);
  if (!options.skip_access) {
    check_authentication(checker, all, *config, options);
    if (out.errors.empty() || !config->authorization.sources.empty()) check_protection(checker, all, *config, options);
  }
  if (options.review) options.review(checker, all, *config);
  out.errors.sort();
  if (!out.errors.empty()) return out;
  for (auto& [root, value] : *all.if_object()) {
    if (!Roots::schema().find(root) || root == "authentication" || root == "authorization" || root == "listeners" ||
        root == "prometheus")
      mask_by_name(value);
  }
  config->effective = std::move(all);
  config->config_dir = fs::path(options.main_file).parent_path().string();
  config->cluster_file = cluster_file_in(fs::path(config->node.data_dir) / "configs", options);
  out.config = std::move(config);
  return out;
}

Loaded load(const LoadOptions& options) {
  Loaded out;
  ParseOptions parse{.read = options.read, .include_dirs = {}};
  Value main(Value::Object{});
  Value base(Value::Object{});
  const fs::path folder = fs::path(options.main_file).parent_path();
  bool incomplete = false;
  if (!options.main_file.empty()) {
    Parsed parsed = parse_file(options.main_file, parse, out.errors);
    main = std::move(parsed.root);
    incomplete = parsed.missing_include;
    const std::string base_file = (folder / "base.hocon").string();
    if (has_file(base_file, options)) base = parse_file(base_file, parse, out.errors).root;
  }
  Value preview = base;
  Problems ignored;
  merge(preview, main, ignored);
  const std::string data_dir = data_dir_of(std::move(preview), options);
  const std::string configs = (fs::path(data_dir) / "configs").string();
  if (incomplete) {
    // Where the rest of the includes may lie is known only now.
    parse.include_dirs = {configs};
    Problems again;
    main = parse_file(options.main_file, parse, again).root;
    out.errors = std::move(again);
  }
  const std::string cluster_file = cluster_file_in(configs, options);
  const bool old_order = cluster_file.ends_with("-override.conf");
  const auto parse_present = [&](const std::string& path) {
    return has_file(path, options) ? parse_file(path, parse, out.errors).root : Value(Value::Object{});
  };
  Value cluster = parse_present(cluster_file);
  Value local =
      old_order ? parse_present((fs::path(configs) / "local-override.conf").string()) : Value(Value::Object{});
  // After a syntax error the rest would be guesses; an element that fits into no list is merely left out.
  if (!std::all_of(out.errors.begin(), out.errors.end(),
                   [](const Problem& p) { return p.reason == "bad_array_index"; })) {
    out.errors.sort();
    return out;
  }
  // Layers merge in the form that has names. The main file keeps its own until its substitutions have looked into it.
  for (Value* layer : {&base, &cluster, &local}) name_log_files(*layer);
  for (Value* layer : {&base, &cluster, &local, &main})
    if (Value* prometheus = layer->find("prometheus")) use_present_prometheus(*prometheus);
  Value all = std::move(base);
  if (!old_order) merge(all, cluster, out.errors);
  merge(all, std::move(main), out.errors);
  resolve(all, out.errors);
  resolve(cluster, old_order ? out.errors : ignored);  // written by the node itself, but by hand it might hold some
  resolve(local, out.errors);
  detail::apply_environment(all, options, out.errors, out.warnings);
  name_log_files(all);
  if (!old_order) keep_listeners_deleted(all, cluster);
  if (old_order) {
    merge(all, cluster, out.errors);
    merge(all, std::move(local), out.errors);
  }
  prune(all);
  if (depth(all) > kMaxDepth / 2) {  // so that what is printed can be read back
    out.errors.add({.file = options.main_file,
                    .line = 0,
                    .path = {},
                    .reason = "too_deep",
                    .value = {},
                    .expected = fmt::format("at most {} levels of nesting", kMaxDepth / 2)});
    out.errors.sort();
    return out;
  }
  std::vector<PemFile> pems;
  detail::take_pems(all, data_dir_of(all, options), pems);
  Loaded checked = check(std::move(all), options);
  checked.pems = std::move(pems);
  checked.cluster = std::move(cluster);
  checked.warnings.append(out.warnings);
  if (!out.errors.empty()) {  // of the layers; told along with what else is wrong
    checked.config = nullptr;
    checked.errors.append(out.errors);
    checked.errors.sort();
  }
  checked.warnings.sort();
  return checked;
}

std::optional<Place> place_of(const Loaded& loaded, const LoadOptions& options) {
  if (loaded.config) return Place{loaded.config->node.name, loaded.config->node.data_dir};
  if (!loaded.all.is_object()) return std::nullopt;
  const Value* name = loaded.all.at_path("node.name");
  return Place{name && name->is_string() ? name->text() : Roots{}.node.name, data_dir_of(loaded.all, options)};
}

std::string told_warnings(const Loaded& loaded) {
  std::string out;
  for (const Problem& p : loaded.warnings) out += "WARNING: " + to_string(p) + "\n";
  if (loaded.warnings.dropped() > 0) out += fmt::format("WARNING: ... and {} more\n", loaded.warnings.dropped());
  return out;
}

int check_config(const LoadOptions& options, std::string& output) {
  const Loaded loaded = load(options);
  output += told_warnings(loaded);
  return report(loaded, output);
}

int report(const Loaded& loaded, std::string& output) {
  if (loaded.config) return 0;
  output += fmt::format("ERROR: {} problem(s) found, failed_to_check_schema: signalbox\n",
                        loaded.errors.size() + loaded.errors.dropped());
  for (const Problem& p : loaded.errors) output += "  " + to_string(p) + "\n";
  if (loaded.errors.dropped() > 0) output += fmt::format("  ... and {} more\n", loaded.errors.dropped());
  return 1;
}

}  // namespace sb::config
