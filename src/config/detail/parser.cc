#include "config/detail/parser.h"

#include "config/detail/pending.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>

namespace sb::config::detail {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}
bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '@' || c == '%' || c == '|';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A bare word as the literal it spells.
Value literal(std::string_view word) {
  if (word == "true") return Value(true);
  if (word == "false") return Value(false);
  if (word == "null") return {};
  std::int64_t i = 0;
  const char* end = word.data() + word.size();
  if (auto r = std::from_chars(word.data(), end, i); r.ec == std::errc{} && r.ptr == end) return Value(i);
  const bool numeric = word.find_first_not_of("0123456789.eE+-") == word.npos && (is_digit(word[0]) || word[0] == '-');
  double d = 0;
  if (numeric) {
    if (auto r = std::from_chars(word.data(), end, d); r.ec == std::errc{} && r.ptr == end) return Value(d);
  }
  return Value(std::string(word));
}

}  // namespace

Parser::Parser(std::string_view text, std::string name, std::vector<std::string> prefix, const ParseOptions& options,
               Budget& budget, Problems& problems)
    : text_(text),
      file_(std::make_shared<const std::string>(std::move(name))),
      prefix_(std::move(prefix)),
      options_(options),
      budget_(budget),
      problems_(problems) {
  if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
}

void Parser::advance() {
  if (peek() == '\n') ++line_;
  ++pos_;
}

void Parser::skip_comment() {
  while (!at_end() && peek() != '\n') ++pos_;
}

void Parser::skip_blank() {
  while (is_blank(peek()) && !at_end()) ++pos_;
}

bool Parser::skip_space() {
  bool new_line = false;
  while (!at_end()) {
    const char c = peek();
    if (c == '\n') {
      new_line = true;
      advance();
    } else if (is_blank(c)) {
      ++pos_;
    } else if (c == '#' || (c == '/' && peek(1) == '/')) {
      skip_comment();
    } else if (text_.substr(pos_).starts_with("\xC2\xA0")) {  // a no-break space pasted from a web page
      pos_ += 2;
    } else {
      break;
    }
  }
  return new_line;
}

bool Parser::error(std::string_view kind, std::string expected, std::string found) {
  ++errors_;
  std::string path;
  for (const std::string& part : prefix_) path = join_path(path, part);
  for (const std::string& part : key_) path = join_path(path, part);
  problems_.add({.file = *file_,
                 .line = line_,
                 .path = std::move(path),
                 .reason = std::string(kind),
                 .value = std::move(found),
                 .expected = std::move(expected)});
  return false;
}

std::string Parser::found_here() const {
  if (at_end()) return "end of file";
  if (peek() == '\n') return "end of line";
  // The character, not what follows: that may be a password.
  const auto c = static_cast<unsigned char>(peek());
  if (c < 0x20 || c >= 0x7f) return fmt::format("byte 0x{:02x}", c);
  return fmt::format("'{}'", peek());
}

void Parser::recover() {
  while (!at_end() && peek() != '\n') ++pos_;
}

Value Parser::parse_root() {
  Value::Object fields;
  const Location at = here();
  skip_space();
  if (peek() == '{') {
    Value object;
    if (parse_object(object)) {
      skip_space();
      if (!at_end()) error("parse_error", "end of file after the closing brace", found_here());
      if (auto* o = object.if_object()) fields = std::move(*o);
    }
  } else {
    parse_fields(fields, false);
  }
  Value root(std::move(fields));
  root.at = at;
  return root;
}

bool Parser::parse_single(Value& out) {
  skip_space();
  if (at_end() || !parse_value(out, Where::Element)) return false;
  skip_space();
  return at_end();
}

void Parser::parse_fields(Value::Object& into, bool braces) {
  while (errors_ < kMaxSyntaxErrors) {
    // No separator is asked for: a value ends where the next key begins (`continues`).
    skip_space();
    if (peek() == ',' && !at_end()) {
      advance();
      continue;
    }
    if (at_end()) return;
    if (peek() == '}') {
      if (braces) return;
      error("parse_error", "a key; this brace closes nothing", "'}'");
      advance();
      continue;
    }
    if (!parse_field(into)) recover();
  }
}

