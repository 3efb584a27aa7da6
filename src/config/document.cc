// The manual page of every key, made from the schema.
#include "config/config.h"
#include "config/detail/schema_info.h"

#include <fmt/format.h>

namespace sb::config {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string_view hot_words(Hot hot) {
  switch (hot) {
    case Hot::N:
      return "after restart, not by API";
    case Hot::Y:
      return "at once";
    case Hot::C:
      return "new connections";
    case Hot::L:
      return "listener rules";
    case Hot::B:
      return "after restart";
  }
  return "";
}

/// Rows of a table; names of keys that nothing reads go to `unused`.
void rows(std::string& out, std::vector<std::string>& unused, const Struct& s, const std::string& prefix, int depth) {
  constexpr int kMaxLevels = 8;
  for (const Key& key : s.keys) {
    if (key.opts.deprecated) continue;
    std::string path = prefix.empty() ? std::string(key.name) : prefix + "." + std::string(key.name);
    const bool nested = key.child != nullptr;
    if (key.opts.hidden && key.opts.doc.empty()) {
      unused.push_back(fmt::format("`{}`", path));
      continue;
    }
    if (key.shape == Key::Shape::List && nested) path += "[]";
    if (key.shape == Key::Shape::Map) path += ".<name>";
    if (nested && depth < kMaxLevels) {
      rows(out, unused, *key.child, path, depth + 1);
      continue;
    }
    std::string doc(key.opts.doc);
    if (key.opts.secret || key.type == "secret") doc += " Secret: shown as ******; may be file://PATH.";
    if (!key.opts.aliases.empty()) doc += fmt::format(" Old name: {}.", key.opts.aliases);
    if (key.opts.since != "5.4") doc += fmt::format(" Since {}.", key.opts.since);
    const std::string def = key.opts.def.empty() ? "" : fmt::format("`{}`", escaped(key.opts.def));
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", path, escaped(detail::brief_expectation(key)), def,
                       hot_words(key.hot), escaped(doc));
  }
}

}  // namespace

std::string document_schema() {
  std::string out =
      "# Configuration keys\n\nMade from the schema by `signalbox config-docs`; do not edit.\n\n"
      "Order, low to high: defaults, `base.hocon`, `<data_dir>/configs/cluster.hocon` (changes at run time), the main "
      "file, "
      "environment variables (`EMQX_` or `SIGNALBOX_`, levels joined by `__`).\n\n"
      "Values: a *duration* is written 15s, 100ms or 1h30m, a *size* 512KB or 1MB (factor 1024), a *rate* 1000/s, "
      "1MB/10s or "
      "infinity, *ip:port* 1883, 0.0.0.0:1883 or [::1]:1883. A *path* may begin with ${VARIABLE}. A *list* of texts "
      "may be one text "
      "with commas. null takes a key, or all of a root, out of the layers below: its default counts.\n";
  for (const Key& root : Roots::schema().keys) {
    out += fmt::format("\n## {}\n\n", root.name);
    if (root.child && !root.child->doc.empty()) out += fmt::format("{}\n\n", root.child->doc);
    if (root.name == "zones") {
      out += "`zones.<name>` may hold these roots again, with only the keys that differ:";
      for (const Key& key : Zone::schema().keys) out += fmt::format(" `{}`", key.name);
      out += ".\n";
      continue;
    }
    out += "| key | value | default | takes effect | meaning |\n| --- | --- | --- | --- | --- |\n";
    if (root.child) {
      std::string prefix(root.name);
      if (root.shape == Key::Shape::List) prefix += "[]";
      std::vector<std::string> unused;
      rows(out, unused, *root.child, prefix, 0);
      if (!unused.empty())
        out += fmt::format("\nAccepted for EMQX's sake, without effect: {}.\n", fmt::join(unused, ", "));
    } else {
      out += fmt::format("| `{}` | {} | `{}` | {} | {} |\n", root.name, root.type, root.opts.def, hot_words(root.hot),
                         "List of authenticators.");
    }
  }
  return out;
}

}  // namespace sb::config
