#include "config/value.h"

#include "base/secret_name.h"
#include "config/detail/pending.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace sb::config {
namespace {

/// 1.. of an index key; 0 when it is none.
std::size_t index_of(std::string_view key) {
  if (key.empty() || key.size() > 6 || key.find_first_not_of("0123456789") != key.npos) return 0;
  std::size_t n = 0;
  std::from_chars(key.data(), key.data() + key.size(), n);
  return n;
}

bool all_index_keys(const Value::Object& object) {
  for (const auto& [key, value] : object) {
    if (index_of(key) == 0) return false;
  }
  return !object.empty();
}

bool plain_key(std::string_view key) {
  if (key.empty()) return false;
  for (const char c : key) {
    const bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!ok) return false;
  }
  return key != "include";
}

void patch_array(Value::Array& array, Value::Object patch, Problems& problems, std::string_view path) {
  // Numeric order, so that "10" comes after "9" and lists can grow by one each time.
  std::map<std::size_t, Value*> ordered;
  for (auto& [key, value] : patch) ordered[index_of(key)] = &value;
  for (auto& [index, value] : ordered) {
    const std::string here = join_path(path, std::to_string(index));
    if (index <= array.size()) {
      merge(array[index - 1], std::move(*value), problems, here);
    } else if (index == array.size() + 1) {
      array.push_back(std::move(*value));
    } else {
      problems.add({.file = value->at.file ? *value->at.file : "",
                    .line = value->at.line,
                    .path = here,
                    .reason = "bad_array_index",
                    .value = {},
                    .expected = fmt::format("index should not be greater than {}", array.size() + 1)});
    }
  }
}

