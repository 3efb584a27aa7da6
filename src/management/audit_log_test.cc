#include "management/audit_log.h"

#include <gtest/gtest.h>

namespace sb::management {
namespace {

void add(AuditLog& log, std::int64_t at_us, const std::string& source, unsigned status = 200) {
  AuditEntry entry;
  entry.created_us = at_us;
  entry.from = "dashboard";
  entry.source = source;
  entry.status = status;
  entry.result = status < 300 ? "success" : "failure";
  log.add(entry, fmt::format(R"({{"from":"dashboard","source":"{}","http_status_code":{},"operation_result":"{}"}})",
                             source, status, entry.result));
}

std::size_t count(const AuditLog& log, const AuditQuery& query) {
  const auto page = log.list(query);
  EXPECT_TRUE(page);
  return page ? page->count : 0;
}

TEST(AuditLog, NewestFirstPageByPage) {
  AuditLog log;
  ASSERT_TRUE(log.open(nullptr, 100));
  for (int i = 0; i < 25; ++i) add(log, i, fmt::format("u{}", i));
  AuditQuery query;
  query.limit = 10;
  query.skip = 20;
  const auto page = log.list(query);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->count, 25U);
  EXPECT_FALSE(page->more);
  ASSERT_EQ(page->rows.size(), 5U);
  EXPECT_NE(page->rows.front().find("\"u4\""), std::string::npos);
  query.skip = 0;
  EXPECT_TRUE(log.list(query)->more);
}

TEST(AuditLog, Filters) {
  AuditLog log;
  ASSERT_TRUE(log.open(nullptr, 100));
  add(log, 10, "joe");
  add(log, 20, "ann", 403);
  add(log, 30, "joe", 500);
  EXPECT_EQ(count(log, {.source = "joe"}), 2U);
  EXPECT_EQ(count(log, {.result = "failure"}), 2U);
  EXPECT_EQ(count(log, {.source = "joe", .result = "failure"}), 1U);
  EXPECT_EQ(count(log, {.status = 403}), 1U);
  EXPECT_EQ(count(log, {.created_from_us = 20, .created_to_us = 30}), 2U);
  EXPECT_EQ(count(log, {.from = "cli"}), 0U);
}

TEST(AuditLog, KeepsTheNewestOnesAcrossARestart) {
  const auto store = store::make_memory();
  {
    AuditLog log;
    ASSERT_TRUE(log.open(store.get(), 10));
    for (int i = 0; i < 25; ++i) add(log, i, fmt::format("u{}", i), 403);
    EXPECT_EQ(log.size(), 10U);
  }
  AuditLog log;
  ASSERT_TRUE(log.open(store.get(), 8));
  EXPECT_EQ(log.size(), 8U);
  EXPECT_EQ(count(log, {.source = "u24", .status = 403}), 1U);
  EXPECT_EQ(count(log, {.source = "u16"}), 0U);
  add(log, 1, "late");  // the clock has stepped back
  const auto page = log.list({});
  ASSERT_TRUE(page && !page->rows.empty());
  EXPECT_NE(page->rows.front().find("late"), std::string::npos);
}

}  // namespace
}  // namespace sb::management
