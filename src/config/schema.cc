#include "config/schema.h"

#include "base/check.h"
#include "base/secret_name.h"
#include "config/detail/schema_info.h"
#include "config/hocon.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace sb::config {
namespace {

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const auto space = words.find(' ');
    if (words.substr(0, space) == word) return true;
    if (space == words.npos) return false;
    words.remove_prefix(space + 1);
  }
  return false;
}

/// A member name: ^[A-Za-z0-9]+[A-Za-z0-9-_]*$, at most 255 bytes.
bool valid_map_key(std::string_view key) {
  if (key.empty() || key.size() > 255) return false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!letter && (i == 0 || (c != '-' && c != '_'))) return false;
  }
  return true;
}

std::optional<double> as_number(const Value& v) {
  if (const auto* i = v.if_int()) return static_cast<double>(*i);
  if (const auto* d = v.if_double()) return *d;
  if (const auto* s = v.if_string()) {
    double out = 0;
    const auto r = std::from_chars(s->data(), s->data() + s->size(), out);
    if (r.ec == std::errc{} && r.ptr == s->data() + s->size()) return out;
  }
  return std::nullopt;
}

std::string shown(const Value& v) {
  if (v.secret) return "******";
  constexpr std::size_t kMaxShown = 80;
  std::string out = logged_urls(to_json(v, {.reveal = false, .pretty = false}));
  if (out.size() > kMaxShown) out = out.substr(0, kMaxShown) + "...";
  return out;
}

Value keep_place(Value v, const Value& from) {
  v.at = from.at;
  v.secret = from.secret;
  return v;
}

}  // namespace

char to_char(Hot hot) {
  return "NYCLB"[static_cast<std::size_t>(hot)];
}

bool Key::answers_to(std::string_view candidate) const {
  return candidate == name || has_word(opts.aliases, candidate);
}

const Key* Struct::find(std::string_view key) const {
  for (const Key& k : keys) {
    if (k.answers_to(key)) return &k;
  }
  return nullptr;
}

Key& detail::add_key(Struct& s, std::string_view name, std::string type, const Opts& opts) {
  SB_CHECK(!s.find(name), "key declared twice: " + std::string(name));
  Key& key = s.keys.emplace_back();
  key.name = name;
  key.type = std::move(type);
  key.opts = opts;
  key.hot = opts.hot.value_or(s.hot);
  if (!opts.def.empty()) {
    auto value = parse_value(opts.def, "default");
    SB_CHECK(value.has_value(), "default of " + std::string(name) + " does not parse");
    key.default_value = std::move(*value);
    const auto forget = [](auto&& self, Value& v) -> void {
      v.at = {};
      if (auto* o = v.if_object()) {
        for (auto& [k, child] : *o) self(self, child);
      } else if (auto* a = v.if_array()) {
        for (Value& child : *a) self(self, child);
      }
    };
    forget(forget, key.default_value);
  }
  return key;
}

std::string Checker::path() const {
  std::string out;
  for (const std::string& part : path_) out = join_path(out, part);
  return out;
}

void Checker::error(const Value& at, std::string_view reason, std::string expected, std::string value) {
  errors_.add({.file = at.at.file ? *at.at.file : "",
               .line = at.at.line,
               .path = path(),
               .reason = std::string(reason),
               .value = std::move(value),
               .expected = std::move(expected)});
}

/// What stands where a secret belongs is not told, whatever its kind.
std::string Checker::shown_here(const Value& at) const {
  const bool hidden = !path_.empty() && (detail::sounds_secret(path_.back()) || path_.back() == "keyfile");
  return hidden && (at.is_array() || at.is_object() || at.is_string()) ? "******" : shown(at);
}

void Checker::error(const Key&, const Value& at, std::string_view reason, std::string expected) {
  error(at, reason, std::move(expected), shown_here(at));
}

