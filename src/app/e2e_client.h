// A raw MQTT client for end-to-end tests: writes packets as bytes, reads with a deadline. Knows only what tests need.
#pragma once

#include "net/endpoint.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>

namespace sb::app {

class RawClient {
 public:
  explicit RawClient(const net::Endpoint& to) {
    sockaddr_storage address{};
    const socklen_t size = to.to_sockaddr(address);
    fd_ = socket(address.ss_family, SOCK_STREAM, 0);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0;
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  bool connected() const { return connected_; }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  /// One whole packet; empty if none comes in time or the connection ends.
  std::string packet(std::chrono::milliseconds limit = std::chrono::seconds(5)) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (;;) {
      if (const std::size_t size = whole(); size != 0) {
        std::string out = buffer_.substr(0, size);
        buffer_.erase(0, size);
        return out;
      }
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
      if (left < 0 || ended_) return {};
      pollfd wait{fd_, POLLIN, 0};
      if (poll(&wait, 1, static_cast<int>(left) + 1) <= 0) continue;
      char chunk[4096];
      const ssize_t n = recv(fd_, chunk, sizeof chunk, 0);
      if (n <= 0)
        ended_ = true;
      else
        buffer_.append(chunk, static_cast<std::size_t>(n));
    }
  }
  bool ended() const { return ended_; }

  static std::string text(std::string_view s) {
    std::string out{static_cast<char>(s.size() >> 8), static_cast<char>(s.size() & 0xFF)};
    return out += s;
  }
  static std::string framed(unsigned first, std::string_view body) {
    std::string out(1, static_cast<char>(first));
    std::size_t rest = body.size();
    do {
      const std::size_t byte = rest % 128;
      rest /= 128;
      out += static_cast<char>(byte | (rest != 0 ? 128U : 0U));
    } while (rest != 0);
    return out += body;
  }
  struct Options {
    int version = 5;
    std::string username;
    unsigned keep_alive_s = 0;
    std::string will_topic;
    bool clean_start = true;
    unsigned expiry_s = 0;             // version 5
    unsigned maximum_packet_size = 0;  // version 5, 0 = none given
  };
  static std::string connect_packet(std::string_view id, const Options& options) {
    unsigned flags = options.clean_start ? 2 : 0;
    if (!options.username.empty()) flags |= 0x80;
    if (!options.will_topic.empty()) flags |= 4;
    std::string body = text("MQTT");
    body += static_cast<char>(options.version);
    body += static_cast<char>(flags);
    body += static_cast<char>(options.keep_alive_s >> 8);
    body += static_cast<char>(options.keep_alive_s & 0xFF);
    if (options.version == 5) {
      std::string properties;
      const auto add = [&properties](char name, unsigned value) {
        if (value == 0) return;
        properties += name;
        for (int shift = 24; shift >= 0; shift -= 8) properties += static_cast<char>(value >> shift & 0xFF);
      };
      add('\x11', options.expiry_s);             // 3.1.2.11.2
      add('\x27', options.maximum_packet_size);  // 3.1.2.11.4
      body += static_cast<char>(properties.size());
      body += properties;
    }
    body += text(id);
    if (!options.will_topic.empty()) {
      if (options.version == 5) body += '\0';
      body += text(options.will_topic) + text("gone");
    }
    if (!options.username.empty()) body += text(options.username);
    return framed(0x10, body);
  }
  static std::string connect_packet(std::string_view id) { return connect_packet(id, Options{}); }
  /// MQTT 5.
  static std::string publish_packet(std::string_view topic, std::string_view payload, unsigned qos = 0, unsigned id = 0,
                                    bool retain = false) {
    std::string body = text(topic);
    if (qos != 0) {
      body += static_cast<char>(id >> 8);
      body += static_cast<char>(id & 0xFF);
    }
    body += '\0';
    body += payload;
    return framed(0x30 | qos << 1 | (retain ? 1U : 0U), body);
  }
  static std::string subscribe_packet(unsigned id, std::initializer_list<std::string_view> filters) {
    std::string body{static_cast<char>(id >> 8), static_cast<char>(id & 0xFF), '\0'};
    for (const std::string_view filter : filters) body += text(filter) + '\1';
    return framed(0x82, body);
  }
  static std::string ping_packet() { return std::string("\xC0\x00", 2); }

 private:
  std::size_t whole() const {
    std::size_t length = 0;
    for (std::size_t i = 1; i < buffer_.size() && i < 5; ++i) {
      const auto byte = static_cast<unsigned char>(buffer_[i]);
      length |= std::size_t{byte & 0x7FU} << (7 * (i - 1));
      if ((byte & 0x80U) == 0) return buffer_.size() >= i + 1 + length ? i + 1 + length : 0;
    }
    return 0;
  }
  int fd_ = -1;
  bool connected_ = false;
  bool ended_ = false;
  std::string buffer_;
};

/// Type nibble of a packet, 0 for none.
inline unsigned type_of(const std::string& packet) {
  return packet.empty() ? 0U : static_cast<unsigned char>(packet[0]) >> 4;
}

}  // namespace sb::app
