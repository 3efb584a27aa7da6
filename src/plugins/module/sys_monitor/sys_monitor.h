// Watches the machine and the process (broker.md 12.2, config.md 7.3): alarms when its CPUs, its memory or the
// descriptors for connections run short, each cleared by itself.
#pragma once

#include "broker/module_registry.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

namespace sb::plugins::module::sys_monitor {

/// Intervals of 0 switch a check off. Marks are shares of the whole.
struct Options {
  Millis cpu_check_interval{60'000};
  double cpu_high = 0.8, cpu_low = 0.6;
  Millis mem_check_interval{60'000};
  double sysmem_high = 0.7, procmem_high = 0.05;
  Millis process_check_interval{30'000};
  double process_high = 0.8, process_low = 0.6;
};

/// What the kernel says; a total of 0 is unknown.
struct Machine {
  struct Share {
    std::uint64_t used = 0, total = 0;
  };
  Share cpu;                   // ticks of all cores since boot
  Share memory;                // bytes
  std::uint64_t open_max;      // descriptors that the process may have open
  std::uint64_t resident = 0;  // bytes of this process
};
Machine measure_machine();

class SysMonitor final : public broker::Module {
 public:
  using Probe = std::function<Machine()>;
  explicit SysMonitor(broker::ModuleContext& context, Probe probe = measure_machine);
  ~SysMonitor() override;
  void join(broker::Broker& broker) override;
  void set_options(const Options& options);  // any thread

 private:
  class Watch;
  broker::ModuleContext& context_;
  Probe probe_;
  std::mutex mutex_;  // guards options_
  Options options_;
  std::unique_ptr<Watch> watch_;  // on shard 0
};

void add_to(broker::ModuleRegistry& registry);

}  // namespace sb::plugins::module::sys_monitor
