// The history of the node's traffic (management-api 2.4): one sample an interval, kept in the store for a week and
// answered at a resolution that fits the span that is asked for; and the rates of right now. Belongs to the management
// thread.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "broker/broker.h"
#include "broker/stats.h"
#include "config/config.h"
#include "runtime/loop.h"
#include "store/key_value.h"
#include "store/records.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace sb::management {

inline constexpr Millis kSampleInterval{10'000};

/// dashboard.sample_interval: a divisor of a minute, else the usual interval.
Millis sample_interval(const config::Config& config);

/// Counters since the start and gauges of this moment. As a sample: counts of one interval.
using Reading = store::MonitorRecord;
Reading monitor_reading(const broker::Core& core, const broker::Stats& stats);

class Monitor {
 public:
  static constexpr std::int64_t kKeptMs = 7 * 86'400'000LL;

  Monitor(runtime::Loop& loop, std::function<Reading()> read) : loop_(loop), read_(std::move(read)), ticker_(*this) {}

  /// Without a store the history is as long as the process.
  void start(store::KeyValue* store, Millis interval);
  void stop();

  struct Current {
    std::uint64_t received_rate = 0, sent_rate = 0, dropped_rate = 0;  // a second
    Reading now;
  };
  Current current() const;

  /// Ascending; of the last so many seconds, or everything. Points of one length, the gaps filled with empty ones.
  std::vector<Reading> history(std::optional<std::int64_t> latest_s) const;
  Millis interval() const { return interval_; }

 private:
  struct Ticker final : runtime::Timer {
    explicit Ticker(Monitor& owner) : monitor(owner) {}
    void on_timer() override { monitor.tick(); }
    Monitor& monitor;
  };
  void tick();
  void take_sample(std::int64_t start_ms, const Reading& reading);
  void sweep(std::int64_t now_ms);

  runtime::Loop& loop_;
  std::function<Reading()> read_;
  Ticker ticker_;
  std::unique_ptr<store::KeyValue> memory_;
  store::KeyValue* store_ = nullptr;
  Millis interval_ = kSampleInterval;
  Reading last_;              // when the running interval began
  std::int64_t slot_ms_ = 0;  // start of the running interval
  std::int64_t swept_ms_ = 0;
  // The last seconds, for rates that follow at once.
  static constexpr std::size_t kSeconds = 6;
  struct Second {
    Nanos at{0};
    Reading reading;
  };
  std::array<Second, kSeconds> seconds_{};
  std::size_t seconds_seen_ = 0;
};

/// Joins samples to points of `step_ms`: counts are added, gauges are those of the latest sample. Between the first and
/// the last every point is there.
std::vector<Reading> downsample(const std::vector<Reading>& samples, std::int64_t step_ms);
/// The resolution for a span: 10 s up to an hour, a minute up to a day, 5 minutes up to 3 days, then 10 minutes.
std::int64_t step_for(std::int64_t span_ms, std::int64_t interval_ms);

}  // namespace sb::management
