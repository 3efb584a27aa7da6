// The bans of a node in its store. Any thread; never waits for the disk.
#pragma once

#include "access/ban_table.h"
#include "store/key_value.h"

#include <vector>

namespace sb::access {

class StoreBanLog final : public BanLog {
 public:
  /// The store outlives the log.
  explicit StoreBanLog(store::KeyValue& store) : store_(store) {}
  void put(const Ban& ban) override;
  void erase(BanKind as, std::string_view who) override;
  /// For BanTable::open, before the shards run.
  [[nodiscard]] Result<std::vector<Ban>> load() const;

 private:
  void commit(store::Batch batch);
  store::KeyValue& store_;
};

}  // namespace sb::access
