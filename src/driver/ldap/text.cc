#include "driver/ldap/text.h"

#include <fmt/format.h>

namespace sb::driver::ldap {

namespace {
void append_hex(std::string& out, char c) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += '\\';
  out += kDigits[static_cast<unsigned char>(c) >> 4];
  out += kDigits[static_cast<unsigned char>(c) & 15];
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// filter = "(" ( and / or / not / item ) ")"
class FilterReader {
 public:
  explicit FilterReader(std::string_view text) : text_(text) {}

  Result<> run() {
    SB_CHECKED(filter(0));
    skip_spaces();
    if (at_ != text_.size()) return wrong("nothing behind the filter");
    return {};
  }

 private:
  static constexpr int kDepthMax = 32;

  tl::unexpected<Error> wrong(std::string_view expected) const {
    return fail(Errc::Invalid, fmt::format("filter, at character {}: expected {}", at_ + 1, expected));
  }
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Result<> filter(int depth) {
    if (depth > kDepthMax) return wrong("less nesting");
    skip_spaces();
    if (!take('(')) return wrong("'('");
    skip_spaces();
    if (take('&') || take('|')) {
      for (skip_spaces(); at_ < text_.size() && text_[at_] == '('; skip_spaces()) SB_CHECKED(filter(depth + 1));
    } else if (take('!')) {
      SB_CHECKED(filter(depth + 1));
      skip_spaces();
    } else {
      SB_CHECKED(item());
    }
    if (!take(')')) return wrong("')'");
    return {};
  }
  /// attribute ( = ~= >= <= := ) value
  Result<> item() {
    const std::size_t begin = at_;
    const auto part_of_name = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
             c == ';' || c == ':' || c == '_';
    };
    while (at_ < text_.size() && part_of_name(text_[at_])) ++at_;
    const bool extensible = at_ > begin && text_[at_ - 1] == ':';
    if (at_ == begin) return wrong("an attribute");
    if (!extensible && at_ < text_.size() && (text_[at_] == '~' || text_[at_] == '>' || text_[at_] == '<')) ++at_;
    if (!take('=')) return wrong("a comparison: = ~= >= <= :=");
    for (; at_ < text_.size() && text_[at_] != ')'; ++at_) {
      if (text_[at_] == '(' || text_[at_] == '\0') return wrong("a value, with ( and ) as \\28 and \\29");
      if (text_[at_] != '\\') continue;
      if (at_ + 2 >= text_.size() || !is_hex(text_[at_ + 1]) || !is_hex(text_[at_ + 2]))
        return wrong("two hexadecimal digits behind '\\'");
      at_ += 2;
    }
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};
}  // namespace

std::string escape_filter(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '*' || c == '(' || c == ')' || c == '\0' || static_cast<unsigned char>(c) >= 0x80)
      append_hex(out, c);
    else
      out += c;
  }
  return out;
}

std::string escape_dn(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool first = i == 0;
    const bool last = i + 1 == value.size();
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      append_hex(out, c);
    } else {
      if (std::string_view(",+\"\\<>;=").find(c) != std::string_view::npos || (first && (c == '#' || c == ' ')) ||
          (last && c == ' '))
        out += '\\';
      out += c;
    }
  }
  return out;
}

Result<> check_filter(std::string_view text) {
  return FilterReader(text).run();
}

}  // namespace sb::driver::ldap
