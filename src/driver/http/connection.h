// A service that is asked by HTTP, as a resource takes it: one request at a time on a connection that is kept alive.
// Belongs to the thread that uses it.
#pragma once

#include "driver/http/request.h"
#include "driver/resource/connection.h"
#include "driver/resource/tls.h"

#include <atomic>
#include <memory>
#include <string>

namespace sb::driver::http {

struct ServiceOptions {
  std::string origin;  // "https://host:port", of which a check is made
  Millis connect_timeout{15'000};
  Millis answer_timeout{5'000};    // of a check that waits for an answer
  std::size_t body_max = 1 << 20;  // of an answer
  resource::Tls tls{};
};

/// What the connections to one service share. Any thread.
struct Service {
  explicit Service(ServiceOptions o) : options(std::move(o)) {}
  const ServiceOptions options;
  /// The last question was not answered: then a check is a question too, not only a connection.
  std::atomic<bool> silent{false};
};

class Connection final : public resource::Connection {
 public:
  /// The service accepts connections, by TLS if that is configured. Unavailable, Timeout.
  [[nodiscard]] static Result<std::unique_ptr<resource::Connection>> open(std::shared_ptr<Service> service,
                                                                          const resource::Limit& limit);
  /// For open().
  explicit Connection(std::shared_ptr<Service> service);
  ~Connection() override;

  /// Unavailable: no connection, broken answer; Timeout; Full: too long an answer.
  [[nodiscard]] Result<ClientResponse> ask(const ClientRequest& request, const resource::Limit& limit);
  [[nodiscard]] Result<> check(const resource::Limit& limit) override;
  bool usable() override { return !broken_; }

 private:
  [[nodiscard]] Result<ClientResponse> perform(void* easy, const ClientRequest& request, bool connect_only,
                                               const resource::Limit& limit);

  const std::shared_ptr<Service> service_;
  void* multi_;  // keeps the connection between two questions
  void* easy_;
  bool broken_ = false;
};

}  // namespace sb::driver::http
