// A blocking TLS client on a loopback port, for tests only.
// check: allow leak in this file: for tests only, which speak to OpenSSL
#pragma once

#include "base/check.h"
#include "net/testing/certificates.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <utility>

namespace sb::net::testing {

inline int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  SB_CHECK(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "cannot connect");
  const timeval limit{10, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return fd;
}

class TlsClient {
 public:
  explicit TlsClient(const std::function<void(SSL_CTX*)>& setup = {}) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_options(context_, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (setup) setup(context_);
  }
  ~TlsClient() {
    close();
    if (session_) SSL_SESSION_free(session_);
    SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  /// `before` runs on the SSL before the handshake, `greeting` is sent in clear on the socket first.
  bool connect(std::uint16_t port, const std::function<void(SSL*)>& before = {}, std::string_view greeting = {}) {
    close();
    fd_ = connect_to(port);
    if (!greeting.empty())
      SB_CHECK(::send(fd_, greeting.data(), greeting.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(greeting.size()),
               "send");
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    if (session_) SSL_set_session(ssl_, session_);
    if (before) before(ssl_);
    ERR_clear_error();
    return SSL_connect(ssl_) == 1;
  }
  bool send(std::string_view bytes) {
    std::size_t done = 0;
    return SSL_write_ex(ssl_, bytes.data(), bytes.size(), &done) == 1 && done == bytes.size();
  }
  /// What came until `size` bytes are here, or less at the end.
  std::string receive(std::size_t size) {
    std::string out;
    while (out.size() < size) {
      char buffer[16384];
      std::size_t n = 0;
      if (SSL_read_ex(ssl_, buffer, std::min(sizeof buffer, size - out.size()), &n) != 1) break;
      out.append(buffer, n);
    }
    return out;
  }
  /// A handshake may look fine to the client of TLS 1.3 before the server refuses it: the echo tells.
  bool works() { return send("ping") && receive(4) == "ping"; }
  void keep_session() {
    if (session_) SSL_SESSION_free(session_);
    session_ = SSL_get1_session(ssl_);
  }
  SSL* ssl() { return ssl_; }
  int fd() const { return fd_; }
  void close() {
    if (ssl_) {
      SSL_shutdown(ssl_);
      SSL_free(std::exchange(ssl_, nullptr));
    }
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  SSL_SESSION* session_ = nullptr;
  int fd_ = -1;
};

inline void use_identity(SSL_CTX* context, const Identity& identity) {
  SSL_CTX_use_certificate(context, identity.certificate.get());
  SSL_CTX_use_PrivateKey(context, identity.key.get());
}
inline void trust(SSL_CTX* context, const Identity& authority) {
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.certificate.get());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
}

}  // namespace sb::net::testing
