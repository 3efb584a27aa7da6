#include "tests/crash/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace sb::crash {

namespace {

int listen_nowhere(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ::bind(fd, reinterpret_cast<const sockaddr*>(&at), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  port = ntohs(at.sin_port);
  return fd;
}

bool accepts(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool good = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  ::close(fd);
  return good;
}

}  // namespace

bool Process::start(unsigned shards, const std::string& durability) {
  ::close(listen_nowhere(port_));
  const std::string config = folder_ + "/signalbox.conf";
  std::ofstream(config)
      << "node { name = \"signalbox@127.0.0.1\", data_dir = \"" << folder_ << "/data\", shards = " << shards
      << " }\nsession_persistence.durability = " << durability << "\nlisteners.tcp.default.bind = \"127.0.0.1:" << port_
      << "\"\n"
      << "listeners.ssl.default.enable = false\nlisteners.ws.default.enable = false\n"
      << "listeners.wss.default.enable = false\ndashboard.listeners.http.bind = 0\nlicense.key = community\n"
      << "mqtt { max_mqueue_len = infinity, max_mqueue_bytes = infinity, session_expiry_interval = 2h }\n";
  const std::string log = folder_ + "/output.log";
  pid_ = ::fork();
  if (pid_ == 0) {
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execl(program_.c_str(), program_.c_str(), "start", "--config", config.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  for (int i = 0; i < 6000; ++i) {
    if (!running()) return false;
    if (accepts(port_)) return true;
    ::usleep(5000);
  }
  return false;
}

bool Process::running() {
  if (pid_ <= 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
  std::fprintf(stderr, "the broker ended with status %d\n", status);
  pid_ = -1;
  return false;
}

void Process::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace sb::crash
