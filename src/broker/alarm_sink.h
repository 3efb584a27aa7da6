// Where the rest of the platform says that something needs attention (broker.md 12.2). Implemented by telemetry/; any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sb::broker {

/// Key and JSON value ("85", "\"text\"").
using AlarmDetails = std::vector<std::pair<std::string, std::string>>;

class AlarmSink {
 public:
  /// False if it was active already.
  virtual bool activate(std::string_view name, std::string_view message, AlarmDetails details) = 0;
  /// False if it was not active.
  virtual bool deactivate(std::string_view name) = 0;

 protected:
  ~AlarmSink() = default;
};

class NoAlarms final : public AlarmSink {
 public:
  bool activate(std::string_view, std::string_view, AlarmDetails) override { return false; }
  bool deactivate(std::string_view) override { return false; }
};

}  // namespace sb::broker
