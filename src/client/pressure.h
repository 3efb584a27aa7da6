// What a node does when memory or a shard's time runs short. Above `node.memory_high_watermark` new connections are
// refused with 0x97 and each shard drops the oldest messages of its longest queues until the node is below again
// (counted, alarmed). A shard whose loop is busy for several samples counts as overloaded: zones that ask for it then
// close new sockets (broker.md 17.2). One for the node; measured once a second on shard 0.
#pragma once

#include "broker/alarm_sink.h"
#include "broker/broker.h"
#include "runtime/timer_wheel.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace sb::client {

struct MemoryUse {
  std::uint64_t used = 0;   // resident bytes of the process
  std::uint64_t total = 0;  // what it may have: the control group's limit or the machine's memory; 0 = unknown
};
MemoryUse measure_memory();

struct PressureOptions {
  double memory_high_watermark = 0.85;  // share of memory, 0 = off
  unsigned overload_permille = 950;     // a shard's load that counts as too much
  unsigned overload_samples = 5;        // so many seconds on end
};

class Pressure {
 public:
  using Probe = std::function<MemoryUse()>;
  Pressure(broker::AlarmSink& alarms, unsigned shards, PressureOptions options, Probe probe = measure_memory);
  ~Pressure();
  Pressure(const Pressure&) = delete;
  Pressure& operator=(const Pressure&) = delete;

  /// Once per shard, before it runs.
  void join(broker::Broker& broker);
  void set_options(const PressureOptions& options);  // any thread

  /// Any thread.
  bool memory_high() const { return memory_high_.load(std::memory_order_relaxed); }
  bool overloaded(unsigned shard) const;
  /// Messages dropped for memory, also counted as delivery.dropped.queue_full.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  static constexpr Nanos kPeriod{1'000'000'000};
  /// One shard's work in one period at most.
  static constexpr std::size_t kDropsMax = 50'000;

 private:
  class Shard;
  void measure();
  void shed(broker::Broker& broker);
  void note_overload();

  broker::AlarmSink& alarms_;
  Probe probe_;
  std::atomic<double> watermark_;
  std::atomic<unsigned> overload_permille_;
  std::atomic<unsigned> overload_samples_;
  std::atomic<bool> memory_high_{false};
  std::atomic<std::uint64_t> over_bytes_{0};  // how much the node is above the mark
  std::atomic<std::uint64_t> dropped_{0};
  bool overload_alarmed_ = false;  // shard 0
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace sb::client
