#include "app/shard_listener.h"

#include "base/log.h"

#include <unistd.h>

#include <algorithm>

namespace sb::app {

ShardListener::ShardListener(runtime::Loop& loop, mqtt::ChannelHost& channels, ListenerSnapshot snapshot)
    : loop_(loop),
      channels_(channels),
      snapshot_(std::move(snapshot)),
      acceptor_(loop, [this](int fd, const net::Endpoint& peer) { on_accept(fd, peer); }) {
  acceptor_.set_gate([this] { return gate(); });
  acceptor_.set_shed([this] {
    snapshot_.state->count_end("emfile");
    channels_.shard().broker.metrics().add(broker::Metric::OverloadNewConn);
  });
}

Result<> ShardListener::open(const net::Endpoint& bind, const net::AcceptorOptions& options) {
  acceptor_.set_gate([this] { return gate(); });
  return acceptor_.open(bind, options);
}

Nanos ShardListener::gate() const {
  const client::ListenerState& state = *snapshot_.state;
  return std::max(state.limits.connections.wait(loop_.now()), state.node_limits->connections.wait(loop_.now()));
}

void ShardListener::on_accept(int fd, const net::Endpoint& peer) {
  client::ListenerState& state = *snapshot_.state;
  state.limits.connections.take(loop_.now());
  state.node_limits->connections.take(loop_.now());
  const auto refuse = [&](std::string_view reason) {
    // Counted before the peer can see the end, so that who has seen it finds it counted.
    state.count_end(reason);
    ::close(fd);
    SB_LOG(log::Level::Warning, "connection_rejected", kv("listener", id()), kv("peername", peer.to_string()),
           kv("reason", reason));
  };
  if (!snapshot_.access->allows_all() && !snapshot_.access->allows(peer)) return refuse("access_denied");
  const std::uint64_t limit = snapshot_.settings->max_connections;
  bool full = false;
  if (!state.enter(limit)) {
    full = snapshot_.websocket && state.enter(limit + kUpgradesBeyondLimit);
    if (!full) return refuse("max_connections");
  }
  if (!snapshot_.proxy_protocol) {
    net::Preamble::Outcome connection;
    connection.fd = fd;
    connection.peer = peer;
    serve(std::move(connection), full);
    return;
  }
  preambles_.push_back(std::make_unique<net::Preamble>(
      loop_, fd, peer, [this, full](net::Preamble& preamble, net::Preamble::Outcome connection) {
        const auto it = std::find_if(preambles_.begin(), preambles_.end(),
                                     [&preamble](const auto& pending) { return pending.get() == &preamble; });
        std::unique_ptr<net::Preamble> over = std::move(*it);
        *it = std::move(preambles_.back());
        preambles_.pop_back();
        loop_.destroy_later(std::move(over));
        serve(std::move(connection), full);
      }));
  if (const auto started = preambles_.back()->start(snapshot_.proxy_protocol_timeout); !started) {
    preambles_.pop_back();
    state.leave();
    SB_LOG(log::Level::Error, "connection_not_served", kv("reason", started.error().what));
  }
}

void ShardListener::serve(net::Preamble::Outcome connection, bool full) {
  if (connection.fd < 0) {
    snapshot_.state->leave();
    snapshot_.state->count_end(connection.error.reason);
    SB_LOG(log::Level::Info, "proxy_header_failed", kv("listener", id()), kv("peername", connection.peer.to_string()),
           kv("reason", connection.error.detail));
    return;
  }
  std::unique_ptr<net::Layer> layer;
  if (snapshot_.tls)
    layer = net::make_tls_layer(snapshot_.tls, std::move(connection.certificate));
  else if (connection.certificate)
    layer = net::make_plain_layer(*std::move(connection.certificate));
  if (snapshot_.websocket)
    layer = net::make_websocket_layer(snapshot_.websocket, std::move(layer),
                                      {.full = full, .believe_headers = !connection.proxied});
  channels_.accept(net::Stream::Detached{connection.fd, std::move(layer), {}}, connection.peer, snapshot_.settings,
                   snapshot_.state);
}

void ShardListener::drop_connections() {
  for (auto& pending : std::exchange(preambles_, {})) {
    snapshot_.state->leave();
    loop_.destroy_later(std::move(pending));
  }
  channels_.for_each([this](mqtt::Channel& channel) {
    if (channel.client().listener().id == id()) channel.disconnect(ReasonCode::ServerShuttingDown, "listener_stopped");
  });
}

}  // namespace sb::app
