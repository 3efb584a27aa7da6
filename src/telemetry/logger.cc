#include "telemetry/logger.h"

#include "telemetry/log_format.h"
#include "telemetry/rotating_file.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace sb::telemetry {

namespace {
std::int64_t clock_ms(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}
}  // namespace

struct Logger::Handler {
  std::string id;
  config::LogHandler settings;
  log::Level level = log::Level::Warning;
  bool started = true;
  bool audit = false;
  std::optional<int> offset_s;
  std::unique_ptr<RotatingFile> file;  // null: console
  std::int64_t burst_since_ms = 0;
  std::uint64_t burst = 0;

  bool wants(const log::Record& record) const { return started && record.audit == audit && record.level >= level; }
  /// burst_limit: counts the line; how many were cut is told when the window ends.
  bool admits(std::int64_t now_ms, std::uint64_t& cut) {
    if (!settings.burst_limit.enable) return true;
    if (now_ms - burst_since_ms >= settings.burst_limit.window_time.count()) {
      cut = burst > settings.burst_limit.max_count ? burst - settings.burst_limit.max_count : 0;
      burst_since_ms = now_ms;
      burst = 0;
    }
    return ++burst <= settings.burst_limit.max_count;
  }
  std::string line(const log::Record& record) const {
    return audit || settings.formatter == config::LogFormat::Json ? to_json(record) : to_text(record, offset_s);
  }
};

Logger::Logger(const config::Log& settings, Console console)
    : console_(std::move(console)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!console_) console_ = [](std::string_view line) { std::fwrite(line.data(), 1, line.size(), stderr); };
  apply(settings);
  thread_ = std::thread([this] { run(); });
  log::install(this);
}

Logger::~Logger() {
  log::install(nullptr);
  log::set_threshold(log::Level::Warning);
  stopping_ = true;
  eventfd_write(wake_, 1);
  thread_.join();
  ::close(wake_);
}

bool Logger::take(log::Record&& record) {
  if (queue_.size() >= queue_max_.load(std::memory_order_relaxed) || !queue_.push(std::move(record))) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  taken_.fetch_add(1);
  if (sleeping_.load() && sleeping_.exchange(false)) eventfd_write(wake_, 1);
  return true;
}

void Logger::flush() {
  const std::uint64_t until = taken_.load();
  while (written_.load() < until) std::this_thread::yield();
  const std::lock_guard lock(mutex_);  // the batch is out
}

void Logger::run() {
  pthread_setname_np(pthread_self(), "log");
  for (;;) {
    const bool last = stopping_.load();
    if (drain()) continue;
    bool waiting;
    {
      const std::lock_guard lock(mutex_);
      tell_throttled(last);
      waiting = !throttled_.empty() || !suppressed_.empty();
    }
    if (last) return;
    sleeping_ = true;
    if (queue_.size() != 0 || stopping_.load()) {
      sleeping_ = false;
      continue;
    }
    pollfd wait{wake_, POLLIN, 0};
    poll(&wait, 1, waiting ? 500 : -1);
    sleeping_ = false;
    eventfd_t ignored;
    eventfd_read(wake_, &ignored);
  }
}

bool Logger::drain() {
  constexpr int kBatch = 256;
  const std::lock_guard lock(mutex_);
  log::Record record;
  int count = 0;
  while (count < kBatch && queue_.pop(record)) {
    if (record.audit || !throttled(record)) write(record);
    ++count;
    written_.fetch_add(1);
  }
  if (const std::uint64_t lost = dropped_.exchange(0, std::memory_order_relaxed); lost > 0)
    write({log::Level::Warning, clock_ms(CLOCK_REALTIME) * 1000, "log_lines_dropped", {log::kv("count", lost)}});
  return count > 0;
}

void Logger::write(const log::Record& record) {
  const std::int64_t now = clock_ms(CLOCK_MONOTONIC_COARSE);
  for (const auto& handler : handlers_) {
    if (!handler->wants(record)) continue;
    const auto put = [&](const log::Record& what) {
      const std::string line = handler->line(what);
      if (handler->file)
        handler->file->write(line);
      else
        console_(line);
    };
    std::uint64_t cut = 0;
    const bool admitted = handler->audit || handler->admits(now, cut);
    if (cut > 0) put({log::Level::Warning, record.wall_us, "log_burst_cut", {log::kv("count", cut)}, false});
    if (admitted) put(record);
  }
}

