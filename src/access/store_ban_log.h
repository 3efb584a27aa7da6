// The bans of a node in its store. Any thread; never waits for the disk.
#pragma once

#include "access/ban_table.h"
#include "store/key_value.h"

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace sb::access {

class StoreBanLog final : public BanLog {
 public:
  /// The store outlives the log.
  explicit StoreBanLog(store::KeyValue& store) : store_(store) {}
  void put(const Ban& ban) override;
  void erase(BanKind as, std::string_view who) override;
  std::optional<Error> trouble() const override;
  std::vector<Target> take_refused() override;
  /// For BanTable::open, before the shards run.
  [[nodiscard]] Result<std::vector<Ban>> load() const;

 private:
  /// Outlives this while commits are under way.
  struct Refused {
    std::mutex mutex;
    std::set<Target> targets;
  };
  void commit(store::Batch batch, BanKind as, std::string_view who);
  store::KeyValue& store_;
  const std::shared_ptr<Refused> refused_ = std::make_shared<Refused>();
};

}  // namespace sb::access
