// The alarm of a back end that does not answer, named by its resource id. Any thread.
#pragma once

#include "broker/alarm_sink.h"

#include <mutex>
#include <string>

namespace sb::access::authn {

class DownAlarm {
 public:
  DownAlarm(broker::AlarmSink& alarms, std::string resource) : alarms_(alarms), resource_(std::move(resource)) {}
  /// Raises or clears it.
  void note(bool answered, const std::string& reason);
  /// Clears it; nothing is noted any more.
  void stop();
  const std::string& resource() const { return resource_; }

 private:
  broker::AlarmSink& alarms_;
  const std::string resource_;
  std::mutex mutex_;  // guards what follows
  bool raised_ = false;
  bool stopping_ = false;
};

}  // namespace sb::access::authn
