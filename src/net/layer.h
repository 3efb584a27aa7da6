// What may lie between a Stream and its socket: TLS, WebSocket, or WebSocket over TLS. A layer turns wire bytes into
// the bytes the channel wants and back; its own handshake and control traffic happen inside read() and write(). Layers
// nest: each owns the one below. Belongs to the shard of its stream.
#pragma once

#include "net/endpoint.h"
#include "net/layer_scratch.h"

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sb::net {

/// Results of read and write besides a count of bytes.
constexpr ssize_t kEndOfStream = 0;
constexpr ssize_t kWouldBlock = -1;
constexpr ssize_t kFailed = -2;

/// Why a stream ended, as events and logs name it (broker.md 4.4).
struct StreamError {
  std::string_view reason;  // "tcp_closed", "ssl_closed", "sock_error", "unexpected_ws_frame", ... static text
  std::string detail;       // for the log
};

/// What a peer certificate said, if one was given (and verified as configured).
struct PeerCertificate {
  std::string common_name;
  std::string subject_dn;  // RFC 4514
  std::string der;
};

/// What the HTTP request of a WebSocket told about the client.
struct UpgradeInfo {
  std::optional<Endpoint> forwarded_peer;  // proxy_address_header, proxy_port_header
  std::string cookie;
};

/// Whether a header that came over a socket of `socket` would make its client one of this machine, without being it.
inline bool feigns_loopback(const Endpoint& socket, const Endpoint& named) {
  return named.is_loopback() && !socket.is_loopback();
}

class Layer {
 public:
  virtual ~Layer() = default;
  /// The stream belongs to the shard of `scratch` from now on; null: it is on its way to another one. Called before
  /// anything else.
  virtual void enter(LayerScratch* scratch) = 0;
  /// Bytes for the channel into `out`; loops until it has some, the socket would block, or the stream ended. Unlike a
  /// plain socket a short count does not mean that nothing is left: call until kWouldBlock.
  virtual ssize_t read(int fd, std::uint8_t* out, std::size_t room) = 0;
  /// The last read emptied the socket and nothing is held back: calling read() again would only cost a system call.
  virtual bool drained() const = 0;
  /// Takes as many bytes as it can; a count below the sum means that the socket is full. Called with count 0 to push
  /// out what the layer itself has to say. kWouldBlock: nothing was taken.
  virtual ssize_t write(int fd, const iovec* vectors, int count) = 0;
  /// The layer has bytes of its own that could not be written yet.
  virtual bool has_output() const = 0;
  /// Says goodbye (close_notify, close frame) as far as the socket takes it.
  virtual void shutdown(int fd) = 0;
  virtual const StreamError& error() const = 0;
  virtual const PeerCertificate* peer_certificate() const { return nullptr; }
  virtual const UpgradeInfo* upgrade_info() const { return nullptr; }
  /// The handshake is over and bytes of the channel may flow.
  virtual bool established() const = 0;
  /// Something came from the peer since the last call, be it only a ping of the layer's own protocol.
  virtual bool take_activity() { return false; }
};

}  // namespace sb::net
