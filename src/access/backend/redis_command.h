// `cmd` of a Redis authenticator or source: words with placeholders of the client. A value stays within its word, so no
// value becomes a command or another argument. Immutable, any thread.
#pragma once

#include "access/authn/template.h"
#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::access::backend {

class RedisCommand {
 public:
  RedisCommand() = default;
  /// Words are separated by spaces; '...' and "..." keep them together, a backslash keeps the next character. Invalid:
  /// quotes that do not end, an unknown placeholder, one anywhere but in the key, a name that is not among `allowed`,
  /// too few words.
  [[nodiscard]] static Result<RedisCommand> parse(std::string_view text, const std::vector<std::string_view>& allowed);

  const std::string& name() const { return name_; }  // upper case
  /// Those behind the key.
  const std::vector<std::string>& fields() const { return fields_; }
  std::vector<std::optional<std::string>> values(const Credentials& credentials) const;

 private:
  std::string name_;
  authn::Template key_;
  std::vector<std::string> fields_;
};

}  // namespace sb::access::backend
