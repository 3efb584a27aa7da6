#include "http/net_server.h"

#include "base/log.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sb::http {

namespace {
constexpr Nanos kPreambleTimeout{5'000'000'000};
/// However many come, one line tells of them.
constexpr Nanos kTellFull{60'000'000'000};
}  // namespace

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

bool NetServer::make_room() {
  if (connections_.drop_longest_waiting()) return true;
  if (preambles_.empty()) return false;
  loop_.destroy_later(std::move(preambles_.begin()->second));
  preambles_.erase(preambles_.begin());
  return true;
}

void NetServer::tell_full(bool refused) {
  ++(refused ? refused_ : dropped_);
  if (told_ && loop_.now() - *told_ < kTellFull) return;
  told_ = loop_.now();
  SB_LOG(log::Level::Warning, "management_connections_full", kv("max", options_.connections_max),
         kv("idle_closed", std::exchange(dropped_, 0)), kv("refused", std::exchange(refused_, 0)));
}

void NetServer::accept(int fd, const net::Endpoint& peer) {
  if (connection_count() >= options_.connections_max) {
    const bool room = make_room();
    tell_full(!room);
    if (!room) {
      ::close(fd);
      return;
    }
  }
  if (!options_.proxy_header) return serve(fd, peer, peer, false);
  const std::uint64_t id = next_preamble_++;
  auto preamble = std::make_unique<net::Preamble>(
      loop_, fd, peer, [this, id, socket = peer](net::Preamble&, net::Preamble::Outcome outcome) {
        const auto found = preambles_.find(id);
        if (found != preambles_.end()) {
          loop_.destroy_later(std::move(found->second));
          preambles_.erase(found);
        }
        if (outcome.fd >= 0) serve(outcome.fd, outcome.peer, socket, outcome.proxied);
      });
  net::Preamble& waiting = *preamble;
  preambles_.emplace(id, std::move(preamble));
  if (!waiting.start(kPreambleTimeout)) preambles_.erase(id);
}

void NetServer::serve(int fd, const net::Endpoint& peer, const net::Endpoint& socket, bool proxied) {
  Accepted accepted;
  accepted.fd = fd;
  accepted.peer = peer.host();
  // The loopback of a balancer's machine is not ours, and a balancer that names nobody may stand for anybody.
  accepted.peer_is_loopback = peer.is_loopback() && socket.is_loopback() && proxied == options_.proxy_header;
  accepted.forwarded = options_.proxy_header && !proxied;
  accepted.limits = options_.limits;
  if (options_.tls) {
    accepted.layer = net::make_tls_layer(options_.tls, std::nullopt);
    accepted.limits.first_timeout = options_.handshake_timeout;
  }
  connections_.add(std::move(accepted));
}

}  // namespace sb::http
