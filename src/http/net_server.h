// HTTP and HTTPS on one address of the network. Requests go to the same handler as those of the local socket, marked
// with their peer. Belongs to the loop's thread.
#pragma once

#include "base/result.h"
#include "http/connections.h"
#include "net/acceptor.h"
#include "net/preamble.h"
#include "net/tls.h"
#include "runtime/loop.h"

#include <map>
#include <memory>
#include <optional>

namespace sb::http {

class NetServer {
 public:
  struct Options {
    net::Endpoint bind;
    int backlog = 1024;
    /// One more takes the place of the one that waits longest; it is closed at once where all are served.
    std::size_t connections_max = 512;
    /// The PROXY protocol's header comes first. Where it names no peer, the last address of X-Forwarded-For does.
    bool proxy_header = false;
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
  /// False: everything that is open is being served.
  bool make_room();
  void tell_full(bool refused);
  /// `socket` is the machine at the other end, a balancer where one stands in front.
  void serve(int fd, const net::Endpoint& peer, const net::Endpoint& socket, bool proxied);

  runtime::Loop& loop_;
  Options options_;
  net::Endpoint bound_;
  Connections connections_;
  std::map<std::uint64_t, std::unique_ptr<net::Preamble>> preambles_;  // by arrival
  std::uint64_t next_preamble_ = 1;
  // Connections that had to go since the last line about it.
  std::uint64_t dropped_ = 0;
  std::uint64_t refused_ = 0;
  std::optional<Nanos> told_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

}  // namespace sb::http