bool Checker::usable(std::string_view field) const {
  return !bad_ || std::find(bad_->begin(), bad_->end(), field) == bad_->end();
}

void Checker::broken(const Value& object, std::string_view field, std::string_view rule, std::string expected,
                     std::initializer_list<std::string_view> beside) {
  const auto bad = [this](std::string_view key) { return !usable(key); };
  if (bad(field) || std::any_of(beside.begin(), beside.end(), bad)) return;
  const Value* at = object.find(field);
  const Level level(*this, std::string(field));
  const Value& place = at && at->at.file ? *at : object;
  error(place, "integrity_validation_failure: " + std::string(rule), std::move(expected), at ? shown(*at) : "");
}

void Checker::warn(const Value& at, std::string_view reason, std::string expected) {
  warnings_.add({.file = at.at.file ? *at.at.file : "",
                 .line = at.at.line,
                 .path = path(),
                 .reason = std::string(reason),
                 .value = {},
                 .expected = std::move(expected)});
}

void Checker::rename_aliases(const Struct& s, Value::Object& fields) {
  for (const Key& key : s.keys) {
    std::string_view names = key.opts.aliases;
    while (!names.empty()) {
      const auto space = names.find(' ');
      const auto old = fields.find(names.substr(0, space));
      names = space == names.npos ? std::string_view{} : names.substr(space + 1);
      if (old == fields.end()) continue;
      Value value = std::move(old->second);
      fields.erase(old);
      const auto [slot, added] = fields.try_emplace(std::string(key.name));
      if (added || slot->second.is_null()) {
        slot->second = std::move(value);
      } else if (slot->second.is_object() && value.is_object()) {  // the new name wins, maps are merged
        Value newer = std::move(slot->second);
        slot->second = std::move(value);
        merge(slot->second, std::move(newer), errors_, path());
      }
    }
  }
}

void Checker::refuse_unknown(const Struct& s, Value::Object& fields) {
  for (auto it = fields.begin(); it != fields.end();) {
    const bool dropped = std::find(s.dropped.begin(), s.dropped.end(), it->first) != s.dropped.end();
    if (dropped) {
      it = fields.erase(it);
      continue;
    }
    if (!s.open && !s.find(it->first)) {
      std::string expected;
      if (const auto near = detail::nearest(s, it->first); !near.empty())
        expected = fmt::format("a known key; did you mean {}?", near);
      if (expected.empty()) {
        std::vector<std::string_view> names;
        for (const Key& key : s.keys) {
          if (!key.opts.hidden && !key.opts.deprecated && !fields.contains(key.name)) names.push_back(key.name);
        }
        // All of them are there, perhaps by default: they are what may be written here.
        if (names.empty())
          for (const Key& key : s.keys)
            if (!key.opts.hidden && !key.opts.deprecated) names.push_back(key.name);
        constexpr std::size_t kMaxNames = 12;
        const bool more = names.size() > kMaxNames;
        names.resize(std::min(names.size(), kMaxNames));
        expected = names.empty() ? "a known key"
                                 : fmt::format("a known key: {}{}", fmt::join(names, ", "), more ? ", ..." : "");
      }
      const Level level(*this, it->first);
      error(it->second, "unknown_fields", std::move(expected), "");  // a misspelt password is unknown, too
    }
    ++it;
  }
}

