// HTTP and HTTPS on one address of the network. Requests go to the same handler as those of the local socket, marked
// with their peer. Belongs to the loop's thread.
#pragma once

#include "base/result.h"
#include "http/connections.h"
#include "net/acceptor.h"
#include "net/preamble.h"
#include "net/tls.h"
#include "runtime/loop.h"

#include <memory>
#include <unordered_map>

namespace sb::http {

class NetServer {
 public:
  struct Options {
    net::Endpoint bind;
    int backlog = 1024;
    std::size_t connections_max = 512;  // further ones are closed at once
    /// The PROXY protocol's header comes first.
    bool proxy_header = false;  // and X-Forwarded-For is believed
    std::shared_ptr<const net::TlsContext> tls{};
    Nanos handshake_timeout{15'000'000'000};
    Accepted::Limits limits{};
  };

  NetServer(runtime::Loop& loop, Options options, Connections::Handler handler, PlanBody plan = {});
  ~NetServer();
  NetServer(const NetServer&) = delete;
  NetServer& operator=(const NetServer&) = delete;

  [[nodiscard]] Result<> open();
  /// Takes no more connections; those with a request in hand get their answer.
  void finish();
  const net::Endpoint& bound() const { return bound_; }
  /// For the handshakes to come.
  void set_tls(std::shared_ptr<const net::TlsContext> tls) { options_.tls = std::move(tls); }
  std::size_t connection_count() const { return connections_.size() + preambles_.size(); }

 private:
  void accept(int fd, const net::Endpoint& peer);
  void serve(int fd, const net::Endpoint& peer);

  runtime::Loop& loop_;
  Options options_;
  net::Endpoint bound_;
  Connections connections_;
  std::unordered_map<net::Preamble*, std::unique_ptr<net::Preamble>> preambles_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

}  // namespace sb::http
