// One listener on one shard: accepts, checks the address and the limits, waits for a PROXY header where one is due,
// puts the layers together and hands the connection to the channels. Belongs to its shard.
#pragma once

#include "mqtt/channel.h"
#include "net/acceptor.h"
#include "net/access_rules.h"
#include "net/preamble.h"
#include "net/tls.h"
#include "net/websocket.h"

#include <memory>
#include <string>
#include <vector>

namespace sb::app {

/// One listener as the configuration wants it. TLS and WebSocket make its type: tcp, ssl, ws, wss.
struct ListenerOptions {
  net::Endpoint bind;
  net::AcceptorOptions socket;
  client::ListenerSettings settings;  // settings.id names it: "ssl:default"
  bool enable = true;
  unsigned acceptors = 16;  // shown, there is one a shard
  net::AccessRules access;
  bool proxy_protocol = false;
  Millis proxy_protocol_timeout{3'000};
  std::optional<net::TlsOptions> tls;
  std::optional<net::WebSocketOptions> websocket;
  client::LimitRates limits;  // of the listener as a whole (config.md 7.11); those of each connection are in `settings`
};

/// What a shard needs of it; immutable parts, exchanged as a whole.
struct ListenerSnapshot {
  client::ListenerRef settings;
  std::shared_ptr<client::ListenerState> state;
  std::shared_ptr<const net::AccessRules> access;
  std::shared_ptr<const net::TlsContext> tls;
  std::shared_ptr<const net::WebSocketOptions> websocket;
  bool proxy_protocol = false;
  Millis proxy_protocol_timeout{3'000};
};

class ShardListener {
 public:
  ShardListener(runtime::Loop& loop, mqtt::ChannelHost& channels, ListenerSnapshot snapshot);

  const std::string& id() const { return snapshot_.settings->id; }
  [[nodiscard]] Result<> open(const net::Endpoint& bind, const net::AcceptorOptions& options);
  /// For connections from now on.
  void update(ListenerSnapshot snapshot) { snapshot_ = std::move(snapshot); }
  /// Serves what waits in the accept queue, then listens no more.
  void close() { acceptor_.close(); }
  /// Ends the connections that came through it.
  void drop_connections();

 private:
  /// Above max_connections a WebSocket is told so after its upgrade; so many may be on their way.
  static constexpr std::uint64_t kUpgradesBeyondLimit = 64;

  Nanos gate() const;
  void on_accept(int fd, const net::Endpoint& peer);
  void serve(net::Preamble::Outcome connection, bool full);

  runtime::Loop& loop_;
  mqtt::ChannelHost& channels_;
  ListenerSnapshot snapshot_;
  net::Acceptor acceptor_;
  std::vector<std::unique_ptr<net::Preamble>> preambles_;
};

}  // namespace sb::app
