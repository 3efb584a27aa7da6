// What management steers but does not know: listeners and hook modules. app/ implements these over the real things; a
// null port means that the thing is not built in. Called on the management thread; an implementation answers at once,
// or blocks for a turn of the shards at most.
#pragma once

#include "base/mqtt_types.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sb::management {

struct ListenerInfo {
  std::string id;  // "tcp:default"
  std::string type;
  std::string name;
  std::string bind;  // as it listens, or as configured when it does not
  bool enable = true;
  bool running = false;
  unsigned acceptors = 0;
  bool proxy_protocol = false;
  std::uint64_t current_connections = 0;
  std::uint64_t max_connections = 0;  // 0 = unlimited
  /// Ended connections by reason.
  std::vector<std::pair<std::string, std::uint64_t>> shutdown_count;
};

class ListenerControl {
 public:
  virtual std::vector<ListenerInfo> list() = 0;
  /// NotFound: no such listener.
  [[nodiscard]] virtual Result<> start(std::string_view id) = 0;
  [[nodiscard]] virtual Result<> stop(std::string_view id) = 0;
  [[nodiscard]] virtual Result<> restart(std::string_view id) = 0;
  /// Reads certificate files anew for the handshakes to come.
  [[nodiscard]] virtual Result<> reload_certificates() = 0;

 protected:
  ~ListenerControl() = default;
};

struct DelayedInfo {
  std::string id;
  std::string topic;
  Qos qos = Qos::AtMostOnce;
  std::string client_id;
  std::string username;
  std::int64_t publish_at_ms = 0;
  std::int64_t interval_s = 0;
  std::int64_t remaining_s = 0;
  std::int64_t expected_at_ms = 0;
  std::string payload;
};

class DelayedControl {
 public:
  virtual std::size_t size() = 0;
  /// In the order of release.
  virtual std::vector<DelayedInfo> list(std::size_t skip, std::size_t limit) = 0;
  virtual std::optional<DelayedInfo> find(std::string_view id) = 0;
  /// Invalid: not an id. NotFound.
  [[nodiscard]] virtual Result<> erase(std::string_view id) = 0;
  /// All that wait for this topic name; how many.
  virtual std::size_t erase_topic(std::string_view topic) = 0;

 protected:
  ~DelayedControl() = default;
};

struct TopicMetricInfo {
  std::string topic;
  std::int64_t create_ms = 0;
  std::optional<std::int64_t> reset_ms;
  std::vector<std::pair<std::string, std::uint64_t>> counts;  // "messages.in", ...
  std::vector<std::pair<std::string, double>> rates;
};

class TopicMetricsControl {
 public:
  virtual std::vector<TopicMetricInfo> list() = 0;
  virtual std::optional<TopicMetricInfo> find(std::string_view topic) = 0;
  /// Full, Exists, Invalid.
  [[nodiscard]] virtual Result<> add(std::string_view topic) = 0;
  [[nodiscard]] virtual Result<> remove(std::string_view topic) = 0;  // NotFound
  [[nodiscard]] virtual Result<> reset(std::string_view topic) = 0;   // NotFound
  virtual void reset_all() = 0;

 protected:
  ~TopicMetricsControl() = default;
};

struct TraceInfo {
  std::string name;
  std::string type;  // "clientid", "topic", "ip_address"
  std::string value;
  std::int64_t start_ms = 0;  // 0: now
  std::int64_t end_ms = 0;    // 0: the module's default
  std::string status;         // "running", "waiting", "stopped"
  std::string file;           // to create(): "" or an absolute path of the user's own
  std::uint64_t bytes = 0;
  std::string payload_encode = "text";  // "text", "hex", "hidden"
};

class TraceControl {
 public:
  virtual std::vector<TraceInfo> list() = 0;
  /// Exists, Full, Invalid.
  [[nodiscard]] virtual Result<> create(const TraceInfo& trace) = 0;
  [[nodiscard]] virtual Result<> stop(std::string_view name) = 0;    // NotFound
  [[nodiscard]] virtual Result<> remove(std::string_view name) = 0;  // NotFound
  virtual void clear() = 0;
  /// Waits until what was traced so far is in the files.
  virtual void flush() = 0;

 protected:
  ~TraceControl() = default;
};

struct SlowSubscriptionInfo {
  std::string client_id;
  std::string topic;
  std::int64_t timespan_ms = 0;
  std::int64_t last_update_ms = 0;
};

class SlowSubscriptionControl {
 public:
  virtual std::vector<SlowSubscriptionInfo> list() = 0;  // slowest first
  virtual void clear() = 0;

 protected:
  ~SlowSubscriptionControl() = default;
};

}  // namespace sb::management