void Checker::read_object(const Struct& s, Value& value, void* object) {
  if (path_.size() > static_cast<std::size_t>(kMaxDepth)) return error(value, "too_deep", "fewer levels", "");
  if (!value.is_object()) {
    return error(value, "bad_value_for_struct", fmt::format("an object {{ ... }} ({})", s.name), shown_here(value));
  }
  const auto* outer = std::exchange(bad_, nullptr);
  if (s.prepare) s.prepare(*this, value);
  auto& fields = *value.if_object();
  std::vector<std::string_view> bad;
  rename_aliases(s, fields);
  refuse_unknown(s, fields);
  for (const Key& key : s.keys) {
    auto it = fields.find(key.name);
    if (it != fields.end() && it->second.is_null()) {
      fields.erase(it);
      it = fields.end();
    }
    if (it == fields.end()) {
      if (!defaults_) continue;
      const Level level(*this, std::string(key.name));
      if (!key.default_value.is_null()) {
        it = fields.emplace(std::string(key.name), key.default_value).first;
      } else if (key.opts.required) {
        error(value, "required_field", detail::expectation(key), "");
        bad.push_back(key.name);
        continue;
      } else if (key.shape == Key::Shape::Object && key.child && !key.optional) {
        it = fields.emplace(std::string(key.name), Value(Value::Object{})).first;
      } else {
        continue;
      }
    }
    const Level level(*this, std::string(key.name));
    const Partial partial(*this, key.opts.partial);
    if (key.opts.secret) it->second.secret = true;
    if (key.opts.opaque) mask_by_name(it->second);
    const std::size_t before = error_count();
    key.read(*this, key, it->second, object);
    if (error_count() != before) bad.push_back(key.name);
  }
  if (s.finish) {
    bad_ = &bad;
    s.finish(*this, value, object);
  }
  bad_ = outer;
}

bool Checker::read_bool(const Key& key, Value& v, bool& out) {
  if (const auto* b = v.if_bool()) {
    out = *b;
    return true;
  }
  if (const auto* s = v.if_string(); s && (*s == "true" || *s == "false")) {
    out = *s == "true";
    v = keep_place(Value(out), v);
    return true;
  }
  error(key, v, "expected_boolean", "true or false");
  return false;
}

bool Checker::read_integer(const Key& key, Value& v, double type_min, double type_max, std::int64_t& out,
                           bool& infinite) {
  infinite = false;
  if (const auto* s = v.if_string(); s && has_word(key.opts.words, *s)) {
    infinite = *s == "infinity" || *s == "unlimited";
    out = 0;  // disabled
    return true;
  }
  std::optional<double> number;
  if (key.opts.size) {
    if (v.if_int() || v.if_string()) {
      if (const auto bytes = parse_size(v.text())) number = static_cast<double>(*bytes);
    }
  } else {
    number = as_number(v);
    if (number && *number != std::floor(*number)) number.reset();
  }
  if (!number) {
    error(key, v, key.opts.size ? "expected_bytesize" : "expected_integer", detail::expectation(key));
    return false;
  }
  const double low = std::max(type_min, key.opts.min);
  const double high = std::min({type_max, key.opts.max, 9.2e18});
  if (!(*number >= low && *number <= high)) {
    error(key, v, "out_of_range", detail::expectation(key));
    return false;
  }
  out = static_cast<std::int64_t>(*number);
  if (!key.opts.size && !v.if_int()) v = keep_place(Value(out), v);
  return true;
}

bool Checker::read_double(const Key& key, Value& v, double& out) {
  const auto number = as_number(v);
  if (!number || !std::isfinite(*number)) {
    error(key, v, "expected_number", detail::expectation(key));
    return false;
  }
  if (*number < key.opts.min || *number > key.opts.max) {
    error(key, v, "out_of_range", detail::expectation(key));
    return false;
  }
  out = *number;
  return true;
}

std::string Checker::expand(const std::string& text, const Value& at) {
  if (!text.starts_with('$')) return text;
  const auto slash = text.find('/');
  std::string name = text.substr(1, slash == text.npos ? text.npos : slash - 1);
  if (name.starts_with('{') && name.ends_with('}')) name = name.substr(1, name.size() - 2);
  auto it = env_.find(name);
  // The second family of names means the same.
  if (it == env_.end() && name.starts_with("EMQX_")) it = env_.find("SIGNALBOX_" + name.substr(5));
  if (it == env_.end()) {
    warn(at, "unresolved_environment_variable", fmt::format("${} is not set; the path is kept as written", name));
    return text;
  }
  return it->second + (slash == text.npos ? "" : text.substr(slash));
}

