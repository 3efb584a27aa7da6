// A query with placeholders of the client (access-control 2.4) as a prepared statement: every placeholder becomes a
// parameter, so that no value is ever part of the text. `"${x}"` and `'${x}'` lose their quotes. Immutable, any thread.
#pragma once

#include "access/authn/template.h"
#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::access::authn {

enum class SqlParameter : std::uint8_t { Dollar, QuestionMark };  // $1 of PostgreSQL, ? of MySQL

class SqlTemplate {
 public:
  SqlTemplate() = default;
  /// Invalid: not one SELECT (or WITH), an unknown placeholder, one inside of a literal, a name or a comment, a
  /// parameter that is written by hand. The error tells which.
  [[nodiscard]] static Result<SqlTemplate> parse(std::string_view text, SqlParameter style);

  const std::string& statement() const { return statement_; }
  /// In the order of the parameters. What the client does not have is an empty text.
  std::vector<std::optional<std::string>> values(const Credentials& credentials) const;
  /// Whether the password is one of them.
  bool uses_password() const;

 private:
  std::string statement_;
  std::vector<Template::Field> fields_;
};

}  // namespace sb::access::authn
