// The endpoint table over a Unix socket of mode 0600 on one loop: HTTP/1.1, several connections, each with one request
// in hand; size and time of a request are bounded. Belongs to the loop's thread. Who may open the socket may do
// everything.
#pragma once

#include "base/result.h"
#include "http/parser.h"
#include "runtime/loop.h"

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace sb::http {

class UnixServer final : private runtime::IoHandler {
 public:
  struct Options {
    std::string path;
    std::size_t connections_max = 64;  // further ones are closed at once
    RequestParser::Limits limits;
    Nanos request_timeout{30'000'000'000};  // from the first byte of a request to its last
    Nanos idle_timeout{120'000'000'000};
    Nanos answer_timeout{120'000'000'000};  // a handler that is late gets 503 in its place
    Nanos write_timeout{30'000'000'000};
  };
  /// `reply` may be called after the connection, but not after the server's loop, is gone.
  using Handler = std::function<void(Request, Reply)>;

  UnixServer(runtime::Loop& loop, Options options, Handler handler);
  ~UnixServer();
  UnixServer(const UnixServer&) = delete;
  UnixServer& operator=(const UnixServer&) = delete;

  /// Busy: another process answers there. A file that nobody serves is replaced.
  [[nodiscard]] Result<> open();
  /// Closes everything and removes the file.
  void close();
  std::size_t connection_count() const { return connections_.size(); }

 private:
  class Connection;
  void on_io(std::uint32_t events) override;
  void remove(std::uint64_t id);

  runtime::Loop& loop_;
  Options options_;
  Handler handler_;
  int fd_ = -1;
  std::uint64_t next_id_ = 1;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::shared_ptr<UnixServer*> self_;  // seen by late replies; null inside once the server is gone
};

}  // namespace sb::http
