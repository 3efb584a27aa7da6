#include "telemetry/alarms.h"

#include "base/json_text.h"
#include "base/log.h"

#include <algorithm>

namespace sb::telemetry {

std::string to_json(const Alarm& alarm) {
  JsonObject out;
  out.text("name", alarm.name).raw("details", alarm.details).text("message", alarm.message);
  out.number("activate_at", alarm.activate_at_us);
  if (alarm.deactivate_at_us)
    out.number("deactivate_at", *alarm.deactivate_at_us);
  else
    out.text("deactivate_at", "infinity");
  out.boolean("activated", alarm.activated());
  return out.done();
}

void Alarms::open(std::vector<Alarm> stored, AlarmLog* log) {
  const std::lock_guard guard(mutex_);
  log_ = log;
  const std::int64_t now = now_us();
  std::stable_sort(stored.begin(), stored.end(),
                   [](const Alarm& a, const Alarm& b) { return a.activate_at_us < b.activate_at_us; });
  for (Alarm& alarm : stored) {
    if (!alarm.deactivate_at_us) alarm.deactivate_at_us = now;
    keep(std::move(alarm), now);
  }
}

bool Alarms::activate(std::string_view name, std::string_view message, broker::AlarmDetails details) {
  JsonObject object;
  for (const auto& [key, value] : details) object.raw(key, value);
  Alarm alarm{std::string(name), std::string(message), object.done(), now_us(), std::nullopt};
  AlarmOptions options;
  {
    const std::lock_guard guard(mutex_);
    if (!active_.try_emplace(alarm.name, alarm).second) return false;
    if (log_) log_->put(alarm);
    options = options_;
  }
  tell(alarm, options);
  return true;
}

bool Alarms::restate(std::string_view name, std::string_view message) {
  const std::lock_guard guard(mutex_);
  const auto found = active_.find(name);
  if (found == active_.end()) return false;
  found->second.message = message;
  if (log_) log_->put(found->second);
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
  if (log_) log_->put(alarm);
  history_.push_back(std::move(alarm));
  trim(now);
}

void Alarms::trim(std::int64_t now) const {
  const auto forget = [this](const Alarm& alarm) {
    if (log_) log_->erase(alarm);
    return true;
  };
  while (history_.size() > options_.size_limit) {
    forget(history_.front());
    history_.pop_front();
  }
  std::erase_if(history_, [&](const Alarm& alarm) {
    const std::int64_t age_us = now - alarm.deactivate_at_us.value_or(now);
    return age_us > options_.validity_period.count() * 1000 && forget(alarm);
  });
}

std::vector<Alarm> Alarms::active() const {
  std::vector<Alarm> out;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& [name, alarm] : active_) out.push_back(alarm);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Alarm& a, const Alarm& b) { return a.activate_at_us < b.activate_at_us; });
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
  if (log_)
    for (const Alarm& alarm : history_) log_->erase(alarm);
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
