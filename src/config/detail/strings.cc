// The quoted forms of HOCON text.
#include "base/hex.h"
#include "config/detail/parser.h"

#include <fmt/format.h>

namespace sb::config::detail {
namespace {

void append_utf8(std::string& out, std::uint32_t cp) {
  if (cp < 0x80) {
    out += static_cast<char>(cp);
  } else if (cp < 0x800) {
    out += static_cast<char>(0xC0 | (cp >> 6));
    out += static_cast<char>(0x80 | (cp & 0x3F));
  } else if (cp < 0x10000) {
    out += static_cast<char>(0xE0 | (cp >> 12));
    out += static_cast<char>(0x80 | ((cp >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (cp & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (cp >> 18));
    out += static_cast<char>(0x80 | ((cp >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((cp >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (cp & 0x3F));
  }
}

/// Four hex digits at `at`, or nothing.
std::optional<std::uint32_t> hex4(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int d = hex_value(text[at + i]);
    if (d < 0) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(d);
  }
  return value;
}

/// Strips the indentation that all lines share, as """~ asks.
std::string strip_indent(const std::string& text) {
  std::vector<std::string_view> lines;
  std::string_view rest = text;
  while (true) {
    const auto nl = rest.find('\n');
    lines.push_back(rest.substr(0, nl));
    if (nl == rest.npos) break;
    rest.remove_prefix(nl + 1);
  }
  if (lines.size() > 1 && lines.front().find_first_not_of(" \t\r") == std::string_view::npos)
    lines.erase(lines.begin());
  std::size_t indent = std::string_view::npos;
  for (const auto line : lines) {
    const auto first = line.find_first_not_of(" \t");
    if (first != line.npos) indent = std::min(indent, first);
  }
  if (indent == std::string_view::npos) indent = 0;
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += '\n';
    const bool blank = lines[i].find_first_not_of(" \t") == std::string_view::npos;
    if (!blank) out += lines[i].substr(std::min(indent, lines[i].size()));
  }
  return out;
}

}  // namespace

/// The cursor is on the backslash. Unknown escapes are an error, or kept as they are when `lenient`.
bool Parser::parse_escape(std::string& out, bool lenient) {
  const char c = peek(1);
  switch (c) {
    case '"':
      out += '"';
      break;
    case '\\':
      out += '\\';
      break;
    case '/':
      out += '/';
      break;
    case 'n':
      out += '\n';
      break;
    case 't':
      out += '\t';
      break;
    case 'r':
      out += '\r';
      break;
    case 'b':
      out += '\b';
      break;
    case 'f':
      out += '\f';
      break;
    case 'u': {
      const auto first = hex4(text_, pos_ + 2);
      if (!first) {
        if (lenient) break;
        return error("scan_error", "four hex digits after \\u");
      }
      std::uint32_t cp = *first;
      std::size_t length = 6;
      if (cp >= 0xD800 && cp < 0xDC00 && peek(6) == '\\' && peek(7) == 'u') {
        const auto low = hex4(text_, pos_ + 8);
        if (low && *low >= 0xDC00 && *low < 0xE000) {
          cp = 0x10000 + ((cp - 0xD800) << 10) + (*low - 0xDC00);
          length = 12;
        }
      }
      if (cp >= 0xD800 && cp < 0xE000) return error("scan_error", "a whole surrogate pair");
      append_utf8(out, cp);
      pos_ += length;
      return true;
    }
    default:
      if (!lenient) return error("scan_error", "one of \\\" \\\\ \\n \\t \\r \\b \\f \\uXXXX");
  }
  const bool known = std::string_view("\"\\/ntrbf").find(c) != std::string_view::npos && c != '\0';
  if (!known) {
    out += '\\';
    ++pos_;
    return true;  // the character itself is read as text next
  }
  pos_ += 2;
  return true;
}

bool Parser::parse_quoted(std::string& out) {
  ++pos_;
  while (true) {
    if (at_end() || peek() == '\n') return error("scan_error", "a closing quote on the same line", found_here());
    const char c = peek();
    if (c == '"') {
      ++pos_;
      return true;
    }
    if (c == '\\') {
      if (!parse_escape(out, false)) return false;
    } else {
      out += c;
      ++pos_;
    }
  }
}

bool Parser::parse_multiline(std::string& out) {
  const std::uint32_t opened = line_;
  pos_ += 3;
  const bool dedent = peek() == '~';
  if (dedent) ++pos_;
  while (true) {
    if (at_end())
      return error("scan_error", fmt::format("\"\"\" for the text begun at line {}", opened), "end of file");
    if (at_text("\"\"\"")) {
      while (peek(3) == '"') {  // quotes beyond the last three belong to the text
        out += '"';
        ++pos_;
      }
      pos_ += 3;
      break;
    }
    if (peek() == '\\') {
      if (!parse_escape(out, true)) return false;
    } else {
      out += peek();
      advance();
    }
  }
  if (dedent) out = strip_indent(out);
  return true;
}

}  // namespace sb::config::detail
