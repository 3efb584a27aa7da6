// Rules of the built-in database in the node's store. Waits for the disk: not on a shard.
#pragma once

#include "access/authz/rule_table.h"
#include "store/key_value.h"

namespace sb::access::authz {

class StoreRuleLog final : public RuleLog {
 public:
  /// The store outlives the log.
  explicit StoreRuleLog(store::KeyValue& store) : store_(store) {}
  [[nodiscard]] Result<> put(std::span<const Row> rows) override;
  [[nodiscard]] Result<> erase(std::span<const Row> rows) override;
  /// For RuleTable::open.
  [[nodiscard]] Result<std::vector<RuleTable::Stored>> load() const;

 private:
  store::KeyValue& store_;
};

}  // namespace sb::access::authz
