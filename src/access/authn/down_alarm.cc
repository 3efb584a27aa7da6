#include "access/authn/down_alarm.h"

#include "base/json_text.h"
#include "base/log.h"

#include <utility>

namespace sb::access::authn {

void DownAlarm::note(bool answered, const std::string& reason) {
  const std::lock_guard guard(mutex_);
  if (stopping_ || answered == !raised_) return;
  raised_ = !answered;
  if (answered) {
    alarms_.deactivate(resource_);
    return;
  }
  SB_LOG(log::Level::Warning, "resource_down", kv("resource_id", resource_), kv("reason", reason));
  alarms_.activate(resource_, "resource down: " + reason,
                   {{"resource_id", json_quoted(resource_)}, {"reason", "\"resource_down\""}});
}

void DownAlarm::stop() {
  const std::lock_guard guard(mutex_);
  stopping_ = true;
  if (std::exchange(raised_, false)) alarms_.deactivate(resource_);
}

}  // namespace sb::access::authn
