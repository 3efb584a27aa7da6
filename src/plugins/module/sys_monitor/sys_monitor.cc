#include "plugins/module/sys_monitor/sys_monitor.h"

#include "runtime/timer_wheel.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace sb::plugins::module::sys_monitor {

namespace {

constexpr std::string_view kCpuAlarm = "high_cpu_usage";
constexpr std::string_view kMemoryAlarm = "high_system_memory_usage";
constexpr std::string_view kOwnMemoryAlarm = "high_process_memory_usage";
constexpr std::string_view kProcessAlarm = "too_many_processes";

std::string percent(double share) {
  return fmt::format("{:.1f}%", share * 100);
}

/// As JSON.
std::string quoted(double share) {
  return '"' + percent(share) + '"';
}

double share_of(const Machine::Share& from) {
  return from.total == 0 ? 0 : static_cast<double>(from.used) / static_cast<double>(from.total);
}

/// First line of /proc/stat: user nice system idle iowait irq softirq steal, in ticks (proc(5)).
Machine::Share cpu_of_machine() {
  Machine::Share out;
  std::FILE* file = std::fopen("/proc/stat", "re");
  if (!file) return out;
  unsigned long long t[8] = {};
  if (std::fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6],
                  &t[7]) == 8) {
    for (const unsigned long long ticks : t) out.total += ticks;
    out.used = out.total - t[3] - t[4];
  }
  std::fclose(file);
  return out;
}

/// What cannot be had without swapping counts as used.
Machine::Share memory_of_machine() {
  std::uint64_t total = 0, available = 0;
  if (std::FILE* file = std::fopen("/proc/meminfo", "re")) {
    char line[128];
    unsigned long long kib = 0;
    while (std::fgets(line, sizeof line, file)) {
      if (std::sscanf(line, "MemTotal: %llu", &kib) == 1) total = kib * 1024;
      if (std::sscanf(line, "MemAvailable: %llu", &kib) == 1) available = kib * 1024;
    }
    std::fclose(file);
  }
  return {total - std::min(total, available), total};
}

/// The second number of /proc/self/statm, in pages (proc(5)).
std::uint64_t resident_bytes() {
  unsigned long long pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%*u %llu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// Calls something again and again on the loop of a shard.
class Check final : private runtime::Timer {
 public:
  Check(runtime::Loop& loop, std::function<void()> what) : loop_(loop), what_(std::move(what)) {}
  void every(Millis interval) {
    if (interval == interval_) return;
    interval_ = interval;
    if (interval.count() == 0)
      runtime::TimerWheel::cancel(*this);
    else
      arm();
  }
  bool off() const { return interval_.count() == 0; }

 private:
  void arm() { loop_.timers().arm(*this, loop_.now(), interval_); }
  void on_timer() override {
    arm();
    what_();
  }
  runtime::Loop& loop_;
  std::function<void()> what_;
  Millis interval_{0};
};

}  // namespace

Machine measure_machine() {
  rlimit limit{};
  const bool known = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return {cpu_of_machine(), memory_of_machine(), known ? limit.rlim_cur : 0, resident_bytes()};
}

class SysMonitor::Watch {
 public:
  Watch(SysMonitor& module, broker::Broker& broker)
      : module_(module),
        broker_(broker),
        cpu_(broker.loop(), [this] { check_cpu(); }),
        memory_(broker.loop(), [this] { check_memory(); }),
        process_(broker.loop(), [this] { check_process(); }) {}
  broker::Broker& broker() { return broker_; }

  void set(const Options& options) {
    options_ = options;
    if (cpu_.off()) seen_ = module_.probe_().cpu;
    cpu_.every(options.cpu_check_interval);
    memory_.every(options.mem_check_interval);
    process_.every(options.process_check_interval);
    if (!memory_.off()) return;
    alarms().deactivate(kMemoryAlarm);
    alarms().deactivate(kOwnMemoryAlarm);
  }

 private:
  broker::AlarmSink& alarms() { return module_.context_.alarms; }

  /// Between the marks an alarm stays what it is. `words` have a place for the usage.
  void judge(std::string_view alarm, fmt::format_string<std::string> words, double usage, double high, double low) {
    if (usage > high)
      alarms().activate(alarm, fmt::format(words, percent(usage)),
                        {{"usage", quoted(usage)}, {"high_watermark", quoted(high)}, {"low_watermark", quoted(low)}});
    else if (usage < low)
      alarms().deactivate(alarm);
  }

  /// Load since the last look.
  void check_cpu() {
    const Machine::Share now = module_.probe_().cpu;
    const Machine::Share since{now.used - std::min(now.used, seen_.used), now.total - std::min(now.total, seen_.total)};
    seen_ = now;
    judge(kCpuAlarm, "{} cpu usage", share_of(since), options_.cpu_high, options_.cpu_low);
  }

  void check_memory() {
    const Machine machine = module_.probe_();
    const double usage = share_of(machine.memory);
    if (usage > options_.sysmem_high)
      alarms().activate(kMemoryAlarm,
                        fmt::format("System memory usage is higher than {}", percent(options_.sysmem_high)),
                        {{"usage", quoted(usage)}, {"high_watermark", quoted(options_.sysmem_high)}});
    else
      alarms().deactivate(kMemoryAlarm);
    // The process that EMQX looks for among many is here the whole of the node.
    const double own = share_of({machine.resident, machine.memory.total});
    if (own > options_.procmem_high)
      alarms().activate(kOwnMemoryAlarm,
                        fmt::format("Process memory usage is higher than {}", percent(options_.procmem_high)),
                        {{"pid", fmt::format("\"{}\"", getpid())},
                         {"usage", quoted(own)},
                         {"high_watermark", quoted(options_.procmem_high)}});
    else
      alarms().deactivate(kOwnMemoryAlarm);
  }

  /// A client is a process there and a descriptor here.
  void check_process() {
    const double usage =
        share_of({module_.context_.stats.count(broker::Gauge::LiveConnections), module_.probe_().open_max});
    judge(kProcessAlarm, "{} of the connections that the process can hold", usage, options_.process_high,
          options_.process_low);
  }

  SysMonitor& module_;
  broker::Broker& broker_;
  Options options_;
  Machine::Share seen_;
  Check cpu_, memory_, process_;
};

SysMonitor::SysMonitor(broker::ModuleContext& context, Probe probe) : context_(context), probe_(std::move(probe)) {}
SysMonitor::~SysMonitor() = default;

void SysMonitor::join(broker::Broker& broker) {
  if (broker.shard() != 0) return;
  const std::lock_guard guard(mutex_);
  watch_ = std::make_unique<Watch>(*this, broker);
  watch_->set(options_);
}

void SysMonitor::set_options(const Options& options) {
  const std::lock_guard guard(mutex_);
  options_ = options;
  if (watch_) watch_->broker().loop().post([watch = watch_.get(), options] { watch->set(options); });
}

void add_to(broker::ModuleRegistry& registry) {
  registry.add({"sys_monitor", "Alarms when the machine runs short",
                [](broker::ModuleContext& context) { return std::make_unique<SysMonitor>(context); }});
}

}  // namespace sb::plugins::module::sys_monitor
