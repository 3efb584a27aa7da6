// Log trace (broker.md 12.5): what happens to one client, topic or address, written to a file of its own until its time
// is over. Lines are made on the shards, written by a thread of the module through a bounded queue that drops and
// counts.
#pragma once

#include "broker/module_registry.h"
#include "plugins/module/log_trace/trace_writer.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sb::plugins::module::log_trace {

enum class Kind : std::uint8_t {
  ClientId,   // exactly this client
  Topic,      // a filter with wildcards
  IpAddress,  // a prefix of the peer's address as text
};
std::string_view to_string(Kind kind);  // "clientid", "topic", "ip_address"
std::optional<Kind> trace_kind(std::string_view name);

/// How payloads are shown.
enum class PayloadForm : std::uint8_t { Text, Hex, Hidden };
std::string_view to_string(PayloadForm form);
std::optional<PayloadForm> payload_form(std::string_view name);

struct Trace {
  std::string name;  // letters, digits, '_' and '-'; 1..256
  Kind kind = Kind::ClientId;
  std::string value;
  std::int64_t start_ms = 0;  // wall clock; 0: now
  std::int64_t end_ms = 0;    // 0: half an hour after the start
  bool stopped = false;
  PayloadForm payload = PayloadForm::Text;
  std::string file{};  // absolute path of somebody's own file, which stays; "": one below <data_dir>/trace
};
enum class Status : std::uint8_t { Waiting, Running, Stopped };

struct TraceInfo {
  Trace trace;
  Status status = Status::Stopped;
  std::string file;
  std::uint64_t bytes = 0;
};

class LogTrace final : public broker::Module {
 public:
  static constexpr std::size_t kTracesMax = 30;
  static constexpr std::uint64_t kFileBytesMax = 512ULL << 20;
  static constexpr std::int64_t kDefaultDurationMs = 1'800'000;

  explicit LogTrace(broker::ModuleContext& context);
  ~LogTrace() override;
  void join(broker::Broker& broker) override;
  void stop() override { writer_.flush(); }

  // --- any thread
  /// Exists: name (ALREADY_EXISTS) or condition (DUPLICATE_CONDITION); Full: EXCEED_LIMIT; Invalid: what is wrong.
  [[nodiscard]] Result<> create(Trace trace);
  [[nodiscard]] Result<> stop_trace(std::string_view name);  // the file stays
  [[nodiscard]] Result<> remove(std::string_view name);      // and its file
  void clear();
  std::vector<TraceInfo> list() const;  // newest start first
  std::uint64_t dropped_lines() const { return writer_.dropped(); }
  /// Waits until what was traced so far is in the files. Never from a shard.
  void flush() { writer_.flush(); }

 private:
  class Shard;
  struct Active {
    Kind kind;
    std::string value;
    PayloadForm payload;
    TraceWriter::FileRef file;
  };
  using ActiveRef = std::shared_ptr<const std::vector<Active>>;
  struct Known {
    Trace trace;
    std::string path;
    TraceWriter::FileRef file;          // while running
    std::int64_t starts = 0, ends = 0;  // monotonic ms
  };
  /// <data_dir>/trace/traces.json: the traces outlive the node.
  std::string list_path() const;
  std::string path_of(const Trace& trace) const;
  void keep() const;
  void restore();
  Status status(const Known& known, std::int64_t now) const;
  std::int64_t now_ms() const { return std::chrono::duration_cast<Millis>(context_.clock.monotonic()).count(); }
  /// Once a second on shard 0: starts and ends what is due; under the lock.
  void refresh();
  void tick();

  broker::ModuleContext& context_;
  TraceWriter writer_;
  std::vector<std::unique_ptr<Shard>> shards_;
  mutable std::mutex mutex_;  // guards known_ and active_
  std::vector<Known> known_;
  ActiveRef active_;
};

void add_to(broker::ModuleRegistry& registry);

}  // namespace sb::plugins::module::log_trace
