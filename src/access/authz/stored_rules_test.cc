#include "access/authz/stored_rules.h"

#include <gtest/gtest.h>

namespace sb::access::authz {
namespace {

TEST(StoredRules, RowsAreReadByColumnAndBadOnesAreLeftOut) {
  driver::sql::Rows rows;
  rows.columns = {"topic", "permission", "action", "qos"};
  rows.rows = {{"a/#", "allow", "publish", std::nullopt},
               {"b", "maybe", "publish", std::nullopt},
               {"c", "deny", std::nullopt, std::nullopt},
               {std::nullopt, "allow", "all", std::nullopt},
               {"d/#/e", "allow", "all", std::nullopt},
               {"f", "deny", "all", "0,1"},
               {"g", "deny", "all", "3"}};
  const auto rules = rules_of(rows, "authorization:test");
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_TRUE(rules[0].allow());
  EXPECT_FALSE(rules[1].allow());
  rows.columns = {"Topic", "permission", "action", "qos"};
  EXPECT_TRUE(rules_of(rows, "authorization:test").empty()) << "names are case-sensitive";
}

}  // namespace
}  // namespace sb::access::authz
