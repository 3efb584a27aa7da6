// The log of a node: takes lines from any thread into a bounded queue and writes them on its own thread to the console,
// to files and to the audit file, as `log` of the configuration says. A full queue loses new lines and tells how many.
// Equal lines within `log.throttling.time_window` are written once, then told with their number, unless `debug` is on.
#pragma once

#include "base/log.h"
#include "base/result.h"
#include "config/roots/log.h"
#include "telemetry/detail/bounded_queue.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace sb::telemetry {

struct HandlerInfo {
  std::string id;  // "console", "default" and other files, "audit"
  log::Level level = log::Level::Warning;
  std::string destination;  // "console" or a path
  bool started = true;
  bool open = true;  // false: a file that cannot be opened now
};

/// What `ctl log` and a changed configuration do. Any thread.
class LogControl {
 public:
  virtual ~LogControl() = default;
  virtual void apply(const config::Log& settings) = 0;
  virtual std::vector<HandlerInfo> handlers() const = 0;
  virtual log::Level primary_level() const = 0;
  /// For all handlers, until the configuration changes or the node restarts.
  virtual void set_primary_level(log::Level level) = 0;
  [[nodiscard]] virtual Result<> set_handler_level(std::string_view id, log::Level level) = 0;
  [[nodiscard]] virtual Result<> start_handler(std::string_view id) = 0;
  [[nodiscard]] virtual Result<> stop_handler(std::string_view id) = 0;
  /// A management call, for the audit handler.
  virtual void audit(log::Level level, std::string_view event, std::vector<log::Field> fields) = 0;
};

class Logger final : public log::Backend, public LogControl {
 public:
  using Console = std::function<void(std::string_view line)>;
  static constexpr std::size_t kQueue = 4096;
  static constexpr std::size_t kThrottledMax = 1024;

  /// Installs itself. Without `console`: standard error.
  explicit Logger(const config::Log& settings, Console console = {});
  /// Writes what is left, then lines go to standard error again.
  ~Logger() override;

  bool take(log::Record&& record) override;
  /// Everything taken before is written when this returns.
  void flush();

  void apply(const config::Log& settings) override;
  std::vector<HandlerInfo> handlers() const override;
  log::Level primary_level() const override;
  void set_primary_level(log::Level level) override;
  [[nodiscard]] Result<> set_handler_level(std::string_view id, log::Level level) override;
  [[nodiscard]] Result<> start_handler(std::string_view id) override;
  [[nodiscard]] Result<> stop_handler(std::string_view id) override;
  void audit(log::Level level, std::string_view event, std::vector<log::Field> fields) override;

 private:
  struct Handler;
  /// Lines of one event that were held back, whatever their fields: told in one line.
  struct Suppressed {
    std::int64_t since_ms;
    std::uint64_t count = 0;
    log::Level level = log::Level::Debug;
  };
  void run();
  bool drain();
  void write(const log::Record& record);
  bool throttled(const log::Record& record);
  void tell_throttled(bool all);
  void refresh_threshold();
  [[nodiscard]] Result<Handler*> find(std::string_view id);

  Console console_;
  detail::BoundedQueue<log::Record> queue_{kQueue};
  std::atomic<std::size_t> queue_max_{3000};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> written_{0};
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> stopping_{false};
  int wake_;                  // eventfd
  mutable std::mutex mutex_;  // guards what follows; the writing thread holds it for a batch
  std::vector<std::unique_ptr<Handler>> handlers_;
  std::int64_t window_ms_ = 60'000;
  std::unordered_map<std::string, std::int64_t> throttled_;  // event and fields: when the line was last written
  std::map<std::string_view, Suppressed> suppressed_;        // by event
  std::thread thread_;
};

}  // namespace sb::telemetry
