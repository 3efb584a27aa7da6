// A blocking MQTT 3.1.1 client over any transport of a listener, and nodes to serve it; for tests only.
#pragma once

#include "app/node.h"
#include "base/check.h"
#include "codec/websocket/frames.h"
#include "net/testing/tls_client.h"

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace sb::app::testing {

using net::testing::Folder;
using net::testing::Identity;
using net::testing::make_identity;
using net::testing::TlsClient;

inline std::string text16(std::string_view text) {
  return std::string{static_cast<char>(text.size() >> 8), static_cast<char>(text.size())} + std::string(text);
}
inline std::string packet(std::uint8_t first, const std::string& body) {
  std::string out(1, static_cast<char>(first));
  std::size_t left = body.size();
  do {
    out += static_cast<char>((left & 0x7F) | (left > 0x7F ? 0x80 : 0));
    left >>= 7;
  } while (left > 0);
  return out + body;
}
inline std::string connect_packet(std::string_view id, std::uint16_t keep_alive = 0) {
  return packet(0x10, text16("MQTT") + "\x04\x02" +
                          std::string{static_cast<char>(keep_alive >> 8), static_cast<char>(keep_alive)} + text16(id));
}
inline std::string subscribe_packet(std::string_view filter) {
  return packet(0x82, std::string("\0\1", 2) + text16(filter) + std::string(1, '\0'));
}
inline std::string publish_packet(std::string_view topic, std::string_view payload) {
  return packet(0x30, text16(topic) + std::string(payload));
}
inline const std::string kConnack("\x20\x02\0\0", 4);
inline const std::string kSuback("\x90\x03\0\1\0", 5);
inline const std::string kPingreq("\xc0\0", 2);
inline const std::string kPingresp("\xd0\0", 2);
inline const std::string kUpgrade =
    "GET /mqtt HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n";

inline std::string masked_frame(std::string_view payload,
                                codec::websocket::Opcode opcode = codec::websocket::Opcode::Binary) {
  const std::array<std::uint8_t, 4> mask{9, 8, 7, 6};
  std::uint8_t header[codec::websocket::kFrameHeaderMax];
  const auto* const end = codec::websocket::encode(header, {opcode, true, false, payload.size(), mask.data()});
  std::string body(payload);
  codec::websocket::apply_mask({reinterpret_cast<std::uint8_t*>(body.data()), body.size()}, mask, 0);
  return std::string(reinterpret_cast<const char*>(header), static_cast<std::size_t>(end - header)) + body;
}

class Wire {
 public:
  struct Options {
    bool tls = false;
    bool web = false;
    std::string greeting{};  // in clear, before anything else
    std::string headers{};   // of the upgrade
    std::string source{};    // local address
    std::function<void(SSL_CTX*)> setup{};
  };
  Wire(std::uint16_t port, const Options& options) : web_(options.web) {
    if (options.tls) {
      tls_ = std::make_unique<TlsClient>(options.setup);
      open_ = tls_->connect(port, {}, options.greeting);
    } else {
      fd_ = net::testing::connect_to(port);
      open_ = true;
      send_raw(options.greeting);
    }
    if (!web_ || !open_) return;
    send_raw(kUpgrade + options.headers + "\r\n");
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
      const std::string next = receive_raw(1);
      if (next.empty()) break;
      head += next;
    }
    open_ = head.starts_with("HTTP/1.1 101");
  }
  explicit Wire(std::uint16_t port) : Wire(port, Options{}) {}
  ~Wire() {
    tls_.reset();
    if (fd_ >= 0) ::close(fd_);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool open() const { return open_; }
  void send(const std::string& bytes) { send_raw(web_ ? masked_frame(bytes) : bytes); }
  void send_raw(std::string_view bytes) {
    if (tls_) {
      tls_->send(bytes);
      return;
    }
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  /// The next `size` MQTT bytes; less at the end of the connection.
  std::string receive(std::size_t size) {
    if (!web_) return receive_raw(size);
    while (unframed_.size() < size) {
      const std::string head = receive_raw(2);
      if (head.size() < 2 || (head[0] & 0x0F) == 8) break;
      std::size_t length = static_cast<std::uint8_t>(head[1]) & 0x7F;
      if (length >= 126) {
        std::size_t long_length = 0;
        for (const char c : receive_raw(length == 126 ? 2 : 8))
          long_length = long_length << 8 | static_cast<std::uint8_t>(c);
        length = long_length;
      }
      unframed_ += receive_raw(length);
    }
    const std::string out = unframed_.substr(0, size);
    unframed_.erase(0, out.size());
    return out;
  }
  bool connect(std::string_view id, std::uint16_t keep_alive = 0) {
    send(connect_packet(id, keep_alive));
    return receive(4) == kConnack;
  }
  bool ping() {
    send(kPingreq);
    return receive(2) == kPingresp;
  }
  /// The other end closed, within the receive time-out.
  bool over() { return receive_raw(1).empty(); }

 private:
  std::string receive_raw(std::size_t size) {
    if (tls_) return tls_->receive(size);
    std::string out(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      const ssize_t n = recv(fd_, out.data() + have, size - have, 0);
      if (n <= 0) break;
      have += static_cast<std::size_t>(n);
    }
    out.erase(have);
    return out;
  }
  bool web_;
  bool open_ = false;
  int fd_ = -1;
  std::unique_ptr<TlsClient> tls_;
  std::string unframed_;
};

/// Certificates of a node under test.
struct Pki {
  Folder folder;
  Identity ca = make_identity({.common_name = "Test CA", .authority = true});
  Identity server = make_identity({.common_name = "localhost", .issuer = &ca});
  net::TlsOptions tls() {
    net::TlsOptions out;
    out.certificate_file = folder.write("cert.pem", net::testing::to_pem(*server.certificate));
    out.key_file = folder.write("key.pem", net::testing::to_pem(*server.key));
    out.ca_file = folder.write("ca.pem", net::testing::to_pem(*ca.certificate));
    return out;
  }
};

inline ListenerOptions listener(const std::string& id, const client::ZoneSettings& zone = {}) {
  ListenerOptions out;
  out.bind = *net::Endpoint::parse("127.0.0.1:0");
  out.settings.id = id;
  out.settings.zone = std::make_shared<const client::ZoneSettings>(zone);
  return out;
}

inline NodeOptions node_with(std::vector<ListenerOptions> listeners, unsigned shards = 2) {
  NodeOptions out;
  out.shards = shards;
  out.listeners = std::move(listeners);
  return out;
}

/// Until `condition` holds, at most ten seconds.
template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // check: allow sleep
  }
  return true;
}

inline ListenerInfo info_of(Node& node, const std::string& id) {
  for (ListenerInfo& info : node.listeners().list())
    if (info.id == id) return info;
  return {};
}
inline std::uint64_t ends(Node& node, const std::string& id, const std::string& reason) {
  const ListenerInfo info = info_of(node, id);
  const auto it = info.shutdown_count.find(reason);
  return it == info.shutdown_count.end() ? 0 : it->second;
}

}  // namespace sb::app::testing