bool Parser::is_include() const {
  if (!at_text("include")) return false;
  std::size_t i = pos_ + 7;
  while (i < text_.size() && is_blank(text_[i])) ++i;
  return i < text_.size() && (text_[i] == '"' || text_.substr(i).starts_with("required("));
}

bool Parser::parse_field(Value::Object& into) {
  if (is_include()) return parse_include(into);
  const std::size_t outer = key_.size();
  std::vector<std::string> path;
  if (!parse_key(path)) return false;
  if (outer + path.size() > static_cast<std::size_t>(kMaxDepth)) return error("parse_error", "fewer levels of keys");
  key_.insert(key_.end(), path.begin(), path.end());
  const Location at = here();
  skip_blank();
  if (peek() == '=' || peek() == ':') {
    advance();
    skip_space();
  } else if (peek() != '{') {
    const bool brace_below = [&] {
      std::size_t i = pos_;
      while (i < text_.size() && (is_blank(text_[i]) || text_[i] == '\n')) ++i;
      return i < text_.size() && text_[i] == '{';
    }();
    if (!brace_below) {
      error("parse_error", "'=', ':' or '{' after the key", found_here());
      key_.resize(outer);
      return false;
    }
    skip_space();
  }
  Value value;
  const bool good = parse_value(value, Where::Field);
  key_.resize(outer);
  if (!good) return false;
  value.at = at;  // the line of the key is where a reader looks
  assign(into, path, std::move(value));
  return true;
}

void Parser::assign(Value::Object& into, const std::vector<std::string>& path, Value value) {
  const Location at = value.at;
  for (auto it = path.rbegin(); it != path.rend() - 1; ++it) {
    Value::Object wrap;
    wrap.emplace(*it, std::move(value));
    value = Value(std::move(wrap));
    value.at = at;
  }
  const auto [slot, added] = into.try_emplace(path.front());
  if (added) {
    slot->second = std::move(value);
  } else {
    merge(slot->second, std::move(value), problems_, path.front());
  }
}

bool Parser::parse_key(std::vector<std::string>& path) {
  while (true) {
    std::string part;
    if (peek() == '"') {
      if (!parse_quoted(part)) return false;
    } else {
      while (!at_end() && is_key_char(peek())) {
        part += peek();
        ++pos_;
      }
      if (part.empty()) return error("scan_error", "a key", found_here());
    }
    path.push_back(std::move(part));
    if (path.size() > static_cast<std::size_t>(kMaxDepth)) return error("parse_error", "fewer levels of keys");
    if (peek() != '.') return true;
    ++pos_;
  }
}

bool Parser::key_follows() const {
  // A quoted string or a word, then a separator: the next field, not more of this value. A bare key begins with a
  // letter here, so that `0.0.0.0:1883` stays a value.
  std::size_t i = pos_;
  const auto letter = static_cast<char>(peek() | 0x20);
  if (peek() != '"' && (letter < 'a' || letter > 'z')) return false;
  while (i < text_.size()) {
    if (text_[i] == '"') {
      ++i;
      while (i < text_.size() && text_[i] != '"' && text_[i] != '\n') i += text_[i] == '\\' ? 2 : 1;
      if (i >= text_.size() || text_[i] != '"') return false;
      ++i;
    } else if (is_key_char(text_[i]) || text_[i] == '.') {
      ++i;
    } else {
      break;
    }
  }
  while (i < text_.size() && is_blank(text_[i])) ++i;
  return i < text_.size() && (text_[i] == '=' || text_[i] == ':' || text_[i] == '{');
}

bool Parser::continues(Where where, bool new_line, const Value& so_far) {
  if (at_end()) return false;
  const char c = peek();
  if (c == ',' || c == '}' || c == ']') return false;
  if (where == Where::Element) {
    // In lists a new line separates, and a number or true is whole in itself: [1 2] has two elements, [a b] one text.
    return !new_line && !(so_far.is_scalar() && !so_far.is_string());
  }
  if (is_include() || key_follows()) return false;
  if (!new_line) return true;
  // A new line does not end a concatenation.
  if (c == '"') return so_far.is_string() || so_far.is_pending();
  if (c == '[') return so_far.is_array() || so_far.is_pending();
  if (c == '{') return so_far.is_object() || so_far.is_pending();
  return false;
}