bool Logger::throttled(const log::Record& record) {
  if (window_ms_ <= 0 || log::enabled(log::Level::Debug)) return false;
  std::string key(record.event);
  for (const log::Field& field : record.fields) (key += '\0') += field.value;
  const std::int64_t now = clock_ms(CLOCK_MONOTONIC_COARSE);
  if (const auto known = throttled_.find(key); known != throttled_.end()) {
    if (now - known->second < window_ms_) {
      Suppressed& of_event = suppressed_.try_emplace(record.event, Suppressed{now}).first->second;
      of_event.level = std::max(of_event.level, record.level);
      ++of_event.count;
      return true;
    }
    tell_throttled(false);
  }
  if (throttled_.size() >= kThrottledMax) tell_throttled(false);
  if (throttled_.size() < kThrottledMax) throttled_.insert_or_assign(std::move(key), now);
  return false;
}

void Logger::tell_throttled(bool all) {
  const std::int64_t now = clock_ms(CLOCK_MONOTONIC_COARSE);
  std::erase_if(throttled_, [&](const auto& line) { return all || now - line.second >= window_ms_; });
  for (auto it = suppressed_.begin(); it != suppressed_.end();) {
    const auto& [event, sum] = *it;
    if (!all && now - sum.since_ms < window_ms_) {
      ++it;
      continue;
    }
    write({sum.level,
           clock_ms(CLOCK_REALTIME) * 1000,
           "log_events_throttled_during_last_period",
           {log::kv("event", event), log::kv("count", sum.count), log::kv("period_ms", window_ms_)},
           false});
    it = suppressed_.erase(it);
  }
}

void Logger::apply(const config::Log& settings) {
  const std::lock_guard lock(mutex_);
  handlers_.clear();
  std::size_t queue = 0;
  const auto add = [&](std::string id, const config::LogHandler& from, config::LogHandler::Kind kind) {
    if (!from.enable) return;
    auto handler = std::make_unique<Handler>();
    handler->id = std::move(id);
    handler->settings = from;
    handler->level = config::to_level(from.level);
    handler->audit = kind == config::LogHandler::Kind::Audit;
    handler->offset_s = parse_time_offset(from.time_offset);
    if (kind != config::LogHandler::Kind::Console)
      handler->file = std::make_unique<RotatingFile>(from.path, from.rotation_count,
                                                     from.rotation_size == config::kInfinity ? 0 : from.rotation_size);
    queue = std::max<std::size_t>(queue, from.drop_mode_qlen);
    handlers_.push_back(std::move(handler));
  };
  add("console", settings.console, config::LogHandler::Kind::Console);
  for (const auto& [name, file] : settings.file) add(name, file, config::LogHandler::Kind::File);
  add("audit", settings.audit, config::LogHandler::Kind::Audit);
  queue_max_ = queue == 0 ? kQueue : std::min(queue, kQueue);
  window_ms_ = settings.throttling.time_window.count();
  refresh_threshold();
}

void Logger::refresh_threshold() {
  log::Level lowest = log::Level::Off;
  for (const auto& handler : handlers_)
    if (handler->started && !handler->audit) lowest = std::min(lowest, handler->level);
  log::set_threshold(lowest);
}

std::vector<HandlerInfo> Logger::handlers() const {
  const std::lock_guard lock(mutex_);
  std::vector<HandlerInfo> out;
  for (const auto& handler : handlers_)
    out.push_back({handler->id, handler->level, handler->file ? handler->settings.path : "console", handler->started,
                   !handler->file || handler->file->is_open()});
  return out;
}

log::Level Logger::primary_level() const {
  return log::detail::threshold.load(std::memory_order_relaxed);
}

void Logger::set_primary_level(log::Level level) {
  const std::lock_guard lock(mutex_);
  for (const auto& handler : handlers_)
    if (!handler->audit) handler->level = level;
  refresh_threshold();
}

Result<Logger::Handler*> Logger::find(std::string_view id) {
  for (const auto& handler : handlers_)
    if (handler->id == id) return handler.get();
  return fail(Errc::NotFound, fmt::format("there is no log handler {}", id));
}

Result<> Logger::set_handler_level(std::string_view id, log::Level level) {
  const std::lock_guard lock(mutex_);
  SB_TRY(Handler * handler, find(id));
  handler->level = level;
  refresh_threshold();
  return {};
}

Result<> Logger::start_handler(std::string_view id) {
  const std::lock_guard lock(mutex_);
  SB_TRY(Handler * handler, find(id));
  handler->started = true;
  refresh_threshold();
  return {};
}

Result<> Logger::stop_handler(std::string_view id) {
  const std::lock_guard lock(mutex_);
  SB_TRY(Handler * handler, find(id));
  handler->started = false;
  refresh_threshold();
  return {};
}

void Logger::audit(log::Level level, std::string_view event, std::vector<log::Field> fields) {
  static_cast<void>(take({level, clock_ms(CLOCK_REALTIME) * 1000, event, std::move(fields), true}));
}

}  // namespace sb::telemetry
