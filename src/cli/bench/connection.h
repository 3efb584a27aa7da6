// One client of the load tool: a non-blocking socket, with or without TLS, and the client's half of MQTT. Driven by the
// runner's epoll loop; belongs to its thread.
#pragma once

#include "cli/bench/options.h"
#include "codec/mqtt/client.h"

#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

struct ssl_st;      // OpenSSL's SSL
struct ssl_ctx_st;  // and SSL_CTX

namespace sb::cli::bench {

/// What all clients count into.
struct Counters {
  std::uint64_t connects = 0, connected = 0, refused = 0, lost = 0;
  std::uint64_t subscribed = 0, published = 0, acknowledged = 0, received = 0;
  std::uint64_t publish_failed = 0;
};

class Connection {
 public:
  enum class State : std::uint8_t { Connecting, Handshaking, Waiting, Ready, Closed };

  Connection(const Options& options, Counters& counters, std::uint32_t number);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Begins to connect. `tls` may be null.
  [[nodiscard]] Result<> open(const sockaddr_storage& address, socklen_t size, ssl_ctx_st* tls);
  /// epoll told something about the socket.
  void on_io();
  /// One message, unless earlier ones still wait to be written or acknowledged.
  bool publish(ByteView payload);
  void ping();
  /// Says goodbye and closes.
  void finish();

  int fd() const { return fd_; }
  State state() const { return state_; }
  std::uint32_t number() const { return number_; }
  const std::string& trouble() const { return trouble_; }

 private:
  static constexpr std::size_t kInflightMax = 32;
  static constexpr std::size_t kUnwrittenMax = 256 << 10;

  void close(std::string why);
  bool handshake();
  void say_connect();
  void read();
  void write();
  void handle(const codec::mqtt::Frame& frame);
  void on_connack(const codec::mqtt::Frame& frame);

  const Options& options_;
  Counters& counters_;
  std::uint32_t number_;
  std::string client_id_;
  std::string topic_;
  int fd_ = -1;
  ssl_st* tls_ = nullptr;
  State state_ = State::Connecting;
  codec::mqtt::Buffer out_;
  std::size_t written_ = 0;
  codec::mqtt::Buffer in_;
  PacketId next_id_ = 1;
  std::size_t inflight_ = 0;
  std::string trouble_;
};

}  // namespace sb::cli::bench