bool Parser::parse_value(Value& out, Where where) {
  out = {};
  if (!parse_piece(out)) return false;
  const Location at = out.at;
  std::shared_ptr<Pending> concat;  // once a substitution is among the pieces
  const auto defer = [&](Value first) {
    concat = std::make_shared<Pending>();
    concat->kind = Pending::Kind::Concat;
    concat->parts.push_back(std::move(first));
  };
  while (true) {
    const std::size_t saved = pos_;
    const std::uint32_t saved_line = line_;
    const bool new_line = skip_space();
    if (!continues(where, new_line, concat ? concat->parts.back() : out)) {
      // Leave the line end for the caller: it separates fields.
      pos_ = saved;
      line_ = saved_line;
      break;
    }
    Value next;
    if (!parse_piece(next)) return false;
    if (!concat && (out.is_pending() || next.is_pending())) defer(std::move(out));
    if (concat) {
      concat->parts.push_back(std::move(next));
    } else if (!concatenate(out, std::move(next), problems_)) {
      return error("parse_error", "values of one kind next to each other: texts, lists or objects");
    }
  }
  if (concat) out = Value(std::move(concat));
  out.at = at;
  return true;
}

bool Parser::parse_piece(Value& out) {
  const Location at = here();
  bool good = false;
  if (peek() == '{') {
    good = parse_object(out);
  } else if (peek() == '[') {
    good = parse_array(out);
  } else if (peek() == '"') {
    std::string text;
    good = at_text("\"\"\"") ? parse_multiline(text) : parse_quoted(text);
    if (good) out = Value(std::move(text));
  } else if (peek() == '$') {
    good = parse_substitution(out);
  } else {
    good = parse_unquoted(out);
  }
  out.at = at;
  return good;
}

bool Parser::parse_object(Value& out) {
  if (++depth_ > kMaxDepth / 2) {
    --depth_;
    return error("parse_error", fmt::format("at most {} levels of nesting", kMaxDepth / 2));
  }
  const std::uint32_t opened = line_;
  advance();
  Value::Object fields;
  parse_fields(fields, true);
  --depth_;
  if (errors_ >= kMaxSyntaxErrors) return false;
  if (peek() != '}' || at_end()) {
    return error("parse_error", fmt::format("'}}' for the brace opened at line {}", opened), found_here());
  }
  advance();
  out = Value(std::move(fields));
  return true;
}

bool Parser::parse_array(Value& out) {
  if (++depth_ > kMaxDepth / 2) {
    --depth_;
    return error("parse_error", fmt::format("at most {} levels of nesting", kMaxDepth / 2));
  }
  const std::uint32_t opened = line_;
  advance();
  Value::Array elements;
  bool good = false;
  while (true) {
    skip_space();
    if (at_end()) {
      error("parse_error", fmt::format("']' for the bracket opened at line {}", opened), "end of file");
      break;
    }
    if (peek() == ']') {
      advance();
      good = true;
      break;
    }
    if (peek() == ',') {
      advance();
      continue;
    }
    Value element;
    if (!parse_value(element, Where::Element)) break;
    elements.push_back(std::move(element));
  }
  --depth_;
  if (good) out = Value(std::move(elements));
  return good;
}

bool Parser::parse_unquoted(Value& out) {
  const std::size_t start = pos_;
  while (!at_end()) {
    const char c = peek();
    const char next = peek(1);
    // ':' and '/' are legal inside a word where they can be nothing else: 0.0.0.0:1883, 100MB/10s.
    const bool inner = (c == ':' && (is_digit(next) || next == ':')) || (c == '/' && next != '/' && pos_ > start);
    if (!is_key_char(c) && c != '.' && c != '+' && !inner) break;
    ++pos_;
  }
  if (pos_ == start) return error("scan_error", "a value; texts with other characters need quotes", found_here());
  out = literal(text_.substr(start, pos_ - start));
  return true;
}

