#include "telemetry/alarms.h"

#include <algorithm>

#include "base/json_text.h"
#include "base/log.h"

namespace sb::telemetry {

std::string to_json(const Alarm& alarm) {
  JsonObject details;
  for (const auto& [key, value] : alarm.details) details.raw(key, value);
  JsonObject out;
  out.text("name", alarm.name).raw("details", details.done()).text("message", alarm.message);
  out.number("activate_at", alarm.activate_at_us);
  if (alarm.deactivate_at_us) out.number("deactivate_at", *alarm.deactivate_at_us);
  else out.text("deactivate_at", "infinity");
  out.boolean("activated", alarm.activated());
  return out.done();
}

Alarms::Alarms(const Clock& clock, std::vector<Alarm> stored) : clock_(clock) {
  const std::int64_t now = now_us();
  std::stable_sort(stored.begin(), stored.end(),
                   [](const Alarm& a, const Alarm& b) { return a.activate_at_us < b.activate_at_us; });
  for (Alarm& alarm : stored) {
    if (!alarm.deactivate_at_us) alarm.deactivate_at_us = now;
    keep(std::move(alarm), now);
  }
}

bool Alarms::activate(std::string_view name, std::string_view message, broker::AlarmDetails details) {
  Alarm alarm{std::string(name), std::string(message), std::move(details), now_us(), std::nullopt};
  AlarmOptions options;
  {
    const std::lock_guard guard(mutex_);
    if (!active_.try_emplace(alarm.name, alarm).second) return false;
    options = options_;
  }
  tell(alarm, options);
  return true;
}

bool Alarms::deactivate(std::string_view name) {
  Alarm alarm;
  AlarmOptions options;
  {
    const std::lock_guard guard(mutex_);
    const auto found = active_.find(name);
    if (found == active_.end()) return false;
    alarm = std::move(found->second);
    active_.erase(found);
    alarm.deactivate_at_us = now_us();
    keep(alarm, now_us());
    options = options_;
  }
  tell(alarm, options);
  return true;
}

void Alarms::tell(const Alarm& alarm, const AlarmOptions& options) const {
  if (options.log) {
    if (alarm.activated())
      SB_LOG(log::Level::Warning, "alarm_is_activated", kv("name", alarm.name), kv("message", alarm.message));
    else
      SB_LOG(log::Level::Warning, "alarm_is_deactivated", kv("name", alarm.name));
  }
  for (const Listener& listener : listeners_) listener(alarm, options.publish);
}

void Alarms::keep(Alarm alarm, std::int64_t now) {
  history_.push_back(std::move(alarm));
  trim(now);
}

void Alarms::trim(std::int64_t now) const {
  while (history_.size() > options_.size_limit) history_.pop_front();
  std::erase_if(history_, [&](const Alarm& alarm) {
    return now - alarm.deactivate_at_us.value_or(now) > options_.validity_period.count() * 1000;
  });
}

std::vector<Alarm> Alarms::active() const {
  std::vector<Alarm> out;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& [name, alarm] : active_) out.push_back(alarm);
  }
  std::stable_sort(out.begin(), out.end(), [](const Alarm& a, const Alarm& b) { return a.activate_at_us < b.activate_at_us; });
  return out;
}

std::vector<Alarm> Alarms::history() const {
  const std::lock_guard guard(mutex_);
  trim(now_us());
  return {history_.begin(), history_.end()};
}

bool Alarms::is_active(std::string_view name) const {
  const std::lock_guard guard(mutex_);
  return active_.contains(name);
}

void Alarms::clear_history() {
  const std::lock_guard guard(mutex_);
  history_.clear();
}

AlarmOptions Alarms::options() const {
  const std::lock_guard guard(mutex_);
  return options_;
}

Result<> Alarms::set_options(const AlarmOptions& options) {
  if (options.size_limit < 1 || options.size_limit > 3000) return fail(Errc::Invalid, "size_limit is 1 to 3000");
  const std::lock_guard guard(mutex_);
  options_ = options;
  trim(now_us());
  return {};
}

}  // namespace sb::telemetry
