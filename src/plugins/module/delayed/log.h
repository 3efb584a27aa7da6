// Where delayed messages survive a restart; implemented over the store. Called on the shard that holds the message;
// must not block for a disk. The write of append() belongs to the publish that is being handled: what acknowledges it
// waits for the same commit as any durable message.
#pragma once

#include "base/result.h"
#include "broker/message.h"

#include <cstdint>
#include <functional>

namespace sb::plugins::module::delayed {

struct Record {
  std::uint64_t number = 0;      // unique; the message id is its 32 hex digits
  std::int64_t due_wall_ms = 0;  // when it is to be published
  std::int64_t interval_s = 0;   // as asked for
  broker::MessageRef message;    // under its real topic; published_ms is when it came
};

class Log {
 public:
  virtual ~Log() = default;
  virtual void append(unsigned shard, const Record& record) = 0;
  virtual void erase(unsigned shard, const Record& record) = 0;
  /// Before the shards run: everything stored.
  [[nodiscard]] virtual Result<> load(const std::function<void(Record)>& each) = 0;
};

/// Keeps nothing: without a store, and in tests.
class NoLog final : public Log {
 public:
  void append(unsigned, const Record&) override {}
  void erase(unsigned, const Record&) override {}
  Result<> load(const std::function<void(Record)>&) override { return {}; }
};

}  // namespace sb::plugins::module::delayed
