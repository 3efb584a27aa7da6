#include "config/hocon.h"

#include "config/detail/parser.h"
#include "config/detail/pending.h"

#include <fmt/format.h>

#include <filesystem>

namespace sb::config {
namespace detail {

bool concatenate(Value& left, Value right, Problems& problems) {
  if (left.is_missing()) {
    left = std::move(right);
    return true;
  }
  if (right.is_missing()) return true;
  if (left.is_object() && right.is_object()) {
    merge(left, std::move(right), problems);
    return true;
  }
  if (left.is_array() && right.is_array()) {
    auto& to = *left.if_array();
    for (Value& v : *right.if_array()) to.push_back(std::move(v));
    return true;
  }
  if (!left.is_scalar() || !right.is_scalar()) return false;
  const Location at = left.at;
  left = Value((left.is_null() ? "null" : left.text()) + (right.is_null() ? "null" : right.text()));
  left.at = at;
  return true;
}

namespace {

/// Replaces pending nodes in place. Recursion is bounded by kMaxDepth per tree and kMaxChain across substitutions.
class Resolver {
 public:
  Resolver(Value& root, Problems& problems) : root_(root), problems_(problems) {}

  void run() { descend(root_, {}); }

 private:
  static constexpr int kMaxChain = 24;

  void complain(const Value& at, const std::string& path, std::string reason, std::string value, std::string expected) {
    failed_ = true;
    problems_.add({.file = at.at.file ? *at.at.file : "",
                   .line = at.at.line,
                   .path = path,
                   .reason = std::move(reason),
                   .value = std::move(value),
                   .expected = std::move(expected)});
  }

  void descend(Value& v, const std::string& path) {
    if (auto* o = v.if_object()) {
      for (auto& [key, child] : *o) descend(child, join_path(path, key));
    } else if (auto* a = v.if_array()) {
      for (std::size_t i = 0; i < a->size(); ++i) {
        if (!(*a)[i].is_scalar()) descend((*a)[i], join_path(path, std::to_string(i + 1)));
      }
    } else if (v.is_pending()) {
      settle(v, path);
    }
  }

  /// Makes `v`, a pending node, a plain one (its children may still be pending until descend()).
  void settle(Value& v, const std::string& path) {
    const Value::PendingPtr pending = *v.if_pending();
    const Location at = v.at;
    if (overspent_) {  // what else there is must not cost anything any more
      v = Value(Value::Missing{});
      v.at = at;
      return;
    }
    if (pending->resolving || chain_ >= kMaxChain) {
      complain(v, path, pending->resolving ? "substitution_cycle" : "too_deep", {},
               "substitutions that do not depend on themselves");
      v = Value(Value::Missing{});
      return;
    }
    pending->resolving = true;
    ++chain_;
    Value result = evaluate(*pending, v, path);
    --chain_;
    pending->resolving = false;
    v = std::move(result);
    v.at = at;
  }

  Value evaluate(Pending& pending, const Value& node, const std::string& path) {
    if (pending.kind == Pending::Kind::Substitution) return substitute(pending, node, path);
    Value result(Value::Missing{});
    for (const Value& original : pending.parts) {
      Value part = original;
      if (!charge(part, node, path)) return Value(Value::Missing{});
      descend(part, path);
      if (part.is_missing()) continue;
      if (pending.kind == Pending::Kind::Stack) {
        if (result.is_missing()) {
          result = std::move(part);
        } else {
          merge(result, std::move(part), problems_, path);
        }
      } else if (!concatenate(result, std::move(part), problems_)) {
        complain(node, path, "parse_error", {}, "values of one kind next to each other: texts, lists or objects");
        return Value(Value::Missing{});
      }
    }
    if (depth(result) > kMaxDepth) {
      complain(node, path, "too_deep", {}, fmt::format("at most {} levels of nesting", kMaxDepth));
      return Value(Value::Missing{});
    }
    return result;
  }

  Value substitute(Pending& pending, const Value& node, const std::string& path) {
    // Inside an included file a path means the include point first, then the root.
    std::vector<std::string> full = pending.prefix;
    full.insert(full.end(), pending.path.begin(), pending.path.end());
    Value* found = find(full);
    if (!found && !pending.prefix.empty()) found = find(pending.path);
    std::string name;
    for (const std::string& part : pending.path) name = join_path(name, part);
    if (found) {
      descend(*found, name);
      if (!found->is_missing() && !found->is_null()) {
        if (!charge(*found, node, path)) return Value(Value::Missing{});
        if (depth(*found) > kMaxDepth / 2) {
          complain(node, path, "too_deep", "${" + name + "}",
                   fmt::format("at most {} levels of nesting", kMaxDepth / 2));
          return Value(Value::Missing{});
        }
        return *found;
      }
    }
    if (!pending.optional && !failed_) {
      complain(node, path, "unresolved_substitution", "${" + name + "}", "the path of a key that is set");
    }
    return Value(Value::Missing{});
  }

