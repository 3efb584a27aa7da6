// Recursive descent over the text itself; no separate token list. One Parser reads one file; Budget is shared by all
// files of a load.
#pragma once

#include "config/hocon.h"

#include <string>
#include <string_view>
#include <vector>

namespace sb::config::detail {

struct Budget {
  std::size_t files = 0;
  std::size_t bytes = 0;
  bool missing_include = false;
  std::vector<std::string> chain;  // files being read, outermost first
};

class Parser {
 public:
  Parser(std::string_view text, std::string name, std::vector<std::string> prefix, const ParseOptions& options,
         Budget& budget, Problems& problems);

  /// The whole file as an object, braces or not.
  Value parse_root();
  /// Exactly one value; false when there is more or less.
  bool parse_single(Value& out);

 private:
  enum class Where : std::uint8_t { Field, Element };

  // Cursor
  char peek(std::size_t ahead = 0) const { return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0'; }
  bool at_end() const { return pos_ >= text_.size(); }
  bool at_text(std::string_view what) const { return text_.substr(pos_).starts_with(what); }
  void advance();
  void skip_comment();
  void skip_blank();  // spaces, not line ends
  bool skip_space();  // spaces, line ends, comments; true when a line ended
  Location here() const { return {file_, line_}; }

  // Grammar
  void parse_fields(Value::Object& into, bool braces);
  bool parse_field(Value::Object& into);
  bool parse_include(Value::Object& into);
  bool parse_key(std::vector<std::string>& path);
  bool parse_value(Value& out, Where where);
  bool parse_piece(Value& out);
  bool parse_array(Value& out);
  bool parse_object(Value& out);
  bool parse_quoted(std::string& out);
  bool parse_multiline(std::string& out);
  bool parse_escape(std::string& out, bool lenient);
  bool parse_substitution(Value& out);
  bool parse_unquoted(Value& out);
  bool continues(Where where, bool new_line, const Value& so_far);
  bool key_follows() const;
  bool is_include() const;
  void assign(Value::Object& into, const std::vector<std::string>& path, Value value);
  void include_file(const std::string& name, bool required, Value::Object& into);

  bool error(std::string_view kind, std::string expected, std::string found = {});
  std::string found_here() const;
  void recover();

  static constexpr std::size_t kMaxSyntaxErrors = 20;

  std::string_view text_;
  std::size_t pos_ = 0;
  std::uint32_t line_ = 1;
  int depth_ = 0;
  std::shared_ptr<const std::string> file_;
  std::vector<std::string> prefix_;
  std::vector<std::string> key_;  // of the field being read, for messages
  const ParseOptions& options_;
  Budget& budget_;
  Problems& problems_;
  std::size_t errors_ = 0;
};

/// Reads a file within the budget; nothing when it is not there.
std::optional<std::string> read_file(const std::string& path, const ParseOptions& options);

}  // namespace sb::config::detail
