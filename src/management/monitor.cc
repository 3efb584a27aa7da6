#include "management/monitor.h"

#include "base/log.h"
#include "store/tables.h"

#include <algorithm>

namespace sb::management {

namespace {
constexpr Millis kTick{1000};
constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
constexpr std::int64_t kDayMs = 24 * kHourMs;
/// A clock that was set gives no rates, and no list without end.
constexpr std::size_t kPointsMax = 100'000;

std::uint64_t grown(std::uint64_t now, std::uint64_t before) {
  return now > before ? now - before : 0;
}
}  // namespace

Millis sample_interval(const config::Config& config) {
  const config::Value* value = config.effective.at_path("dashboard.sample_interval");
  if (!value) return kSampleInterval;
  const auto parsed = config::parse_duration(value->text(), std::chrono::milliseconds(1));
  if (!parsed) return kSampleInterval;
  const auto ms = std::chrono::duration_cast<Millis>(*parsed).count();
  return ms >= 1000 && ms <= kMinuteMs && kMinuteMs % ms == 0 ? Millis{ms} : kSampleInterval;
}

Reading monitor_reading(const broker::Core& core, const broker::Stats& stats) {
  Reading out;
  out.received = core.metric(broker::Metric::MessagesReceived);
  out.sent = core.metric(broker::Metric::MessagesSent);
  out.dropped = core.metric(broker::Metric::MessagesDropped);
  out.subscriptions = stats.count(broker::Gauge::Subscriptions);
  out.topics = stats.count(broker::Gauge::Topics);
  out.connections = stats.count(broker::Gauge::Connections);
  out.live_connections = stats.count(broker::Gauge::LiveConnections);
  return out;
}

void Monitor::start(store::KeyValue* store, Millis interval) {
  if (!store) memory_ = store::make_memory();
  store_ = store ? store : memory_.get();
  interval_ = interval;
  last_ = read_();
  const std::int64_t now_ms = loop_.clock().wall_ms();
  slot_ms_ = now_ms - now_ms % interval_.count();
  seconds_[0] = {loop_.clock().monotonic(), last_};
  seconds_seen_ = 1;
  loop_.timers().arm(ticker_, loop_.now(), kTick);
}

void Monitor::stop() {
  runtime::TimerWheel::cancel(ticker_);
}

void Monitor::tick() {
  const std::int64_t now_ms = loop_.wall_ms();
  // At the full second: a tick that drifts would leave one out, which looks like a node that was away.
  loop_.timers().arm(ticker_, loop_.now(), kTick - Millis{now_ms % kTick.count()});
  const Reading reading = read_();
  seconds_[seconds_seen_++ % kSeconds] = {loop_.now(), reading};
  const std::int64_t slot = now_ms - now_ms % interval_.count();
  if (slot != slot_ms_) {
    take_sample(slot_ms_, reading);
    slot_ms_ = slot;
  }
  if (now_ms - swept_ms_ >= kHourMs) sweep(now_ms);
}

void Monitor::take_sample(std::int64_t start_ms, const Reading& reading) {
  Reading sample = reading;
  sample.time_ms = start_ms;
  sample.received = grown(reading.received, last_.received);
  sample.sent = grown(reading.sent, last_.sent);
  sample.dropped = grown(reading.dropped, last_.dropped);
  last_ = reading;
  store::Batch batch;
  store::put(batch, sample);
  store_->commit(std::move(batch), [](const Result<>& result, const store::Batch&) {
    if (!result) SB_LOG(log::Level::Warning, "monitor_sample_not_stored", kv("reason", result.error().what));
  });
}

void Monitor::sweep(std::int64_t now_ms) {
  swept_ms_ = now_ms;
  store::Batch old;
  const auto scanned = store::scan<store::MonitorRecord>(*store_, [&](const store::MonitorRecord& row) -> Result<> {
    // Of the future: the clock was set back.
    if (row.time_ms < now_ms - kKeptMs || row.time_ms > now_ms + kDayMs) store::erase_monitor(old, row.time_ms);
    return {};
  });
  if (!scanned) SB_LOG(log::Level::Warning, "monitor_history_unreadable", kv("reason", scanned.error().what));
  if (!old.empty()) store_->commit(std::move(old), [](const Result<>&, const store::Batch&) {});
}

Monitor::Current Monitor::current() const {
  Current out;
  out.now = read_();
  const Second& oldest = seconds_[seconds_seen_ <= kSeconds ? 0 : seconds_seen_ % kSeconds];
  const auto ms = std::chrono::duration_cast<Millis>(loop_.clock().monotonic() - oldest.at).count();
  if (ms <= 0) return out;
  const auto rate = [ms](std::uint64_t now, std::uint64_t before) {
    return grown(now, before) * 1000 / static_cast<std::uint64_t>(ms);
  };
  out.received_rate = rate(out.now.received, oldest.reading.received);
  out.sent_rate = rate(out.now.sent, oldest.reading.sent);
  out.dropped_rate = rate(out.now.dropped, oldest.reading.dropped);
  return out;
}

std::vector<Reading> Monitor::history(std::optional<std::int64_t> latest_s) const {
  const std::int64_t now_ms = loop_.clock().wall_ms();
  const std::int64_t span_ms = latest_s ? std::min(*latest_s, kKeptMs / 1000) * 1000 : kKeptMs;
  std::vector<Reading> samples;
  const auto scanned =
      store_->scan(store::Table::Monitor, {}, store::monitor_key(std::max<std::int64_t>(0, now_ms - span_ms)),
                   [&](std::string_view key, std::string_view value) -> Result<bool> {
                     SB_TRY(const auto record, store::decode<store::MonitorRecord>(key, value));
                     if (record.time_ms > now_ms) return false;
                     samples.push_back(record);
                     return true;
                   });
  if (!scanned) SB_LOG(log::Level::Warning, "monitor_history_unreadable", kv("reason", scanned.error().what));
  if (samples.empty()) return samples;
  return downsample(samples, step_for(now_ms - samples.front().time_ms, interval_.count()));
}

std::int64_t step_for(std::int64_t span_ms, std::int64_t interval_ms) {
  if (span_ms <= kHourMs + kMinuteMs) return interval_ms;
  if (span_ms <= kDayMs + kMinuteMs) return kMinuteMs;
  if (span_ms <= 3 * kDayMs + kMinuteMs) return 5 * kMinuteMs;
  return 10 * kMinuteMs;
}

std::vector<Reading> downsample(const std::vector<Reading>& samples, std::int64_t step_ms) {
  std::vector<Reading> out;
  for (const Reading& sample : samples) {
    const std::int64_t slot = sample.time_ms - sample.time_ms % step_ms;
    while (!out.empty() && out.back().time_ms + step_ms < slot && out.size() < kPointsMax) {
      Reading gap;
      gap.time_ms = out.back().time_ms + step_ms;
      out.push_back(gap);
    }
    if (out.empty() || out.back().time_ms != slot) {
      out.push_back(sample);
      out.back().time_ms = slot;
      continue;
    }
    Reading& point = out.back();
    Reading joined = sample;
    joined.time_ms = slot;
    joined.received += point.received;
    joined.sent += point.sent;
    joined.dropped += point.dropped;
    point = joined;
  }
  return out;
}

}  // namespace sb::management
