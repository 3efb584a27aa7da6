#include "management/machine.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace sb::management {

namespace {

/// nullopt: no such file, or "max".
std::optional<std::uint64_t> number_in(const char* path) {
  std::ifstream file(path);
  std::uint64_t out = 0;
  if (!(file >> out)) return std::nullopt;
  return out;
}

}  // namespace

Memory machine_memory() {
  Memory out;
  std::uint64_t available = 0;
  std::ifstream file("/proc/meminfo");
  std::string key;
  std::string unit;
  for (std::uint64_t value = 0; file >> key >> value;) {
    std::getline(file, unit);
    if (key == "MemTotal:") out.total = value * 1024;
    if (key == "MemAvailable:") available = value * 1024;
  }
  out.used = out.total - std::min(out.total, available);
  const auto limit = number_in("/sys/fs/cgroup/memory.max");
  const auto held = number_in("/sys/fs/cgroup/memory.current");
  if (limit && held && *limit < out.total) out = {*limit, std::min(*held, *limit)};
  return out;
}

std::uint64_t process_memory(std::string_view line) {
  std::ifstream file("/proc/self/status");
  for (std::string text; std::getline(file, text);)
    if (text.starts_with(line)) return std::strtoull(text.c_str() + line.size(), nullptr, 10) * 1024;
  return 0;
}

std::uint64_t folder_entries(const char* folder) {
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) ++count;
  return count;
}

CpuTicks cpu_ticks() {
  std::ifstream file("/proc/stat");
  std::string name;
  file >> name;
  CpuTicks out;
  std::uint64_t value = 0;
  // user nice system idle iowait irq softirq steal: the fourth and the fifth are idle.
  for (int i = 0; i < 8 && file >> value; ++i) (i == 3 || i == 4 ? out.idle : out.busy) += value;
  return out;
}

CpuUse::Share CpuUse::look() {
  const CpuTicks now = cpu_ticks();
  const double busy = static_cast<double>(now.busy - std::min(now.busy, last_.busy));
  const double idle = static_cast<double>(now.idle - std::min(now.idle, last_.idle));
  if (busy + idle < 1) return share_;  // asked again within a tick
  last_ = now;
  share_.use = 100 * busy / (busy + idle);
  share_.idle = 100 - share_.use;
  return share_;
}

}  // namespace sb::management
