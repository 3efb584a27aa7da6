#include "access/detail/acl_term.h"

#include <fmt/format.h>

namespace sb::access::detail {

namespace {
constexpr unsigned kDepthMax = 16;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<Term>> all() {
    std::vector<Term> out;
    for (skip(); !done(); skip()) {
      SB_TRY(Term term, one(0));
      skip();
      if (done() || peek() != '.') return term_error(line_, "expected '.' after the term");
      ++at_;
      out.push_back(std::move(term));
    }
    return out;
  }

 private:
  bool done() const { return at_ >= text_.size(); }
  char peek() const { return text_[at_]; }
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@'; }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  void skip() {
    for (; !done(); ++at_) {
      const char c = peek();
      if (c == '\n') ++line_;
      if (c == '%') {
        while (!done() && peek() != '\n') ++at_;
        if (done()) return;
        ++line_;
        continue;
      }
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return;
    }
  }

  Result<Term> one(unsigned depth) {
    if (depth > kDepthMax) return term_error(line_, "nested too deeply");
    skip();
    if (done()) return term_error(line_, "unexpected end of the rules");
    Term term;
    term.line = line_;
    const char c = peek();
    if (c == '{' || c == '[') return sequence(depth, std::move(term), c == '{' ? '}' : ']');
    if (c == '"') {
      term.kind = Term::Kind::Text;
      SB_TRY(term.text, quoted('"'));
      return term;
    }
    if (c == '\'') {
      SB_TRY(term.text, quoted('\''));
      return term;
    }
    if (text_.substr(at_).starts_with("<<\"")) {  // a binary, as generated files have it
      at_ += 2;
      term.kind = Term::Kind::Text;
      SB_TRY(term.text, quoted('"'));
      if (!text_.substr(at_).starts_with(">>")) return term_error(line_, "expected '>>'");
      at_ += 2;
      return term;
    }
    if (is_digit(c)) {
      term.kind = Term::Kind::Integer;
      for (; !done() && is_digit(peek()); ++at_) {
        if (term.number > 1'000'000'000) return term_error(line_, "number too large");
        term.number = term.number * 10 + (peek() - '0');
      }
      return term;
    }
    if (c >= 'a' && c <= 'z') {
      while (!done() && (is_letter(peek()) || is_digit(peek()))) term.text += text_[at_++];
      return term;
    }
    return term_error(line_, fmt::format("unexpected character '{}'", c));
  }

  Result<Term> sequence(unsigned depth, Term term, char end) {
    term.kind = end == '}' ? Term::Kind::Tuple : Term::Kind::List;
    ++at_;
    skip();
    if (!done() && peek() == end) {
      ++at_;
      return term;
    }
    for (;;) {
      SB_TRY(Term item, one(depth + 1));
      term.items.push_back(std::move(item));
      skip();
      if (done()) return term_error(term.line, fmt::format("'{}' without '{}'", end == '}' ? '{' : '[', end));
      const char c = text_[at_++];
      if (c == end) return term;
      if (c != ',') return term_error(line_, fmt::format("expected ',' or '{}', not '{}'", end, c));
    }
  }

  Result<std::string> quoted(char quote) {
    const unsigned begin = line_;
    std::string out;
    for (++at_; !done(); ++at_) {
      char c = peek();
      if (c == quote) {
        ++at_;
        return out;
      }
      if (c == '\n') ++line_;
      if (c == '\\') {
        if (++at_ >= text_.size()) break;
        c = peek();
        if (c == 'n')
          c = '\n';
        else if (c == 't')
          c = '\t';
        else if (c == 'r')
          c = '\r';
        else if (c == 's')
          c = ' ';
      }
      out += c;
    }
    return term_error(begin, "text without closing quote");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  unsigned line_ = 1;
};
}  // namespace

tl::unexpected<Error> term_error(unsigned line, std::string_view what) {
  return fail(Errc::Invalid, fmt::format("line {}: {}", line, what));
}

Result<std::vector<Term>> parse_terms(std::string_view text) {
  return Parser(text).all();
}

}  // namespace sb::access::detail