void quote(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

class Printer {
 public:
  Printer(PrintOptions options, bool hocon) : options_(options), hocon_(hocon) {}

  void print(const Value& v, int depth) {
    if (v.secret && !options_.reveal && !hidden_behind_file(v)) return quote(out, "******");
    if (const auto* o = v.if_object()) return object(*o, depth);
    if (const auto* a = v.if_array()) {
      out += '[';
      bool first = true;
      for (const Value& e : *a) {
        if (!first) out += options_.pretty ? ", " : ",";
        first = false;
        print(e, depth + 1);
      }
      out += ']';
      return;
    }
    if (const auto* text = v.if_string()) return quote(out, options_.reveal ? *text : shown_urls(*text));
    if (v.if_double() && !std::isfinite(*v.if_double())) return quote(out, v.text());
    out += v.is_null() || v.is_missing() ? "null" : v.text();
  }

  /// Members of the root stand without braces in HOCON.
  void members(const Value::Object& o, int depth) {
    bool first = true;
    for (const auto& [key, value] : o) {
      if (!first && !hocon_) out += ',';
      if (!first || depth > 0) newline(depth);
      first = false;
      if (hocon_ && plain_key(key)) {
        out += key;
      } else {
        quote(out, key);
      }
      if (hocon_) {
        out += value.is_object() && !value.secret ? " " : " = ";
      } else {
        out += options_.pretty ? ": " : ":";
      }
      print(value, depth);
    }
  }

  std::string out;

 private:
  static bool hidden_behind_file(const Value& v) {
    return v.if_string() && v.if_string()->starts_with("file://");  // the place of a secret is none
  }
  void newline(int depth) {
    if (!options_.pretty && !hocon_) return;
    out += '\n';
    out.append(static_cast<std::size_t>(depth) * 2, ' ');
  }
  void object(const Value::Object& o, int depth) {
    out += '{';
    if (!o.empty()) {
      members(o, depth + 1);
      newline(depth);
    }
    out += '}';
  }
  PrintOptions options_;
  bool hocon_;
};

/// Splits the first part off a dotted path; quotes protect dots.
std::string take_part(std::string_view& path) {
  std::string part;
  if (!path.empty() && path.front() == '"') {
    const auto end = path.find('"', 1);
    if (end != path.npos) {
      part = path.substr(1, end - 1);
      path.remove_prefix(std::min(path.size(), end + 2));
      return part;
    }
  }
  const auto dot = path.find('.');
  part = path.substr(0, dot);
  path = dot == path.npos ? std::string_view{} : path.substr(dot + 1);
  return part;
}

template <class V>
V* child(V& node, std::string_view key) {
  if (auto* o = node.if_object()) {
    const auto it = o->find(key);
    return it == o->end() ? nullptr : &it->second;
  }
  if (auto* a = node.if_array()) {
    const std::size_t n = index_of(key);
    return n == 0 || n > a->size() ? nullptr : &(*a)[n - 1];
  }
  return nullptr;
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  return is_object() ? child(*this, key) : nullptr;
}
Value* Value::find(std::string_view key) {
  return is_object() ? child(*this, key) : nullptr;
}

const Value* Value::at_path(std::string_view path) const {
  const Value* node = this;
  while (node && !path.empty()) node = child(*node, take_part(path));
  return node;
}

std::string Value::text() const {
  if (const auto* s = if_string()) return *s;
  if (const auto* b = if_bool()) return *b ? "true" : "false";
  if (const auto* i = if_int()) return std::to_string(*i);
  if (const auto* d = if_double()) {
    std::string out = fmt::format("{}", *d);
    if (out.find_first_of(".en") == out.npos) out += ".0";  // stays a float when read back
    return out;
  }
  return {};
}

bool operator==(const Value& a, const Value& b) {
  if (a.data_.index() != b.data_.index()) return false;
  if (a.is_null() || a.is_missing()) return true;
  if (const auto* v = a.if_bool()) return *v == *b.if_bool();
  if (const auto* v = a.if_int()) return *v == *b.if_int();
  if (const auto* v = a.if_double()) return *v == *b.if_double();
  if (const auto* v = a.if_string()) return *v == *b.if_string();
  if (const auto* v = a.if_array()) return *v == *b.if_array();
  if (const auto* v = a.if_object()) return *v == *b.if_object();
  return *a.if_pending() == *b.if_pending();
}

void merge(Value& base, Value over, Problems& problems, std::string_view path) {
  const bool layered = over.is_pending() || (base.is_pending() && over.is_object());
  if (layered && !base.is_null()) {
    // What it becomes is known only when substitutions are: keep both, oldest first.
    const Location at = over.at;
    if (const auto* below = base.if_pending();
        below && (*below)->kind == detail::Pending::Kind::Stack && below->use_count() == 1) {
      (*below)->parts.push_back(std::move(over));
      base.at = at;
      return;
    }
    auto stack = std::make_shared<detail::Pending>();
    stack->kind = detail::Pending::Kind::Stack;
    stack->parts.push_back(std::move(base));
    stack->parts.push_back(std::move(over));
    base = Value(std::move(stack));
    base.at = at;
    return;
  }
  if (auto* to = base.if_object(); to && over.is_object()) {
    for (auto& [key, value] : *over.if_object()) {
      const auto [it, added] = to->try_emplace(key);
      if (added) {
        it->second = std::move(value);
      } else {
        merge(it->second, std::move(value), problems, join_path(path, key));
      }
    }
    base.at = over.at;
    return;
  }
  if (auto* list = base.if_array(); list && over.is_object() && all_index_keys(*over.if_object())) {
    patch_array(*list, std::move(*over.if_object()), problems, path);
    return;
  }
  base = std::move(over);
}

void prune(Value& value) {
  if (auto* o = value.if_object()) {
    for (auto it = o->begin(); it != o->end();) {
      if (it->second.is_null() || it->second.is_missing()) {
        it = o->erase(it);
      } else {
        prune(it->second);
        ++it;
      }
    }
  } else if (auto* a = value.if_array()) {
    std::erase_if(*a, [](const Value& v) { return v.is_missing(); });
    for (Value& v : *a) prune(v);
  }
}

void put(Value& root, std::string_view path, Value value, bool replace, Problems& problems) {
  Value* node = &root;
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::string part = take_part(rest);
    if (node->is_array()) {
      if (Value* next = child(*node, part)) {
        node = next;
        continue;
      }
      if (index_of(part) == node->if_array()->size() + 1) {
        node->if_array()->emplace_back();
        node = &node->if_array()->back();
        continue;
      }
      problems.add(
          {.file = value.at.file ? *value.at.file : "",
           .line = value.at.line,
           .path = std::string(path),
           .reason = "bad_array_index",
           .value = {},
           .expected = fmt::format("the number of an element in place of '{}': from 1 on, it should not be greater "
                                   "than {}",
                                   part, node->if_array()->size() + 1)});
      return;
    }
    if (!node->is_object()) *node = Value(Value::Object{});
    node = &(*node->if_object())[part];
  }
  if (replace) {
    *node = std::move(value);
  } else {
    merge(*node, std::move(value), problems, path);
  }
}

bool erase(Value& root, std::string_view path) {
  Value* node = &root;
  while (true) {
    const std::string part = take_part(path);
    Value* next = child(*node, part);
    if (!next) return false;
    if (path.empty()) {
      if (auto* o = node->if_object()) {
        o->erase(part);
      } else {
        auto& a = *node->if_array();
        a.erase(a.begin() + static_cast<std::ptrdiff_t>(index_of(part) - 1));
      }
      return true;
    }
    node = next;
  }
}

int depth(const Value& v) {
  int deepest = 0;
  if (const auto* o = v.if_object()) {
    for (const auto& [key, child] : *o) deepest = std::max(deepest, depth(child));
    return deepest + 1;
  }
  if (const auto* a = v.if_array()) {
    for (const Value& child : *a) deepest = std::max(deepest, depth(child));
    return deepest + 1;
  }
  return 0;
}

std::string to_json(const Value& value, PrintOptions options) {
  Printer p(options, false);
  p.print(value, 0);
  return std::move(p.out);
}

std::string to_hocon(const Value& value, PrintOptions options) {
  Printer p(options, true);
  if (value.is_object()) {
    p.members(*value.if_object(), 0);
  } else {
    p.print(value, 0);
  }
  p.out += '\n';
  return std::move(p.out);
}

std::string join_path(std::string_view parent, std::string_view key) {
  std::string out(parent);
  if (!out.empty()) out += '.';
  if (plain_key(key) || key == "include") {
    out += key;
  } else {
    quote(out, key);
  }
  return out;
}

}  // namespace sb::config
