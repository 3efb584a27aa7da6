// The alarms of a node (broker.md 12.2): what is wrong now, and what was, bounded by number and age. Any thread.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "broker/alarm_sink.h"

#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sb::telemetry {

struct Alarm {
  std::string name;
  std::string message;
  std::string details = "{}";  // JSON
  std::int64_t activate_at_us = 0;
  std::optional<std::int64_t> deactivate_at_us;  // nullopt while active
  bool activated() const { return !deactivate_at_us; }
};
/// As $SYS and the log tell it: name, details, message, activate_at, deactivate_at, activated.
std::string to_json(const Alarm& alarm);

struct AlarmOptions {
  bool log = true;  // actions
  bool publish = true;
  std::size_t size_limit = 1000;  // of the history, 1..3000
  Millis validity_period{86'400'000};
};

/// Where alarms survive a restart; implemented over the store. Called with the lock held, from any thread; must not
/// block for a disk and must not call back.
class AlarmLog {
 public:
  virtual void put(const Alarm& alarm) = 0;
  virtual void erase(const Alarm& alarm) = 0;

 protected:
  ~AlarmLog() = default;
};

class Alarms final : public broker::AlarmSink {
 public:
  explicit Alarms(const Clock& clock) : clock_(clock) {}
  /// Before the shards run: past alarms and those still active at the last stop; they all are history now. `log` hears
  /// of changes from then on.
  void open(std::vector<Alarm> stored, AlarmLog* log);

  bool activate(std::string_view name, std::string_view message, broker::AlarmDetails details) override;
  bool deactivate(std::string_view name) override;
  /// More is known of an active alarm. Listeners do not hear of it. False if it is not active.
  bool restate(std::string_view name, std::string_view message);

  /// Oldest first.
  std::vector<Alarm> active() const;
  std::vector<Alarm> history() const;
  bool is_active(std::string_view name) const;
  void clear_history();

  AlarmOptions options() const;
  [[nodiscard]] Result<> set_options(const AlarmOptions& options);

  /// Hears of both changes, outside the lock, on the thread that raised the alarm; for $SYS and the store. Set before
  /// the shards run. `publish` is whether actions ask for it.
  using Listener = std::function<void(const Alarm&, bool publish)>;
  void add_listener(Listener listener) { listeners_.push_back(std::move(listener)); }

 private:
  std::int64_t now_us() const { return clock_.wall_ms() * 1000; }
  void keep(Alarm alarm, std::int64_t now);
  void trim(std::int64_t now) const;
  void tell(const Alarm& alarm, const AlarmOptions& options) const;

  const Clock& clock_;
  std::vector<Listener> listeners_;
  mutable std::mutex mutex_;  // guards what follows
  AlarmOptions options_;
  std::map<std::string, Alarm, std::less<>> active_;
  mutable std::list<Alarm> history_;  // oldest first
  AlarmLog* log_ = nullptr;
};

}  // namespace sb::telemetry
