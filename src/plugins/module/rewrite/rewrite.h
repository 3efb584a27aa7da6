// Topic rewrite (broker.md 9.3): publish topics and filters changed by rules with regular expressions. Later rules take
// precedence; the first (from the end) whose source filter matches decides, even if its expression does not match.
#pragma once

#include "broker/module_registry.h"

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sb::plugins::module::rewrite {

enum class Applies : std::uint8_t { Publish, Subscribe, All };

struct Rule {
  Applies action = Applies::All;
  std::string source_topic;  // filter syntax
  std::string dest_topic;    // with $1..$N, ${clientid}, ${username}
  std::string re;
};

/// Invalid: why `re` does not compile.
[[nodiscard]] Result<> check_expression(const std::string& re);

/// Rules ready to be applied. Immutable.
class RuleSet;
using RuleSetRef = std::shared_ptr<const RuleSet>;

class Rewrite final : public broker::Module {
 public:
  explicit Rewrite(broker::ModuleContext& context);
  ~Rewrite() override;
  void join(broker::Broker& broker) override;

  std::vector<Rule> rules() const;
  /// Invalid: wildcard in a destination, bad source filter. A rule whose expression does not compile is kept in the
  /// list, skipped and logged (rewrite_rule_re_compile_failed). Any number: only the REST operation has a limit.
  [[nodiscard]] Result<> set_rules(std::vector<Rule> rules);

 private:
  class Shard;
  std::vector<std::unique_ptr<Shard>> shards_;
  mutable std::mutex mutex_;  // guards rules_ and set_
  std::vector<Rule> rules_;
  RuleSetRef set_;
};

void add_to(broker::ModuleRegistry& registry);

}  // namespace sb::plugins::module::rewrite
