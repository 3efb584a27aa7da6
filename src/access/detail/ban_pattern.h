// Whom a ban by regular expression or by network concerns, ready to be matched. Immutable.
#pragma once

#include "access/ban_table.h"
#include "access/detail/acl_rule.h"

#include <memory>
#include <string>
#include <string_view>

namespace sb::access::detail {

class BanPattern {
 public:
  /// `as` is a kind that is_pattern() knows. Invalid: what is wrong with `who`.
  [[nodiscard]] static Result<std::shared_ptr<const BanPattern>> parse(BanKind as, const std::string& who);

  /// Of an absent name never true.
  bool matches(std::string_view client_id, std::string_view username,
               const std::optional<std::array<std::uint8_t, 16>>& host) const;

 private:
  BanKind as_ = BanKind::ClientIdRe;
  std::shared_ptr<const re2::RE2> regex_;
  Network network_;
};

}  // namespace sb::access::detail