  Value* find(const std::vector<std::string>& path) {
    Value* at = &root_;
    std::string name;
    for (const std::string& part : path) {
      if (at->is_pending()) settle(*at, name);
      name = join_path(name, part);
      if (auto* list = at->if_array()) {
        const std::size_t n =
            part.size() < 6 && part.find_first_not_of("0123456789") == part.npos ? std::stoul("0" + part) : 0;
        if (n == 0 || n > list->size()) return nullptr;
        at = &(*list)[n - 1];
        continue;
      }
      at = at->find(part);
      if (!at) return nullptr;
    }
    return at;
  }

  /// In memory: a number of one digit takes more of it than its text.
  static std::size_t weight(const Value& v) {
    std::size_t sum = sizeof(Value);
    if (const auto* o = v.if_object()) {
      for (const auto& [key, child] : *o) sum += key.size() + weight(child);
    } else if (const auto* a = v.if_array()) {
      for (const Value& child : *a) sum += weight(child);
    } else if (const auto* s = v.if_string()) {
      sum += s->size();
    }
    return sum;
  }

  bool charge(const Value& copied, const Value& node, const std::string& path) {
    copied_ += weight(copied);
    if (copied_ <= kMaxExpansion) return true;
    if (!overspent_)
      complain(node, path, "too_big", {}, fmt::format("substitutions that grow to at most {} MB", kMaxExpansion >> 20));
    overspent_ = true;
    return false;
  }

  Value& root_;
  Problems& problems_;
  std::size_t copied_ = 0;
  int chain_ = 0;
  bool overspent_ = false;
  bool failed_ = false;  // one cause, one report: what follows from a cycle is not told again
};

}  // namespace
}  // namespace detail

Parsed parse_text(std::string_view text, const std::string& name, const ParseOptions& options, Problems& problems) {
  Parsed out{.root = Value(Value::Object{})};
  if (text.size() > kMaxFileBytes) {
    problems.add({.file = name,
                  .line = 0,
                  .path = {},
                  .reason = "scan_error",
                  .value = {},
                  .expected = fmt::format("a file of at most {} MB", kMaxFileBytes >> 20)});
    return out;
  }
  detail::Budget budget;
  budget.bytes = text.size();
  budget.chain.push_back(std::filesystem::path(name).lexically_normal().string());
  detail::Parser parser(text, name, {}, options, budget, problems);
  out.root = parser.parse_root();
  out.missing_include = budget.missing_include;
  return out;
}

Parsed parse_file(const std::string& path, const ParseOptions& options, Problems& problems) {
  const auto content = detail::read_file(path, options);
  if (!content) {
    problems.add({.file = path,
                  .line = 0,
                  .path = {},
                  .reason = "cannot_read_file",
                  .value = {},
                  .expected = "a readable file"});
    return {.root = Value(Value::Object{})};
  }
  return parse_text(*content, path, options, problems);
}

std::optional<Value> parse_value(std::string_view text, const std::string& name) {
  if (text.size() > kMaxFileBytes) return std::nullopt;
  Problems problems;
  detail::Budget budget;
  const ParseOptions options{.read = [](const std::string&) { return std::nullopt; }, .include_dirs = {}};
  detail::Parser parser(text, name, {}, options, budget, problems);
  Value out;
  if (!parser.parse_single(out) || !problems.empty()) return std::nullopt;
  if (out.is_pending() || budget.missing_include) return std::nullopt;
  Value wrap(Value::Object{{"v", std::move(out)}});
  resolve(wrap, problems);
  if (!problems.empty()) return std::nullopt;
  return std::move(*wrap.find("v"));
}

void resolve(Value& root, Problems& problems) {
  detail::Resolver(root, problems).run();
}

Value parse_document(std::string_view text, const std::string& name, Problems& problems) {
  const ParseOptions options{.read = [](const std::string&) { return std::nullopt; }, .include_dirs = {}};
  Parsed parsed = parse_text(text, name, options, problems);
  if (parsed.missing_include)
    problems.add(
        {.file = name, .line = 0, .path = {}, .reason = "include is not allowed here", .value = {}, .expected = {}});
  if (problems.empty()) resolve(parsed.root, problems);
  return std::move(parsed.root);
}

}  // namespace sb::config
