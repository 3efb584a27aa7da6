// Pushes the metrics page to a Prometheus push gateway while the configuration asks for it. Belongs to the management
// thread.
#pragma once

#include "config/roots/prometheus.h"
#include "driver/http/client.h"
#include "runtime/loop.h"

#include <functional>
#include <memory>
#include <string>

namespace sb::management {

class PushGateway {
 public:
  PushGateway(runtime::Loop& loop, std::string node, std::function<std::string()> page);
  ~PushGateway();
  PushGateway(const PushGateway&) = delete;
  PushGateway& operator=(const PushGateway&) = delete;

  void apply(const config::Prometheus::PushGateway& settings);
  /// Answers that were no success, connections that failed.
  std::uint64_t failures() const { return failures_; }
  std::uint64_t pushes() const { return pushes_; }

 private:
  struct Ticker final : runtime::Timer {
    explicit Ticker(PushGateway& owner) : gateway(owner) {}
    void on_timer() override { gateway.push(); }
    PushGateway& gateway;
  };
  void push();
  void heard(const Result<driver::http::ClientResponse>& answer);

  runtime::Loop& loop_;
  std::string node_;
  std::function<std::string()> page_;
  Ticker ticker_;
  config::Prometheus::PushGateway settings_;
  std::unique_ptr<driver::http::Client> client_;
  std::uint64_t failures_ = 0;
  std::uint64_t pushes_ = 0;
  bool on_its_way_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// <url>/metrics/job/<job>, the job with the node's name and host put in.
std::string push_url(const config::Prometheus::PushGateway& settings, std::string_view node);

}  // namespace sb::management
