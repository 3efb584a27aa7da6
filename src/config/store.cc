#include "config/store.h"

#include "base/check.h"
#include "base/log.h"
#include "base/secret_name.h"
#include "config/detail/layers.h"
#include "config/detail/pem_files.h"
#include "config/roots/log_files.h"
#include "config/roots/prometheus.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace sb::config {
namespace {

using Outcome = ConfigStore::Outcome<ConfigStore::Change>;

/// Stands for the text of a request where a problem names its file.
constexpr const char* kRequest = "request";

tl::unexpected<ConfigStore::Refusal> refusal(std::string code, std::string message, Problems problems = {}) {
  return tl::unexpected<ConfigStore::Refusal>(
      {.code = std::move(code), .message = std::move(message), .problems = std::move(problems)});
}

/// A problem without the place of a file of the node: that is not for whoever asks over the network.
std::string without_place(Problem problem) {
  if (problem.file != kRequest) problem.file.clear();
  return to_string(problem);
}

tl::unexpected<ConfigStore::Refusal> refusal(const Problems& problems) {
  std::string message = problems.empty() ? "refused" : without_place(problems[0]);
  if (problems.size() > 1) message += fmt::format(" (unshown_errors_count: {})", problems.size() - 1);
  return refusal("UPDATE_FAILED", std::move(message), problems);
}

std::string_view root_of(std::string_view path) {
  return path.substr(0, path.find('.'));
}

/// A list of authenticators or sources is matched by identity, so that a masked secret finds its value after a reorder.
std::string identity(const Value& entry) {
  std::string out;
  for (const char* key : {"type", "mechanism", "backend", "name", "id"}) {
    if (const Value* v = entry.find(key)) out += v->text() + "/";
  }
  return out;
}

bool masked(const Value& value) {
  const auto* text = value.if_string();
  return text && *text == kMasked;
}

/// Puts the old value where the new one is ******, or a URL whose password is; where nothing is stored, the key is left
/// out.
void keep_secrets(Value& fresh, const Value* old) {
  const auto* text = fresh.if_string();
  const auto* stored = old ? old->if_string() : nullptr;
  if (text && stored && has_masked_url(*text) && shown_urls(*stored) == *text) {
    fresh = *old;
  } else if (masked(fresh) && old) {
    fresh = *old;
  } else if (auto* o = fresh.if_object()) {
    for (auto it = o->begin(); it != o->end();) {
      const Value* before = old ? old->find(it->first) : nullptr;
      if (masked(it->second) && !before) {
        it = o->erase(it);
        continue;
      }
      keep_secrets(it->second, before);
      ++it;
    }
  } else if (auto* a = fresh.if_array()) {
    const auto* before = old ? old->if_array() : nullptr;
    for (std::size_t i = 0; i < a->size(); ++i) {
      const Value* match = before && i < before->size() ? &(*before)[i] : nullptr;
      const std::string id = identity((*a)[i]);
      if (before && !id.empty() && (!match || identity(*match) != id)) {
        match = nullptr;
        for (const Value& candidate : *before) {
          if (identity(candidate) == id) match = &candidate;
        }
      }
      keep_secrets((*a)[i], match);
    }
  }
}

/// A masked URL that stands for no stored one: nothing tells the password, and the mask is none.
void refuse_masks(const Value& fresh, const std::string& path, Problems& problems) {
  if (const auto* text = fresh.if_string(); text && has_masked_url(*text)) {
    problems.add({.file = {},
                  .line = 0,
                  .path = path,
                  .reason = "masked_password",
                  .value = *text,
                  .expected = "the address that is stored, or one with its password"});
  } else if (const auto* members = fresh.if_object()) {
    for (const auto& [key, member] : *members) refuse_masks(member, join_path(path, key), problems);
  } else if (const auto* elements = fresh.if_array()) {
    for (std::size_t i = 0; i < elements->size(); ++i)
      refuse_masks((*elements)[i], join_path(path, std::to_string(i + 1)), problems);
  }
}

/// Lists of authenticators and of sources merge by identity: what is new is appended.
void join_by_identity(Value& update, const Value& stored, std::string_view path, Problems& problems) {
  const auto listed = [path](const Value& root) {
    const Value* found = root.at_path(path);
    if (!found) return Value();
    // One may be written without the list around it.
    return found->is_object() && !identity(*found).empty() ? Value(Value::Array{*found}) : *found;
  };
  const Value fresh = listed(update);
  const Value old = listed(stored);
  if (!fresh.is_array() || !old.is_array()) return;
  Value::Array joined = *old.if_array();
  for (const Value& entry : *fresh.if_array()) {
    const std::string id = identity(entry);
    const auto same =
        std::find_if(joined.begin(), joined.end(), [&](const Value& v) { return !id.empty() && identity(v) == id; });
    if (same == joined.end()) {
      joined.push_back(entry);
    } else {
      merge(*same, entry, problems, path);
    }
  }
  put(update, path, Value(std::move(joined)), true, problems);
}

/// Old names of an update become the stored ones, so that a later layer is not hidden by an older spelling.
void use_new_names(const Struct& s, Value& value) {
  auto* fields = value.if_object();
  if (!fields) return;
  for (const Key& key : s.keys) {
    for (auto it = fields->begin(); it != fields->end(); ++it) {
      if (it->first == key.name || !key.answers_to(it->first)) continue;
      Value moved = std::move(it->second);
      fields->erase(it);
      fields->try_emplace(std::string(key.name), std::move(moved));
      break;
    }
    const auto it = fields->find(key.name);
    if (it == fields->end() || !key.child) continue;
    if (key.shape == Key::Shape::Object) {
      use_new_names(*key.child, it->second);
    } else if (auto* members = it->second.if_object()) {
      for (auto& [name, member] : *members) use_new_names(*key.child, member);
    }
  }
}

/// The form that layers and updates have in common, so that they merge.
void use_present_form(Value& tree) {
  name_log_files(tree);
  if (Value* prometheus = tree.find("prometheus")) use_present_prometheus(*prometheus);
  use_new_names(Roots::schema(), tree);
}

/// A limiter short key given in an update overrides the stored long form of its kind.
void drop_long_form(Value& stored, const Value& update) {
  constexpr std::pair<std::string_view, std::string_view> kForms[] = {
      {"max_conn_rate", "connection"}, {"messages_rate", "messages"}, {"bytes_rate", "bytes"}};
  for (const auto& [brief, full] : kForms) {
    if (!update.find(brief)) continue;
    if (auto* fields = stored.if_object()) fields->erase(std::string(full));
  }
}

/// The limiter of a listener is taken as a whole.
void drop_listener_limiters(Value& stored, const Value& update) {
  const Value* types = update.find("listeners");
  if (!types || !types->is_object()) return;
  for (const auto& [type, names] : *types->if_object()) {
    if (!names.is_object()) continue;
    for (const auto& [name, listener] : *names.if_object())
      if (listener.find("limiter")) erase(stored, fmt::format("listeners.{}.{}.limiter", type, name));
  }
}

bool is_default_listener(std::string_view path) {
  return path == "listeners.tcp.default" || path == "listeners.ssl.default" || path == "listeners.ws.default" ||
         path == "listeners.wss.default";
}

/// Whether the changed value lies below a key that takes effect after a restart only.
bool waits_for_restart(const Struct& s, const Value& before, const Value& after) {
  for (const Key& key : s.keys) {
    const Value* a = before.find(key.name);
    const Value* b = after.find(key.name);
    if ((a == nullptr) == (b == nullptr) && (!a || *a == *b)) continue;
    if (key.child && key.shape == Key::Shape::Object && a && b) {
      if (waits_for_restart(*key.child, *a, *b)) return true;
    } else if (key.hot == Hot::B) {
      return true;
    }
  }
  return false;
}

}  // namespace

