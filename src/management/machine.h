// The machine and the process under the node, as the kernel tells of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sb::management {

struct Memory {
  std::uint64_t total = 0;
  std::uint64_t used = 0;
};
/// Of the machine or, where it is less, of the container (cgroup v2).
Memory machine_memory();

/// Bytes of a line of /proc/self/status, such as "VmRSS:"; 0 if it is not there.
std::uint64_t process_memory(std::string_view line);
std::uint64_t folder_entries(const char* folder);

/// Ticks of all processors since the start of the machine.
struct CpuTicks {
  std::uint64_t busy = 0;
  std::uint64_t idle = 0;
};
CpuTicks cpu_ticks();

/// Shares of the time between two looks, in percent.
class CpuUse {
 public:
  struct Share {
    double use = 0;
    double idle = 100;
  };
  Share look();

 private:
  CpuTicks last_;
  Share share_;
};

}  // namespace sb::management
