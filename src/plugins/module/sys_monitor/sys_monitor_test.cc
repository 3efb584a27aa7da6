#include "plugins/module/sys_monitor/sys_monitor.h"

#include "broker/testing/module_fixture.h"

namespace sb::plugins::module::sys_monitor {
namespace {

using namespace module_fixture;
using namespace std::chrono_literals;

class SysMonitorTest : public ModuleTest {
 protected:
  SysMonitorTest() {
    module.join(broker);
    stats.join(broker, [this] { return live; });
  }
  /// One second of the machine's CPUs with this share of work, every second.
  void run(std::chrono::seconds time, unsigned busy_percent) {
    for (auto second = 0s; second < time; ++second) {
      machine.cpu.used += busy_percent;
      machine.cpu.total += 100;
      advance(1s);
    }
  }
  bool active(const char* name) const { return alarms.active.contains(name); }

  Machine machine{{1'000'000, 2'000'000}, {10, 100}, 1000};
  std::uint64_t live = 10;
  SysMonitor module{context, [this] { return machine; }};
};

TEST_F(SysMonitorTest, CpuIsJudgedByWhatHappenedSinceTheLastLook) {
  run(130s, 90);
  EXPECT_TRUE(active("high_cpu_usage"));
  run(65s, 70);  // between the marks: as it was
  EXPECT_TRUE(active("high_cpu_usage"));
  run(65s, 10);
  EXPECT_FALSE(active("high_cpu_usage"));
  run(65s, 70);
  EXPECT_FALSE(active("high_cpu_usage"));
}

TEST_F(SysMonitorTest, MemoryAboveTheMarkIsAlarmedUntilItIsBelow) {
  run(61s, 0);
  EXPECT_FALSE(active("high_system_memory_usage"));
  machine.memory.used = 71;
  run(61s, 0);
  EXPECT_TRUE(active("high_system_memory_usage"));
  machine.memory.used = 70;
  run(61s, 0);
  EXPECT_FALSE(active("high_system_memory_usage"));
}

TEST_F(SysMonitorTest, MemoryOfTheProcessHasAMarkOfItsOwn) {
  machine.resident = 5;
  run(61s, 0);
  EXPECT_FALSE(active("high_process_memory_usage"));
  machine.resident = 6;
  run(61s, 0);
  EXPECT_TRUE(active("high_process_memory_usage"));
  EXPECT_FALSE(active("high_system_memory_usage"));
  machine.resident = 5;
  run(61s, 0);
  EXPECT_FALSE(active("high_process_memory_usage"));
}

TEST_F(SysMonitorTest, MeasuresThisProcess) {
  const Machine measured = measure_machine();
  EXPECT_GT(measured.resident, 1U << 20);
  EXPECT_LT(measured.resident, measured.memory.total);
}

TEST_F(SysMonitorTest, MemoryThatIsNoLongerWatchedIsNoAlarm) {
  machine.memory.used = 99;
  run(61s, 0);
  ASSERT_TRUE(active("high_system_memory_usage"));
  Options options;
  options.mem_check_interval = 0ms;
  module.set_options(options);
  run(121s, 0);
  EXPECT_FALSE(active("high_system_memory_usage"));
}

TEST_F(SysMonitorTest, ConnectionsAreAShareOfTheDescriptors) {
  live = 801;
  run(32s, 0);
  EXPECT_TRUE(active("too_many_processes"));
  live = 599;
  run(32s, 0);
  EXPECT_FALSE(active("too_many_processes"));
}

TEST_F(SysMonitorTest, IntervalsAndMarksAreTakenAtOnce) {
  Options options;
  options.cpu_check_interval = 2s;
  options.cpu_high = 0.3;
  options.cpu_low = 0.2;
  module.set_options(options);
  run(5s, 40);
  EXPECT_TRUE(active("high_cpu_usage"));
}

TEST(MeasureMachine, KnowsThisOne) {
  const Machine machine = measure_machine();
  EXPECT_GT(machine.memory.used, 0U);
  EXPECT_LT(machine.memory.used, machine.memory.total);
  EXPECT_GT(machine.cpu.used, 0U);
  EXPECT_LE(machine.cpu.used, machine.cpu.total);
}

}  // namespace
}  // namespace sb::plugins::module::sys_monitor
