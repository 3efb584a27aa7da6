#include "http/net_server.h"

#include "base/log.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sb::http {

namespace {
constexpr Nanos kPreambleTimeout{5'000'000'000};
}

NetServer::NetServer(runtime::Loop& loop, Options options, Connections::Handler handler, PlanBody plan)
    : loop_(loop), options_(std::move(options)), connections_(loop, std::move(handler), std::move(plan)) {}

NetServer::~NetServer() {
  acceptor_.reset();
  for (auto& [key, preamble] : preambles_) loop_.destroy_later(std::move(preamble));
}

Result<> NetServer::open() {
  SB_TRY(bound_, net::Acceptor::probe(options_.bind));
  acceptor_ = std::make_unique<net::Acceptor>(loop_, [this](int fd, const net::Endpoint& peer) { accept(fd, peer); });
  net::AcceptorOptions how;
  how.backlog = options_.backlog;
  how.reuse_port = false;
  return acceptor_->open(bound_, how);
}

void NetServer::finish() {
  if (acceptor_) acceptor_->close();
  acceptor_.reset();
  for (auto& [key, preamble] : preambles_) loop_.destroy_later(std::move(preamble));
  preambles_.clear();
  connections_.finish();
}

void NetServer::accept(int fd, const net::Endpoint& peer) {
  if (connection_count() >= options_.connections_max) {
    SB_LOG(log::Level::Warning, "management_connection_refused", kv("max", options_.connections_max));
    ::close(fd);
    return;
  }
  if (!options_.proxy_header) return serve(fd, peer);
  auto preamble =
      std::make_unique<net::Preamble>(loop_, fd, peer, [this](net::Preamble& self, net::Preamble::Outcome outcome) {
        const auto found = preambles_.find(&self);
        if (found != preambles_.end()) {
          loop_.destroy_later(std::move(found->second));
          preambles_.erase(found);
        }
        if (outcome.fd >= 0) serve(outcome.fd, outcome.peer);
      });
  net::Preamble& waiting = *preamble;
  preambles_.emplace(&waiting, std::move(preamble));
  if (!waiting.start(kPreambleTimeout)) preambles_.erase(&waiting);
}

void NetServer::serve(int fd, const net::Endpoint& peer) {
  Accepted accepted;
  accepted.fd = fd;
  accepted.peer = peer.host();
  accepted.peer_is_loopback = peer.is_loopback();
  accepted.forwarded = options_.proxy_header;
  accepted.limits = options_.limits;
  if (options_.tls) {
    accepted.layer = net::make_tls_layer(options_.tls, std::nullopt);
    accepted.limits.first_timeout = options_.handshake_timeout;
  }
  connections_.add(std::move(accepted));
}

}  // namespace sb::http
