// The file ACL (access-control 7.2): rules as Erlang-like terms, first match wins. Immutable once parsed, shared by all
// shards.
#pragma once

#include "access/authorizer.h"
#include "base/result.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sb::access {

namespace detail {
struct AclRule;
}

class Acl {
 public:
  Acl();  // no rules: everything is NoMatch
  ~Acl();
  Acl(const Acl&) = delete;
  Acl& operator=(const Acl&) = delete;

  /// Errors begin with `line N: `. `text` is bounded by kTextMax.
  [[nodiscard]] static Result<std::shared_ptr<const Acl>> parse(std::string_view text);
  static constexpr std::size_t kTextMax = 16 << 20;

  /// Allow, Deny or NoMatch.
  Answer match(const Subject& subject, const Action& action) const;
  std::size_t size() const;
  bool never_denies_publish() const;
  bool allows_every_publish() const;

 private:
  std::vector<detail::AclRule> rules_;
};
using AclRef = std::shared_ptr<const Acl>;

/// The source `file`.
class FileAuthorizer final : public Authorizer {
 public:
  explicit FileAuthorizer(AclRef acl) : acl_(std::move(acl)) {}
  Answer decide(const Subject& subject, const Action& action, Reply) override { return acl_->match(subject, action); }
  bool never_denies_publish() const override { return acl_->never_denies_publish(); }
  bool allows_every_publish() const override { return acl_->allows_every_publish(); }

 private:
  AclRef acl_;
};

}  // namespace sb::access