bool Parser::parse_substitution(Value& out) {
  if (!at_text("${")) return error("scan_error", "a value; '$' begins a ${path}", "'$'");
  pos_ += 2;
  auto pending = std::make_shared<Pending>();
  if (peek() == '?') {
    pending->optional = true;
    ++pos_;
  }
  skip_blank();
  if (!parse_key(pending->path)) return false;
  skip_blank();
  if (peek() != '}') return error("scan_error", "'}' after the path of a substitution", found_here());
  ++pos_;
  pending->prefix = prefix_;
  out = Value(std::move(pending));
  return true;
}

bool Parser::parse_include(Value::Object& into) {
  pos_ += 7;
  skip_blank();
  const bool required = at_text("required(");
  if (required) {
    pos_ += 9;
    skip_blank();
  }
  std::string name;
  if (peek() != '"') return error("parse_error", "a quoted file name after include", found_here());
  if (!parse_quoted(name)) return false;
  if (required) {
    skip_blank();
    if (peek() != ')') return error("parse_error", "')' after required(\"file\"", found_here());
    ++pos_;
  }
  include_file(name, required, into);
  return true;
}

void Parser::include_file(const std::string& name, bool required, Value::Object& into) {
  namespace fs = std::filesystem;
  std::vector<std::string> candidates;
  if (fs::path(name).is_absolute()) {
    candidates.push_back(name);
  } else {
    candidates.push_back((fs::path(*file_).parent_path() / name).lexically_normal().string());
    for (const std::string& dir : options_.include_dirs) candidates.push_back((fs::path(dir) / name).string());
  }
  for (const std::string& path : candidates) {
    const auto seen = std::find(budget_.chain.begin(), budget_.chain.end(), path);
    if (seen != budget_.chain.end()) {
      std::string chain;
      for (auto it = seen; it != budget_.chain.end(); ++it) chain += *it + " -> ";
      error("include_error", "files that do not include each other: " + chain + path, name);
      return;
    }
    auto content = read_file(path, options_);
    if (!content) continue;
    budget_.bytes += content->size();
    if (++budget_.files > kMaxIncludes || budget_.chain.size() > kMaxIncludeDepth || budget_.bytes > kMaxTotalBytes ||
        content->size() > kMaxFileBytes) {
      error("include_error",
            fmt::format("at most {} included files, {} deep, {} MB each", kMaxIncludes, kMaxIncludeDepth,
                        kMaxFileBytes >> 20),
            name);
      return;
    }
    std::vector<std::string> prefix = prefix_;
    prefix.insert(prefix.end(), key_.begin(), key_.end());
    if (prefix.size() > static_cast<std::size_t>(kMaxDepth) / 2) {
      error("include_error", "an include point less deep", name);
      return;
    }
    budget_.chain.push_back(path);
    Parser inner(*content, path, std::move(prefix), options_, budget_, problems_);
    inner.depth_ = depth_;
    Value root = inner.parse_root();
    budget_.chain.pop_back();
    errors_ += inner.errors_;
    for (auto& [key, value] : *root.if_object()) assign(into, {key}, std::move(value));
    return;
  }
  budget_.missing_include = true;
  // An include that is not there is nothing, but one that is there and cannot be read was meant.
  std::error_code ec;
  const auto unreadable = std::find_if(candidates.begin(), candidates.end(), [&](const std::string& path) {
    return !options_.read && fs::exists(path.empty() ? fs::path(".") : fs::path(path), ec);
  });
  if (unreadable != candidates.end())
    error("include_error", fmt::format("a file that can be read, not {}", *unreadable), name);
  else if (required)
    error("include_error", "an existing file; looked for " + fmt::format("{}", fmt::join(candidates, ", ")), name);
}

std::optional<std::string> read_file(const std::string& path, const ParseOptions& options) {
  if (options.read) return options.read(path);
  std::error_code ec;
  if (!std::filesystem::is_regular_file(path, ec)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string content;
  char block[65536];
  while (in.read(block, sizeof block) || in.gcount() > 0) {
    content.append(block, static_cast<std::size_t>(in.gcount()));
    if (content.size() > kMaxFileBytes) break;  // the caller refuses it by its size
  }
  return content;
}

}  // namespace sb::config::detail
