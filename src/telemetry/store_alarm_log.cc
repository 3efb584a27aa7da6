#include "telemetry/store_alarm_log.h"

#include "base/log.h"
#include "store/tables.h"

namespace sb::telemetry {

void StoreAlarmLog::commit(store::Batch batch) {
  store_.commit(std::move(batch), [](const Result<>& result, const store::Batch&) {
    if (!result) SB_LOG(log::Level::Error, "alarm_not_stored", kv("reason", result.error().what));
  });
}

void StoreAlarmLog::put(const Alarm& alarm) {
  store::Batch batch;
  store::put(batch, store::AlarmRecord{alarm.activate_at_us / 1000, alarm.name,
                                       alarm.deactivate_at_us ? *alarm.deactivate_at_us / 1000 : 0, alarm.message,
                                       alarm.details});
  commit(std::move(batch));
}

void StoreAlarmLog::erase(const Alarm& alarm) {
  store::Batch batch;
  store::erase_alarm(batch, alarm.activate_at_us / 1000, alarm.name);
  commit(std::move(batch));
}

Result<std::vector<Alarm>> StoreAlarmLog::load() const {
  std::vector<Alarm> out;
  SB_CHECKED(store::scan<store::AlarmRecord>(store_, [&](const store::AlarmRecord& row) -> Result<> {
    Alarm alarm{std::string(row.name), std::string(row.message), std::string(row.details), row.activated_ms * 1000,
                std::nullopt};
    if (alarm.details.empty()) alarm.details = "{}";
    if (row.deactivated_ms != 0) alarm.deactivate_at_us = row.deactivated_ms * 1000;
    out.push_back(std::move(alarm));
    return {};
  }));
  return out;
}

}  // namespace sb::telemetry
