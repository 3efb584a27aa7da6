// Asynchronous HTTP: a thread with libcurl's multi interface and a pool of connections. For one back end each: what one
// service does to its callers does not reach another's. Requests wait in a bounded queue; a service that cannot be
// reached is left alone for a while that grows (back-off), and requests fail at once meanwhile.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "driver/http/request.h"
#include "driver/resource/tls.h"

#include <functional>
#include <memory>
#include <string>

namespace sb::driver::http {

struct ClientOptions {
  std::string name = "http";       // of the thread, at most 15 characters
  std::size_t pool_size = 8;       // connections
  std::size_t waiting_max = 1024;  // requests beyond are refused
  Millis connect_timeout{15'000};
  std::size_t body_max = 1 << 20;  // of an answer
  resource::Tls tls{};
  Millis back_off{500};  // after a failure to connect; doubles up to the next
  Millis back_off_max{30'000};
};

class Client {
 public:
  /// Runs on the client's thread, exactly once; must only post. Unavailable: no connection, broken answer; Timeout;
  /// Full: too long an answer.
  using Done = std::function<void(Result<ClientResponse>)>;

  explicit Client(ClientOptions options);
  /// Requests that are on their way get Unavailable.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Any thread. False: too many wait, `done` will not be called.
  [[nodiscard]] bool send(ClientRequest request, Done done);
  /// Answers what is on its way and takes nothing any more. Not on the client's thread.
  void stop();
  /// The last attempt to connect failed, and why; empty while the service answers. Any thread.
  std::string trouble() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace sb::driver::http
