#include "client/pressure.h"

#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <queue>

namespace sb::client {

namespace {
constexpr std::string_view kMemoryAlarm = "memory_high_watermark";  // that of the machine is sys_monitor's
constexpr std::string_view kLoadAlarm = "runq_overload";

std::optional<std::uint64_t> read_number(const char* path, const char* format) {
  std::FILE* file = std::fopen(path, "re");
  if (!file) return std::nullopt;
  unsigned long long value = 0;
  const int got = std::fscanf(file, format, &value);
  std::fclose(file);
  if (got != 1) return std::nullopt;
  return value;
}
}  // namespace

MemoryUse measure_memory() {
  MemoryUse out;
  if (const auto pages = read_number("/proc/self/statm", "%*u %llu"))
    out.used = *pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  if (const auto kib = read_number("/proc/meminfo", "MemTotal: %llu")) out.total = *kib * 1024;
  // Version 2 of control groups says "max" where there is no limit, version 1 a huge number.
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"})
    if (const auto limit = read_number(path, "%llu"); limit && (out.total == 0 || *limit < out.total))
      out.total = *limit;
  return out;
}

class Pressure::Shard final : private runtime::Timer {
 public:
  Shard(Pressure& pressure, broker::Broker& broker) : pressure_(pressure), broker_(broker) { arm(); }
  std::atomic<bool> overloaded{false};

 private:
  void arm() { broker_.loop().timers().arm(*this, broker_.loop().now(), kPeriod); }
  void on_timer() override {
    arm();
    const bool busy = broker_.loop().load_permille() >= pressure_.overload_permille_.load(std::memory_order_relaxed);
    busy_samples_ = busy ? busy_samples_ + 1 : 0;
    overloaded.store(busy_samples_ >= pressure_.overload_samples_.load(std::memory_order_relaxed),
                     std::memory_order_relaxed);
    if (broker_.shard() == 0) {
      pressure_.measure();
      pressure_.note_overload();
    }
    if (pressure_.memory_high()) pressure_.shed(broker_);
  }
  Pressure& pressure_;
  broker::Broker& broker_;
  unsigned busy_samples_ = 0;
};

Pressure::Pressure(broker::AlarmSink& alarms, unsigned shards, PressureOptions options, Probe probe)
    : alarms_(alarms),
      probe_(std::move(probe)),
      watermark_(options.memory_high_watermark),
      overload_permille_(options.overload_permille),
      overload_samples_(options.overload_samples),
      shards_(shards) {}
Pressure::~Pressure() = default;

void Pressure::join(broker::Broker& broker) {
  shards_[broker.shard()] = std::make_unique<Shard>(*this, broker);
}

void Pressure::set_options(const PressureOptions& options) {
  watermark_.store(options.memory_high_watermark, std::memory_order_relaxed);
  overload_permille_.store(options.overload_permille, std::memory_order_relaxed);
  overload_samples_.store(options.overload_samples, std::memory_order_relaxed);
}

bool Pressure::overloaded(unsigned shard) const {
  return shards_[shard] && shards_[shard]->overloaded.load(std::memory_order_relaxed);
}

void Pressure::measure() {
  const double watermark = watermark_.load(std::memory_order_relaxed);
  const MemoryUse now = probe_();
  const auto mark = static_cast<std::uint64_t>(watermark * static_cast<double>(now.total));
  const bool high = watermark > 0 && now.total != 0 && now.used > mark;
  over_bytes_.store(high ? now.used - mark : 0, std::memory_order_relaxed);
  if (memory_high_.exchange(high, std::memory_order_relaxed) == high) return;
  if (!high) {
    alarms_.deactivate(kMemoryAlarm);
    return;
  }
  const double usage = 100.0 * static_cast<double>(now.used) / static_cast<double>(now.total);
  alarms_.activate(
      kMemoryAlarm,
      fmt::format("The node uses more than {:.0f}% of the memory that it may have; new connections are refused",
                  watermark * 100),
      {{"usage", fmt::format("\"{:.1f}%\"", usage)}, {"high_watermark", fmt::format("\"{:.0f}%\"", watermark * 100)}});
}

void Pressure::note_overload() {
  std::string busy;
  for (unsigned shard = 0; shard < shards_.size(); ++shard)
    if (overloaded(shard)) busy += fmt::format("{}{}", busy.empty() ? "" : ",", shard);
  if (busy.empty() == !overload_alarmed_) return;
  overload_alarmed_ = !busy.empty();
  if (overload_alarmed_)
    alarms_.activate(kLoadAlarm, "shards are overloaded: " + busy, {{"shards", '[' + busy + ']'}});
  else
    alarms_.deactivate(kLoadAlarm);
}

void Pressure::shed(broker::Broker& broker) {
  // This shard's share of what is too much, taken from whichever queue is the longest at that moment.
  std::uint64_t wanted = over_bytes_.load(std::memory_order_relaxed) / shards_.size() + 1;
  const auto shorter = [](const broker::Session* a, const broker::Session* b) {
    return a->queue().bytes() < b->queue().bytes();
  };
  std::priority_queue<broker::Session*, std::vector<broker::Session*>, decltype(shorter)> longest(shorter);
  for (broker::Session* session : broker.sessions())
    if (!session->queue().empty()) longest.push(session);
  std::size_t drops = 0;
  while (wanted > 0 && !longest.empty() && drops < kDropsMax) {
    broker::Session* session = longest.top();
    longest.pop();
    const std::size_t next = longest.empty() ? 0 : longest.top()->queue().bytes();
    // Down to the next longest, so that equals share.
    do {
      const std::size_t freed = session->shed_oldest();
      if (freed == 0) break;
      ++drops;
      wanted -= std::min<std::uint64_t>(wanted, freed);
    } while (wanted > 0 && drops < kDropsMax && session->queue().bytes() >= next && !session->queue().empty());
    if (!session->queue().empty()) longest.push(session);
  }
  if (drops == 0) return;
  dropped_.fetch_add(drops, std::memory_order_relaxed);
  SB_LOG(log::Level::Warning, "queued_messages_dropped_for_memory", kv("shard", broker.shard()), kv("count", drops));
}

}  // namespace sb::client
