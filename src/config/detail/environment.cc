#include "config/detail/layers.h"
#include "config/detail/schema_info.h"

#include <fmt/format.h>

namespace sb::config::detail {
namespace {

constexpr std::string_view kPrefixes[] = {"EMQX_", "SIGNALBOX_"};

std::string_view strip_prefix(std::string_view name) {
  for (const auto prefix : kPrefixes) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return {};
}

std::vector<std::string> to_path(std::string_view name) {
  std::vector<std::string> path;
  while (true) {
    const auto at = name.find("__");
    std::string part(name.substr(0, at));
    for (char& c : part) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    path.push_back(std::move(part));
    if (at == name.npos) return path;
    name.remove_prefix(at + 2);
  }
}

/// Old names with single underscores, and names that are no configuration.
std::optional<std::string> old_name(std::string_view name) {
  if (name == "NODE_NAME") return "node.name";
  if (name == "NODE_COOKIE") return "node.cookie";
  return std::nullopt;
}

}  // namespace

std::string env_value(const std::map<std::string, std::string>& env, std::string_view name) {
  // Ours before theirs.
  for (const auto prefix : {kPrefixes[1], kPrefixes[0]}) {
    const auto it = env.find(std::string(prefix) + std::string(name));
    if (it != env.end()) return it->second;
  }
  return {};
}

void apply_environment(Value& root, const LoadOptions& options, Problems& errors, Problems& warnings) {
  constexpr std::size_t kMaxParts = 24;
  const auto unknown = [&warnings](const std::string& name, std::string path, std::string expected) {
    warnings.add({.file = "environment variable " + name,
                  .line = 0,
                  .path = std::move(path),
                  .reason = "unknown_env_vars",
                  .value = {},  // perhaps a password
                  .expected = std::move(expected)});
  };
  for (const auto& [name, text] : options.env) {  // a map: alphabetical
    const std::string_view rest = strip_prefix(name);
    if (rest.empty()) continue;
    std::string path;
    if (const auto old = old_name(rest)) {
      path = *old;
    } else {
      const auto parts = to_path(rest);
      // A whole root has no "__" in its name; nor have names that are no configuration, such as EMQX_LOG_DIR.
      if (rest == "LOG__TO" || (parts.size() == 1 && !Roots::schema().find(parts.front()))) continue;
      if (parts.size() > kMaxParts) {
        unknown(name, {}, fmt::format("at most {} levels; this one is ignored", kMaxParts));
        continue;
      }
      for (const std::string& part : parts) path = join_path(path, part);
      const bool known_root = Roots::schema().find(parts.front()) != nullptr;
      if (!known_root && !detail::known_root(parts.front(), options)) {
        unknown(name, path, known_root_near(parts.front()));  // ignored as EMQX does, but not silently
        continue;
      }
      if (!known_root && !unbuilt_root(parts.front(), options)) continue;
      if (known_root && !knows_path(Roots::schema(), path)) {
        unknown(name, path, "a known key; this one is ignored");
        continue;
      }
    }
    const std::string place = "environment variable " + name;
    auto value = text.empty() ? std::optional<Value>(Value("")) : parse_value(text, place);
    if (!value) value = Value(text);
    const auto locate = [file = std::make_shared<const std::string>(place)](auto&& self, Value& v) -> void {
      v.at = {file, 0};
      if (auto* o = v.if_object()) {
        for (auto& [k, child] : *o) self(self, child);
      } else if (auto* a = v.if_array()) {
        for (Value& child : *a) self(self, child);
      }
    };
    locate(locate, *value);
    put(root, path, std::move(*value), false, errors);
  }
}

}  // namespace sb::config::detail
