#include "access/authz/store_rule_log.h"

#include "access/authz/rule_json.h"
#include "store/tables.h"

namespace sb::access::authz {

Result<> StoreRuleLog::put(std::span<const Row> rows) {
  store::Batch batch;
  for (const Row& row : rows)
    store::put(batch, store::AuthzRulesRecord{to_string(row.holder), row.who, rules_to_json(row.rules)});
  return store_.commit_wait(std::move(batch));
}

Result<> StoreRuleLog::erase(std::span<const Row> rows) {
  store::Batch batch;
  for (const Row& row : rows) store::erase_authz_rules(batch, to_string(row.holder), row.who);
  return store_.commit_wait(std::move(batch));
}

Result<std::vector<RuleTable::Stored>> StoreRuleLog::load() const {
  std::vector<RuleTable::Stored> out;
  SB_CHECKED(store::scan<store::AuthzRulesRecord>(store_, [&](const store::AuthzRulesRecord& row) -> Result<> {
    RuleTable::Stored one;
    one.holder = row.holder == "clientid"   ? Holder::ClientId
                 : row.holder == "username" ? Holder::Username
                                            : Holder::All;
    one.who = row.who;
    SB_TRY(one.rules, rules_from_json(row.rules));
    out.push_back(std::move(one));
    return {};
  }));
  return out;
}

}  // namespace sb::access::authz
