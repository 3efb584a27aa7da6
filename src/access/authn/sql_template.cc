#include "access/authn/sql_template.h"

#include <fmt/format.h>

#include <algorithm>

namespace sb::access::authn {

namespace {
constexpr std::size_t kStatementMax = 64 << 10;
constexpr std::size_t kParametersMax = 64;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Goes through a statement by its lexical parts. Knows as much of both dialects as tells text from code; where they
/// differ (backslashes in literals) it takes the reading that ends the literal later, which refuses more.
class Scanner {
 public:
  Scanner(std::string_view text, SqlParameter style) : rest_(text), style_(style) {}

  Result<> run() {
    while (!rest_.empty()) SB_CHECKED(step());
    return {};
  }
  std::string out;
  std::vector<Template::Field> fields;
  std::string first_word;

 private:
  Result<> step() {
    if (ended_ && !is_space(rest_[0])) return fail(Errc::Invalid, "text behind ';': one statement only");
    if (rest_.starts_with("${")) return placeholder();
    if (rest_.starts_with("--") || (style_ == SqlParameter::QuestionMark && rest_[0] == '#'))
      return skip("\n", "a comment");
    if (rest_.starts_with("/*")) return comment();
    if (rest_[0] == '\'' || rest_[0] == '"' || (rest_[0] == '`' && style_ == SqlParameter::QuestionMark))
      return quoted();
    if (style_ == SqlParameter::QuestionMark && rest_[0] == '?')
      return fail(Errc::Invalid, "'?' is a parameter: write ${username} or another placeholder instead");
    if (rest_[0] == '$' && style_ == SqlParameter::Dollar) return dollar();
    if (is_word(rest_[0])) return word();
    if (rest_[0] == ';') {
      ended_ = true;  // and not sent: some servers count it as an empty second statement
      rest_.remove_prefix(1);
      return {};
    }
    take(1);
    return {};
  }

  void take(std::size_t count) {
    out += rest_.substr(0, count);
    rest_.remove_prefix(count);
  }

  Result<> placeholder() {
    const auto end = rest_.find('}');
    if (end == std::string_view::npos) return fail(Errc::Invalid, "'${' without '}'");
    const std::string_view name = rest_.substr(2, end - 2);
    if (name == "$") {
      out += '$';
      rest_.remove_prefix(end + 1);
      return {};
    }
    const auto field = Template::field_of(name);
    if (field == Template::Field::None) return fail(Errc::Invalid, fmt::format("unknown placeholder ${{{}}}", name));
    fields.push_back(field);
    if (fields.size() > kParametersMax)
      return fail(Errc::Invalid, fmt::format("more than {} placeholders", kParametersMax));
    out += style_ == SqlParameter::Dollar ? fmt::format("${}", fields.size()) : "?";
    rest_.remove_prefix(end + 1);
    return {};
  }

  Result<> word() {
    std::size_t size = 1;
    while (size < rest_.size() && is_word(rest_[size]) && rest_.substr(size, 2) != "${") ++size;
    if (first_word.empty()) first_word = rest_.substr(0, size);
    take(size);
    return {};
  }

  /// A part that is taken as it is, up to and with `end`.
  Result<> skip(std::string_view end, std::string_view what, std::size_t opening = 0) {
    const auto at = rest_.find(end, opening);
    if (at == std::string_view::npos && end != "\n") return fail(Errc::Invalid, fmt::format("{} does not end", what));
    const std::size_t size = at == std::string_view::npos ? rest_.size() : at + end.size();
    if (rest_.substr(0, size).find("${") != std::string_view::npos)
      return fail(Errc::Invalid, fmt::format("a placeholder inside {}", what));
    take(size);
    return {};
  }

  Result<> comment() {
    // MySQL runs what is in such a comment.
    if (rest_.starts_with("/*!") || rest_.starts_with("/*M!")) return fail(Errc::Invalid, "a comment that is code");
    if (const auto end = rest_.find("*/", 2); rest_.substr(2, end - 2).find("/*") != std::string_view::npos)
      return fail(Errc::Invalid, "a comment inside a comment");
    return skip("*/", "a comment", 2);
  }

  Result<> quoted() {
    const char quote = rest_[0];
    std::size_t size = 1;
    for (;; ++size) {
      if (size >= rest_.size()) return fail(Errc::Invalid, fmt::format("{} without its end", quote));
      if (rest_[size] == '\\' && quote != '`' && style_ == SqlParameter::QuestionMark) {
        ++size;
        continue;
      }
      if (rest_[size] != quote) continue;
      if (rest_.substr(size + 1, 1) != std::string_view(&quote, 1)) break;
      ++size;
    }
    const std::string_view inside = rest_.substr(1, size - 1);
    const bool alone = quote != '`' && inside.starts_with("${") && inside.find('}') == inside.size() - 1;
    if (alone && inside != "${$}") {
      const std::string_view behind = rest_.substr(size + 1);
      rest_ = inside;
      SB_CHECKED(placeholder());
      rest_ = behind;
      return {};
    }
    if (inside.find("${") != std::string_view::npos)
      return fail(
          Errc::Invalid,
          fmt::format("a placeholder inside {0}...{0}: it must stand alone, as in username = ${{username}}", quote));
    take(size + 1);
    return {};
  }

  /// PostgreSQL: $1, or a literal between $tag$ and $tag$.
  Result<> dollar() {
    std::size_t size = 1;
    while (size < rest_.size() && is_word(rest_[size]) && rest_[size] != '$') ++size;
    if (size < rest_.size() && rest_[size] == '$') {
      const std::string_view tag = rest_.substr(0, size + 1);
      return skip(tag, "a literal in dollars", tag.size());
    }
    return fail(Errc::Invalid, "'$' outside of a literal: write ${username} or another placeholder");
  }

  std::string_view rest_;
  SqlParameter style_;
  bool ended_ = false;
};

}  // namespace

Result<SqlTemplate> SqlTemplate::parse(std::string_view text, SqlParameter style) {
  if (text.size() > kStatementMax) return fail(Errc::Invalid, fmt::format("more than {} bytes", kStatementMax));
  if (text.find('\0') != std::string_view::npos) return fail(Errc::Invalid, "a zero byte");
  Scanner scanner(text, style);
  SB_CHECKED(scanner.run());
  std::string first = scanner.first_word;
  for (char& c : first)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  if (first != "select" && first != "with") return fail(Errc::Invalid, "not a SELECT");
  SqlTemplate out;
  out.statement_ = std::move(scanner.out);
  out.fields_ = std::move(scanner.fields);
  return out;
}

std::vector<std::optional<std::string>> SqlTemplate::values(const Credentials& credentials) const {
  std::vector<std::optional<std::string>> out;
  for (const Template::Field field : fields_) out.emplace_back(Template::value_of(field, credentials));
  return out;
}

bool SqlTemplate::uses_password() const {
  return std::find(fields_.begin(), fields_.end(), Template::Field::Password) != fields_.end();
}

}  // namespace sb::access::authn
