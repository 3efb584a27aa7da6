// The alarms of a node in its store. Any thread; never waits for the disk.
#pragma once

#include "store/key_value.h"
#include "telemetry/alarms.h"

#include <vector>

namespace sb::telemetry {

class StoreAlarmLog final : public AlarmLog {
 public:
  /// The store outlives the log.
  explicit StoreAlarmLog(store::KeyValue& store) : store_(store) {}
  void put(const Alarm& alarm) override;
  void erase(const Alarm& alarm) override;
  [[nodiscard]] Result<std::vector<Alarm>> load() const;

 private:
  void commit(store::Batch batch);
  store::KeyValue& store_;
};

}  // namespace sb::telemetry
