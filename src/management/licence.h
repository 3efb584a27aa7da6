// What the licence allows, as configured (management-api 2.21). Turns the key into a limit for the connection quota,
// raises the alarms license_quota and license_expiry, and describes itself for REST. Belongs to the management thread;
// apply() also before it runs.
#pragma once

#include "access/connection_quota.h"
#include "base/clock.h"
#include "base/result.h"
#include "broker/alarm_sink.h"
#include "codec/license/license.h"
#include "config/roots/license.h"
#include "runtime/loop.h"

#include <optional>
#include <string>

namespace sb::management {

class Licence {
 public:
  enum class Kind : std::uint8_t {
    Trial,      // built in: its end is told, not enforced
    Community,  // no limit
    Signed,
  };
  struct View {
    Kind kind = Kind::Trial;
    codec::license::Terms terms;  // of a community licence without limit
    bool expired = false;
    std::uint64_t live = 0;
    std::uint64_t refused = 0;
    std::string trouble;  // why the configured key does not count
  };

  Licence(const Clock& clock, access::ConnectionQuota& quota, broker::AlarmSink* alarms)
      : clock_(clock), quota_(quota), alarms_(alarms), ticker_(*this) {}

  /// Whether these settings can be had: Invalid, Denied, Io (file://).
  [[nodiscard]] static Result<> check(const config::License& settings);
  /// At the start: a key that does not count raises an alarm, is logged, and the trial holds.
  void begin(const config::License& settings);
  /// While the node runs: refused if the key does not count.
  [[nodiscard]] Result<> apply(const config::License& settings);
  /// Watches files, dates and the watermarks from then on.
  void watch(runtime::Loop& loop);
  void stop() { runtime::TimerWheel::cancel(ticker_); }

  View view() const;
  /// What is said at the start; empty under a signed or community licence.
  std::string banner() const;
  /// Now, every few seconds while watched.
  void look();

 private:
  struct State {
    Kind kind = Kind::Trial;
    codec::license::Terms terms;
    std::string trouble;
  };
  struct Ticker final : runtime::Timer {
    explicit Ticker(Licence& owner) : licence(owner) {}
    void on_timer() override { licence.tick(); }
    Licence& licence;
  };
  [[nodiscard]] static Result<State> read(const config::License& settings);
  void tick();
  void enforce();
  std::int64_t today() const;
  bool expired() const { return today() > state_.terms.expiry_day(); }

  const Clock& clock_;
  access::ConnectionQuota& quota_;
  broker::AlarmSink* alarms_;
  runtime::Loop* loop_ = nullptr;
  Ticker ticker_;
  config::License settings_;
  State state_;
  std::int64_t read_ms_ = 0;
};

/// The licence of a fresh node: 25 connections.
codec::license::Terms trial_terms();

}  // namespace sb::management
