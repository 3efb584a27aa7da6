// The record of management calls (management-api 3.6): who changed what, from where, with what result. The newest ones
// are kept, in the store and, but for their details, in memory. Belongs to the management thread.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "store/key_value.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::management {

/// What can be asked for; the whole record is JSON text beside it.
struct AuditEntry {
  std::int64_t created_us = 0;
  std::uint64_t sequence = 0;
  std::string from;  // "dashboard", "rest_api", "cli"
  std::string source;
  std::string source_ip;
  std::string operation_id;
  std::string operation_type;
  std::string result;  // "success", "failure"; "" of the command line
  unsigned status = 0;
  std::string method;
  std::int64_t duration_ms = 0;
};

struct AuditQuery {
  std::size_t skip = 0;
  std::size_t limit = 100;
  std::optional<std::string> from{}, source{}, source_ip{}, operation_id{}, operation_type{}, result{}, method{};
  std::optional<unsigned> status{};
  std::optional<std::int64_t> created_from_us{}, created_to_us{}, duration_from_ms{}, duration_to_ms{};
  bool matches(const AuditEntry& entry) const;
};

class AuditLog {
 public:
  /// `store` may be null: then nothing survives. Before the loop runs.
  [[nodiscard]] Result<> open(store::KeyValue* store, std::size_t max);
  void set_max(std::size_t max);
  /// `json`: the record as GET /audit shows it. What the disk refuses is logged.
  void add(AuditEntry entry, std::string json);

  struct Page {
    std::vector<std::string> rows;  // JSON, newest first
    std::size_t count = 0;          // of all that match
    bool more = false;
  };
  [[nodiscard]] Result<Page> list(const AuditQuery& query) const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Row {
    AuditEntry entry;
    std::string json;  // empty where the store has it
  };
  void trim(store::Batch& batch);
  void commit(store::Batch&& batch);
  [[nodiscard]] Result<std::string> load(const Row& row) const;

  store::KeyValue* store_ = nullptr;
  std::size_t max_ = 5000;
  std::uint64_t next_ = 1;
  std::deque<Row> entries_;  // oldest first
};

}  // namespace sb::management