bool Checker::read_text(const Key& key, Value& v, std::string& out) {
  if (!v.is_scalar() || v.is_null()) {
    error(key, v, "expected_string", detail::expectation(key));
    return false;
  }
  out = v.text();
  if (out.find('\0') != out.npos) {
    error(key, v, "bad_string", "a text without NUL");
    return false;
  }
  if (out.size() < static_cast<std::size_t>(std::max(0.0, key.opts.min)) ||
      (key.opts.max<kUnbounded&& static_cast<double>(out.size())> key.opts.max)) {
    error(key, v, "out_of_range",
          key.opts.max < kUnbounded ? fmt::format("a text of {}..{} bytes", std::max(0.0, key.opts.min), key.opts.max)
                                    : fmt::format("a text of at least {} byte(s)", key.opts.min));
    return false;
  }
  if (!v.is_string()) v = keep_place(Value(out), v);
  if (key.opts.path) out = expand(out, v);
  return true;
}

bool Checker::read_duration(const Key& key, Value& v, microseconds plain, bool allow_us, microseconds& out,
                            bool& infinite) {
  infinite = false;
  if (const auto* s = v.if_string(); s && has_word(key.opts.words, *s)) {
    infinite = *s == "infinity";
    out = microseconds(0);  // disabled
    return true;
  }
  std::optional<microseconds> us;
  if (v.if_int() || v.if_string()) us = parse_duration(v.text(), plain, allow_us);
  if (!us) {
    error(key, v, "expected_duration", detail::expectation(key));
    return false;
  }
  const double ms = static_cast<double>(us->count()) / 1000;
  if (ms < key.opts.min || ms > key.opts.max) {
    error(key, v, "out_of_range", detail::expectation(key));
    return false;
  }
  if (key.opts.max >= kUnbounded && ms > static_cast<double>(kTimerMaxMs)) {
    error(key, v, "timeout value too large", fmt::format("max: {}ms", kTimerMaxMs));
    return false;
  }
  out = *us;
  return true;
}

bool Checker::read_percent(const Key& key, Value& v, Percent& out) {
  if (v.is_scalar() && !v.is_null()) {
    if (const auto p = parse_percent(v.text())) {
      out = *p;
      return true;
    }
  }
  error(key, v, "expected_percent", detail::expectation(key));
  return false;
}

bool Checker::read_rate(const Key& key, Value& v, Rate& out) {
  if (v.if_int() || v.if_string()) {
    if (const auto r = parse_rate(v.text())) {
      out = *r;
      return true;
    }
  }
  error(key, v, "expected_rate", detail::expectation(key));
  return false;
}

bool Checker::read_bind(const Key& key, Value& v, Bind& out) {
  if (v.if_int() || v.if_string()) {
    if (auto b = parse_bind(v.text())) {
      out = std::move(*b);
      return true;
    }
  }
  error(key, v, "bad_ip_port", detail::expectation(key));
  return false;
}

bool Checker::read_symbol(const Key& key, Value& v, std::size_t& out) {
  if (v.is_scalar() && !v.is_null()) {
    const std::string text = v.text();
    for (std::size_t i = 0; i < key.symbols.size(); ++i) {
      if (key.symbols[i] == text) {
        out = i;
        return true;
      }
    }
  }
  error(key, v, "not_a_enum_symbol", detail::expectation(key));
  return false;
}

