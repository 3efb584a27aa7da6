// The endpoint table over a Unix socket of mode 0600 on one loop: HTTP/1.1, several connections, each with one request
// in hand; size and time of a request are bounded. Belongs to the loop's thread. Who may open the socket may do
// everything.
#pragma once

#include "base/result.h"
#include "http/connections.h"
#include "runtime/loop.h"

#include <string>

namespace sb::http {

class UnixServer final : private runtime::IoHandler, private runtime::Timer {
 public:
  struct Options {
    std::string path;
    std::size_t connections_max = 64;  // further ones are closed at once
    Accepted::Limits limits{};
  };

  UnixServer(runtime::Loop& loop, Options options, Connections::Handler handler, PlanBody plan = {});
  ~UnixServer();
  UnixServer(const UnixServer&) = delete;
  UnixServer& operator=(const UnixServer&) = delete;

  /// Busy: another process answers there. A file that nobody serves is replaced.
  [[nodiscard]] Result<> open();
  /// Closes everything and removes the file.
  void close();
  std::size_t connection_count() const { return connections_.size(); }

 private:
  void on_io(std::uint32_t events) override;
  void on_timer() override { on_io(0); }

  runtime::Loop& loop_;
  Options options_;
  int fd_ = -1;
  Connections connections_;
};

}  // namespace sb::http
