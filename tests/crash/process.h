// The broker under test: started on a data folder, killed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace sb::crash {

class Process {
 public:
  Process(std::string program, std::string folder) : program_(std::move(program)), folder_(std::move(folder)) {}
  ~Process() { kill(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Writes the configuration, starts the program, and waits until it accepts. False: it ended or does not come up.
  bool start(unsigned shards, const std::string& durability);
  /// kill -9.
  void kill();
  bool running();
  std::uint16_t port() const { return port_; }

 private:
  std::string program_;
  std::string folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace sb::crash