bool Checker::read_elements(const Key& key, Value& v, bool scalars) {
  if (v.is_array()) return true;
  const Location at = v.at;
  if (const auto* o = v.if_object(); o && !o->empty() && o->contains("1")) {
    // {"1": ..., "2": ...}: index keys without a list below.
    Value list(Value::Array{});
    list.at = at;
    Problems problems;
    merge(list, v, problems, path());
    if (problems.empty() && list.is_array()) {
      v = std::move(list);
      return true;
    }
  }
  if (scalars && v.is_scalar() && !v.is_null()) {
    Value::Array parts;
    const std::string text = v.text();
    std::string_view rest = text;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      std::string_view part = rest.substr(0, comma);
      rest = comma == rest.npos ? std::string_view{} : rest.substr(comma + 1);
      const auto first = part.find_first_not_of(" \t\n");
      if (first == part.npos) continue;
      part = part.substr(first, part.find_last_not_of(" \t\n") - first + 1);
      Value element(part);
      element.at = at;
      parts.push_back(std::move(element));
    }
    v = Value(std::move(parts));
    v.at = at;
    return true;
  }
  const auto* indexed = v.if_object();
  const bool numbers =
      indexed && !indexed->empty() && std::all_of(indexed->begin(), indexed->end(), [](const auto& member) {
        return member.first.find_first_not_of("0123456789") == member.first.npos;
      });
  if (numbers)
    error(key, v, "bad_array_index", "a list [ ... ], or its elements by number from 1 on, none left out");
  else
    error(key, v, "expected_list", "a list [ ... ]");
  return false;
}

std::vector<std::pair<std::string, Value*>> Checker::read_members(const Key& key, Value& v) {
  std::vector<std::pair<std::string, Value*>> out;
  if (const auto* word = v.if_string(); word && has_word(key.opts.words, *word)) return out;  // disabled: an empty map
  if (!v.is_object()) {
    error(key, v, "bad_value_for_struct", fmt::format("an object {{ name {{ ... }} }} ({})", key.name));
    return out;
  }
  auto& members = *v.if_object();
  for (auto it = members.begin(); it != members.end();) {
    if (it->second.is_null()) {
      it = members.erase(it);
      continue;
    }
    const Level level(*this, it->first);
    const auto* text = it->second.if_string();
    if (!valid_map_key(it->first) && key.child) {
      error(it->second, "invalid_map_key", "a name of letters, digits, - and _, at most 255 bytes", "");
    } else if (!(key.opts.tombstones && text && *text == "marked_for_deletion")) {
      out.emplace_back(it->first, &it->second);
    }
    ++it;
  }
  return out;
}

bool knows_path(const Struct& s, std::string_view path) {
  const auto dot = path.find('.');
  const std::string_view head = path.substr(0, dot);
  const std::string_view tail = dot == path.npos ? std::string_view{} : path.substr(dot + 1);
  const Key* key = s.find(head);
  if (!key) return s.open || std::find(s.dropped.begin(), s.dropped.end(), head) != s.dropped.end();
  if (tail.empty()) return true;
  if (key->shape == Key::Shape::Any) return true;
  if (key->shape == Key::Shape::Scalar) return false;
  if (key->shape == Key::Shape::Object) return key->child && knows_path(*key->child, tail);
  // The next part is a name or an index.
  const auto next = tail.find('.');
  if (next == tail.npos || !key->child) return true;
  return knows_path(*key->child, tail.substr(next + 1));
}

const Key* find_key(const Struct& s, std::string_view path) {
  const auto dot = path.find('.');
  const Key* key = s.find(path.substr(0, dot));
  if (!key || dot == path.npos) return key;
  path.remove_prefix(dot + 1);
  if (!key->child) return nullptr;
  if (key->shape == Key::Shape::Object) return find_key(*key->child, path);
  const auto next = path.find('.');
  return next == path.npos ? nullptr : find_key(*key->child, path.substr(next + 1));
}

void mask_by_name(Value& value) {
  if (auto* o = value.if_object()) {
    for (auto& [key, child] : *o) {
      if (child.is_scalar() && !child.is_null() && !child.if_bool() && detail::sounds_secret(key)) child.secret = true;
      mask_by_name(child);
    }
  } else if (auto* a = value.if_array()) {
    for (Value& child : *a) mask_by_name(child);
  }
}

}  // namespace sb::config