namespace {

std::string lines(const ConfigStore::Refusal& refusal, std::string (*line)(Problem)) {
  std::string out;
  for (const Problem& problem : refusal.problems) out += (out.empty() ? "" : "\n") + line(problem);
  if (out.empty()) out = refusal.message;
  return out.empty() ? refusal.code : out;
}

}  // namespace

std::string ConfigStore::Refusal::told() const {
  return lines(*this, without_place);
}

std::string ConfigStore::Refusal::told_with_places() const {
  return lines(*this, [](Problem problem) { return to_string(problem); });
}

ConfigStore::ConfigStore(Loaded loaded, LoadOptions options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      current_(std::move(loaded.config)),
      all_(std::move(loaded.all)),
      cluster_(std::move(loaded.cluster)) {
  SB_CHECK(current_ != nullptr, "a store begins with a good configuration");
  if (!cluster_.is_object()) cluster_ = Value(Value::Object{});
}

std::uint64_t ConfigStore::subscribe(Subscriber subscriber) {
  subscribers_.push_back({next_id_, std::move(subscriber)});
  return next_id_++;
}

void ConfigStore::unsubscribe(std::uint64_t id) {
  std::erase_if(subscribers_, [id](const Entry& entry) { return entry.id == id; });
}

Outcome ConfigStore::update(std::string_view path, Value value, Mode mode) {
  if (path.empty()) {
    if (!value.is_object()) return refusal("BAD_REQUEST", "a set of roots is expected");
    std::vector<std::string> fixed;
    for (const auto& [root, ignored] : *value.if_object())
      if (read_only_root(root)) fixed.push_back(root);
    if (!fixed.empty())
      return refusal("update_readonly_keys_prohibited",
                     fmt::format("{} cannot be changed while the node runs", fmt::join(fixed, ", ")));
  } else if (read_only_root(root_of(path))) {
    return refusal("update_readonly_keys_prohibited",
                   fmt::format("{} cannot be changed while the node runs", root_of(path)));
  }
  // A file may hold roots of another version; somebody who asks is told.
  Problems problems;
  if (path.empty())
    for (const auto& [root, ignored] : *value.if_object())
      if (!detail::known_root(root, options_) && !all_.find(root))
        problems.add({.file = {},
                      .line = 0,
                      .path = root,
                      .reason = "config_key_not_recognized",
                      .value = {},
                      .expected = "a root that this version knows"});
  constexpr int kMaxPathParts = 32;
  if (std::count(path.begin(), path.end(), '.') > kMaxPathParts) return refusal("NOT_FOUND", "no such key");
  // The update as a tree of its own, from the root.
  Value tree(Value::Object{});
  if (path.empty()) {
    tree = std::move(value);
  } else {
    put(tree, path, std::move(value), true, problems);
  }
  use_present_form(tree);
  keep_secrets(tree, &all_);
  refuse_masks(tree, "", problems);
  std::vector<PemFile> pems;
  detail::take_pems(tree, current_->node.data_dir, pems);
  if (mode == Mode::Merge) {
    join_by_identity(tree, all_, "authentication", problems);
    join_by_identity(tree, all_, "authorization.sources", problems);
  }
  Value all = all_;
  Value cluster = cluster_;
  for (Value* layer : {&all, &cluster}) {
    use_present_form(*layer);
    if (const Value* limits = tree.find("limiter")) {
      if (Value* stored = layer->find("limiter")) drop_long_form(*stored, *limits);
    }
    if (mode == Mode::Merge) {
      drop_listener_limiters(*layer, tree);
      merge(*layer, tree, problems);
    } else if (path.empty()) {
      for (const auto& [root, fresh] : *tree.if_object()) (*layer->if_object())[root] = fresh;
    } else if (mode == Mode::Shallow) {
      const Value* fresh = tree.at_path(path);
      if (!fresh || !fresh->is_object()) return refusal("BAD_REQUEST", fmt::format("{}: an object is expected", path));
      Value joined = Value::Object{};
      if (const Value* stored = layer->at_path(path); stored && stored->is_object()) joined = *stored;
      for (const auto& [key, value_of_key] : *fresh->if_object()) (*joined.if_object())[key] = value_of_key;
      put(*layer, path, std::move(joined), true, problems);
    } else {
      const Value* fresh = tree.at_path(path);
      if (!fresh) return refusal("NOT_FOUND", "use the present name of the key");
      put(*layer, path, *fresh, true, problems);
    }
  }
  prune(all);  // in the cluster layer nulls stay: they take away what lower layers set
  if (!problems.empty()) {
    problems.append(check(std::move(all), options_).errors);  // whoever corrects one mistake hears of the others, too
    return refusal(problems);
  }
  return apply(std::move(all), std::move(cluster), true, pems);
}

Outcome ConfigStore::update_text(std::string_view path, std::string_view text, Mode mode) {
  Problems problems;
  Value value;
  if (path.empty()) {
    value = parse_document(text, kRequest, problems);
    if (!problems.empty()) return refusal(problems);
  } else if (auto single = parse_value(text, kRequest)) {
    value = std::move(*single);
  } else {
    value = parse_document(text, kRequest, problems);  // an object without braces
    if (!problems.empty()) return refusal(problems);
  }
  return update(path, std::move(value), mode);
}

Outcome ConfigStore::remove(std::string_view path) {
  if (read_only_root(root_of(path))) {
    return refusal("update_readonly_keys_prohibited",
                   fmt::format("{} cannot be changed while the node runs", root_of(path)));
  }
  if (path.empty() || path.find('.') == path.npos)
    return refusal("remove_root_is_forbidden", "a whole root cannot be removed");
  if (!current_->effective.at_path(path)) return refusal("NOT_FOUND", fmt::format("{} is not set", path));
  Problems problems;
  Value all = all_;
  Value cluster = cluster_;
  if (is_default_listener(path)) {
    for (Value* layer : {&all, &cluster}) put(*layer, path, Value("marked_for_deletion"), true, problems);
  } else {
    erase(all, path);
    put(cluster, path, Value(), true, problems);  // a null hides what lower layers say
  }
  if (!problems.empty()) return refusal(problems);
  return apply(std::move(all), std::move(cluster), true);
}

Outcome ConfigStore::reset(std::string_view path) {
  if (path.empty()) return refusal("NO_DEFAULT_VALUE", "name a root");
  if (read_only_root(root_of(path))) {
    return refusal("update_readonly_keys_prohibited",
                   fmt::format("{} cannot be changed while the node runs", root_of(path)));
  }
  const Key* key = find_key(Roots::schema(), path);
  const bool has_default = key && (key->shape == Key::Shape::Object ? !key->optional : !key->default_value.is_null());
  if (!has_default) return refusal("NO_DEFAULT_VALUE", fmt::format("{} has no default", path));
  Value all = all_;
  Value cluster = cluster_;
  erase(all, path);
  erase(cluster, path);
  return apply(std::move(all), std::move(cluster), true);
}

Outcome ConfigStore::reload(Mode mode) {
  Loaded loaded = load(options_);
  if (!loaded.config) return refusal(loaded.errors);
  Value fresh = std::move(loaded.all);
  for (const std::string_view root : {"node", "cluster", "rpc"}) erase(fresh, root);
  Value all = all_;
  Problems problems;
  if (mode == Mode::Merge) {
    merge(all, std::move(fresh), problems);
  } else {
    for (auto& [root, value] : *fresh.if_object()) (*all.if_object())[root] = std::move(value);
  }
  if (!problems.empty()) return refusal(problems);
  return apply(std::move(all), cluster_, false);
}

tl::expected<ConfigStore::Merged, ConfigStore::Refusal> ConfigStore::merged(Value roots) const {
  // Members replace those of the same name; what a root's backup lacks stays.
  constexpr std::string_view kShallow[] = {"delayed",
                                           "retainer",
                                           "mqtt",
                                           "alarm",
                                           "sysmon",
                                           "sys_topics",
                                           "limiter",
                                           "log",
                                           "zones",
                                           "stats",
                                           "crl_cache",
                                           "prometheus",
                                           "conn_congestion",
                                           "slow_subs",
                                           "broker",
                                           "force_gc",
                                           "session_persistence",
                                           "force_shutdown",
                                           "overload_protection",
                                           "flapping_detect",
                                           "authentication_failure_limit"};
  constexpr std::string_view kLeftOut[] = {"node", "cluster", "rpc", "license", "dashboard", "api_key", "sso"};
  if (!roots.is_object()) return refusal("BAD_REQUEST", "a set of roots is expected");
  for (const std::string_view root : kLeftOut) erase(roots, root);
  Problems problems;
  use_present_form(roots);
  keep_secrets(roots, &all_);
  Merged out;
  detail::take_pems(roots, current_->node.data_dir, out.pems);
  join_by_identity(roots, all_, "authentication", problems);
  join_by_identity(roots, all_, "authorization.sources", problems);
  Layers& next = out.layers = layers();
  for (Value* layer : {&next.all, &next.cluster}) {
    use_present_form(*layer);
    for (const auto& [root, value] : *roots.if_object()) {
      Value& stored = (*layer->if_object())[root];
      const bool shallow = std::find(std::begin(kShallow), std::end(kShallow), root) != std::end(kShallow);
      if (shallow && value.is_object() && stored.is_object()) {
        for (const auto& [key, member] : *value.if_object()) (*stored.if_object())[key] = member;
      } else {
        merge(stored, value, problems, root);
      }
    }
  }
  if (!problems.empty()) return refusal(problems);
  prune(next.all);
  return out;
}

Outcome ConfigStore::take_backup(Value roots) {
  auto next = merged(std::move(roots));
  if (!next) return tl::unexpected(std::move(next).error());
  return apply(std::move(next->layers.all), std::move(next->layers.cluster), true, next->pems);
}

Problems ConfigStore::problems_of_backup(Value roots) const {
  auto next = merged(std::move(roots));
  return next ? check(std::move(next->layers.all), options_).errors : std::move(next).error().problems;
}

bool ConfigStore::known(std::string_view root) const {
  return detail::known_root(root, options_);
}

bool ConfigStore::unbuilt(std::string_view root) const {
  return unbuilt_root(root, options_);
}

Outcome ConfigStore::restore_text(std::string_view cluster) {
  if (const auto written = write_rotating(current_->cluster_file, cluster, clock_.wall_ms()); !written)
    return refusal("UPDATE_FAILED", written.error().what);
  Loaded loaded = load(options_);
  if (!loaded.config) return refusal(loaded.errors);
  return apply(std::move(loaded.all), std::move(loaded.cluster), true, loaded.pems);
}

std::vector<std::string> ConfigStore::differing(const Value& a, const Value& b) const {
  std::vector<std::string> out;
  for (const auto& [root, value] : *a.if_object()) {
    const Value* other = b.find(root);
    if (!other || !(*other == value)) out.push_back(root);
  }
  for (const auto& [root, value] : *b.if_object()) {
    if (!a.find(root)) out.push_back(root);
  }
  return out;
}

Outcome ConfigStore::apply(Value all, Value cluster, bool keep, const std::vector<PemFile>& pems) {
  Loaded checked = check(all, options_);
  if (!checked.config) return refusal(checked.errors);
  if (keep && checked.config->dashboard.i18n_lang != current_->dashboard.i18n_lang) {
    Problems problems;
    problems.add({.file = {},
                  .line = 0,
                  .path = "dashboard.i18n_lang",
                  .reason = "read_only",
                  .value = std::string(to_string(checked.config->dashboard.i18n_lang)),
                  .expected = "no change while the node runs; set it in the main file"});
    return refusal(problems);
  }
  std::vector<std::string> made;  // files that go again when the change is refused
  for (const PemFile& pem : pems) {
    std::error_code ignored;
    if (!std::filesystem::exists(pem.path, ignored)) made.push_back(pem.path);
    if (auto written = write_private(pem.path, pem.content); !written)
      return refusal("UPDATE_FAILED", written.error().what);
  }
  Change change{.config = checked.config, .roots = differing(current_->effective, checked.config->effective)};
  for (const std::string& root : change.roots) {
    const Key* key = Roots::schema().find(root);
    const Value* before = current_->effective.find(root);
    const Value* after = checked.config->effective.find(root);
    if (key && key->child && before && after && waits_for_restart(*key->child, *before, *after))
      change.after_restart.push_back(root);
  }
  if (!change.roots.empty())
    for (std::size_t i = 0; i < subscribers_.size(); ++i) {
      const auto told = subscribers_[i].fn(*current_, *checked.config, change.roots);
      if (told) continue;
      undo(i, *checked.config, change.roots, made);
      return refusal("UPDATE_FAILED", told.error().what);
    }
  if (keep) {
    const std::string& file = current_->cluster_file;
    if (const auto written = write_rotating(file, to_hocon(cluster, {.reveal = true}), clock_.wall_ms()); !written) {
      // What a restart would not know of is not taken.
      SB_LOG(log::Level::Error, "failed_to_save_conf_file", kv("file", file), kv("reason", written.error().what));
      undo(change.roots.empty() ? 0 : subscribers_.size(), *checked.config, change.roots, made);
      return refusal("UPDATE_FAILED", "nothing was changed: " + written.error().what);
    }
    cluster_ = std::move(cluster);
  }
  const Snapshot before = std::exchange(current_, checked.config);
  all_ = std::move(all);
  if (!change.roots.empty())
    for (const Follower& follower : followers_) follower(*before, *current_);
  return change;
}

/// In reverse; one that refused has changed nothing.
void ConfigStore::undo(std::size_t told, const Config& refused, const std::vector<std::string>& roots,
                       const std::vector<std::string>& made) {
  while (told-- > 0)
    if (const auto undone = subscribers_[told].fn(refused, *current_, roots); !undone)
      SB_LOG(log::Level::Error, "config_rollback_failed", kv("reason", undone.error().what));
  for (const std::string& file : made) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
  }
}

}  // namespace sb::config
