// TLS over the socket's bytes. OpenSSL reads from and writes to rooms of the shard through a BIO of ours: one receive
// brings many records, all records of a flush leave in one send, and a quiet connection holds no buffer but OpenSSL's
// own state (SSL_MODE_RELEASE_BUFFERS).
#include "base/check.h"
#include "net/detail/tls_context.h"
#include "net/detail/wire_out.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace sb::net {

namespace detail {

class TlsLayer final : public Layer {
 public:
  TlsLayer(std::shared_ptr<const TlsContextImpl> context, std::optional<PeerCertificate> proxied);
  void enter(LayerScratch* scratch) override { scratch_ = scratch; }
  ssize_t read(int fd, std::uint8_t* out, std::size_t room) override;
  bool drained() const override { return drained_ && !held_ && !over_ && !failed_ && SSL_pending(ssl_.get()) == 0; }
  ssize_t write(int fd, const iovec* vectors, int count) override;
  bool has_output() const override { return !wire_.empty(); }
  void shutdown(int fd) override;
  const StreamError& error() const override { return *error_; }
  const PeerCertificate* peer_certificate() const override { return certificate_.get(); }
  bool established() const override { return established_; }

 private:
  friend int bio_read(BIO*, char*, std::size_t, std::size_t*);
  friend int bio_write(BIO*, const char*, std::size_t, std::size_t*);

  std::size_t decrypt(std::uint8_t* out, std::size_t room);
  bool handshake();
  void on_established();
  /// Sends what OpenSSL has produced in this call. False: the socket is full or has failed.
  bool push_out(int fd);
  bool encrypt(const std::uint8_t* data, std::size_t size);
  ssize_t fail_with(std::string_view reason, std::string detail);

  std::shared_ptr<const TlsContextImpl> context_;
  std::unique_ptr<SSL, Deleter<SSL_free>> ssl_;
  LayerScratch* scratch_ = nullptr;
  std::string_view input_;             // ciphertext that OpenSSL may take, during a call only
  std::unique_ptr<std::string> held_;  // ciphertext for which the caller had no room
  WireOut wire_;
  std::unique_ptr<StreamError> error_;
  std::unique_ptr<PeerCertificate> certificate_;
  std::uint8_t first_byte_ = 0;
  bool established_ = false;
  bool drained_ = false;
  bool over_ = false;  // the peer's close_notify or end of stream
  bool failed_ = false;
  bool saw_bytes_ = false;
};

int bio_read(BIO* bio, char* out, std::size_t room, std::size_t* count) {
  auto& self = *static_cast<TlsLayer*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *count = std::min(room, self.input_.size());
  if (*count == 0) {
    BIO_set_retry_read(bio);
    return 0;
  }
  std::memcpy(out, self.input_.data(), *count);
  self.input_.remove_prefix(*count);
  return 1;
}

int bio_write(BIO* bio, const char* data, std::size_t size, std::size_t* count) {
  auto& self = *static_cast<TlsLayer*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  self.scratch_->tls_out.append(data, size);
  *count = size;
  return 1;
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_bio_method() {
  BIO_METHOD* const method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "signalbox");
  if (!method) return nullptr;
  BIO_meth_set_read_ex(method, bio_read);
  BIO_meth_set_write_ex(method, bio_write);
  BIO_meth_set_ctrl(method, bio_control);
  return method;
}

TlsLayer::TlsLayer(std::shared_ptr<const TlsContextImpl> context, std::optional<PeerCertificate> proxied)
    : context_(std::move(context)), ssl_(SSL_new(context_->get())) {
  SB_CHECK(ssl_ != nullptr, "no memory for a TLS connection");
  BIO* const bio = BIO_new(context_->bio_method());
  SB_CHECK(bio != nullptr, "no memory for a TLS connection");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
  if (proxied) certificate_ = std::make_unique<PeerCertificate>(std::move(*proxied));
}

ssize_t TlsLayer::fail_with(std::string_view reason, std::string detail) {
  failed_ = true;
  error_ = std::make_unique<StreamError>(StreamError{reason, std::move(detail)});
  return kFailed;
}

bool TlsLayer::push_out(int fd) {
  std::string& out = scratch_->tls_out;
  if (out.empty() && wire_.empty()) return true;
  const bool sent = wire_.send(fd, nullptr, out);
  out.clear();
  return sent;
}

ssize_t TlsLayer::read(int fd, std::uint8_t* out, std::size_t room) {
  if (failed_) return kFailed;
  for (;;) {
    std::string held;
    if (held_) {
      held = std::move(*std::exchange(held_, nullptr));
      input_ = held;
    }
    std::size_t made = decrypt(out, room);
    if (made == 0 && !failed_ && !over_ && input_.empty()) {
      std::uint8_t* const buffer = scratch_->tls_in();
      // Not more than fits the caller's room, so that seldom anything must be held back.
      const std::size_t want = std::min(LayerScratch::kIn, std::max<std::size_t>(room, 4096));
      const ssize_t n = receive(fd, buffer, want);
      if (n == kWouldBlock) {
        drained_ = true;
        push_out(fd);
        return kWouldBlock;
      }
      if (n == kFailed) return fail_with("sock_error", std::strerror(errno));
      if (n == kEndOfStream) {
        over_ = true;
        error_ = std::make_unique<StreamError>(
            established_ ? StreamError{"ssl_closed", "the peer closed the connection"}
                         : StreamError{"ssl_closed", "the peer closed the connection during the TLS handshake"});
        return kEndOfStream;
      }
      drained_ = static_cast<std::size_t>(n) < want;
      if (!saw_bytes_) {
        saw_bytes_ = true;
        first_byte_ = buffer[0];
      }
      input_ = {reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(n)};
      made = decrypt(out, room);
    }
    if (!input_.empty() && !failed_ && !over_) held_ = std::make_unique<std::string>(input_);
    input_ = {};
    push_out(fd);
    if (wire_.failed() && !failed_) return fail_with("sock_error", std::strerror(wire_.error()));
    if (made > 0) return static_cast<ssize_t>(made);
    if (failed_) return kFailed;
    if (over_) return kEndOfStream;
  }
}

std::size_t TlsLayer::decrypt(std::uint8_t* out, std::size_t room) {
  if (!established_ && !handshake()) return 0;
  std::size_t made = 0;
  while (made < room) {
    ERR_clear_error();
    std::size_t n = 0;
    if (SSL_read_ex(ssl_.get(), out + made, room - made, &n) == 1) {
      made += n;
      continue;
    }
    switch (SSL_get_error(ssl_.get(), 0)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        return made;
      case SSL_ERROR_ZERO_RETURN:
        over_ = true;
        error_ = std::make_unique<StreamError>(StreamError{"ssl_closed", "the peer closed the TLS connection"});
        return made;
      default:
        fail_with("ssl_error", explain_handshake_failure(ssl_.get(), first_byte_));
        return made;
    }
  }
  return made;
}

bool TlsLayer::handshake() {
  if (failed_) return false;
  ERR_clear_error();
  const int done = SSL_accept(ssl_.get());
  if (done == 1) {
    on_established();
    return true;
  }
  const int why = SSL_get_error(ssl_.get(), done);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
  fail_with("ssl_error", explain_handshake_failure(ssl_.get(), first_byte_));
  return false;
}

void TlsLayer::on_established() {
  established_ = true;
  const std::unique_ptr<X509, Deleter<X509_free>> peer(SSL_get1_peer_certificate(ssl_.get()));
  if (!peer) return;
  certificate_ = std::make_unique<PeerCertificate>();
  const X509_NAME* const subject = X509_get_subject_name(peer.get());
  if (const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1); at >= 0) {
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size > 0) certificate_->common_name.assign(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
    OPENSSL_free(text);
  }
  const std::unique_ptr<BIO, Deleter<BIO_free>> line(BIO_new(BIO_s_mem()));
  if (line && X509_NAME_print_ex(line.get(), subject, 0,
                                 XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB)) >= 0) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(line.get(), &data);
    certificate_->subject_dn.assign(data, static_cast<std::size_t>(size));
  }
  const int size = i2d_X509(peer.get(), nullptr);
  if (size > 0) {
    certificate_->der.resize(static_cast<std::size_t>(size));
    auto* bytes = reinterpret_cast<unsigned char*>(certificate_->der.data());
    i2d_X509(peer.get(), &bytes);
  }
}

bool TlsLayer::encrypt(const std::uint8_t* data, std::size_t size) {
  while (size > 0) {
    ERR_clear_error();
    std::size_t n = 0;
    if (SSL_write_ex(ssl_.get(), data, size, &n) != 1) {
      fail_with("ssl_error", take_errors());
      return false;
    }
    data += n;
    size -= n;
  }
  return true;
}

ssize_t TlsLayer::write(int fd, const iovec* vectors, int count) {
  if (failed_) return kFailed;
  if (!wire_.flush(fd, nullptr)) {
    if (wire_.failed()) return fail_with("sock_error", std::strerror(wire_.error()));
    return kWouldBlock;
  }
  if (!established_ || count == 0) return count == 0 ? 0 : kWouldBlock;
  std::size_t taken = 0;
  std::uint8_t* const record = scratch_->tls_record();
  std::size_t filled = 0;
  bool flows = true;
  for (int i = 0; i < count && flows; ++i) {
    const auto* data = static_cast<const std::uint8_t*>(vectors[i].iov_base);
    std::size_t left = vectors[i].iov_len;
    while (left > 0 && flows) {
      // Small pieces share a record; a full record's worth is encrypted from where it lies.
      std::size_t n = 0;
      if (filled == 0 && left >= LayerScratch::kRecord) {
        n = LayerScratch::kRecord;
        if (!encrypt(data, n)) return kFailed;
      } else {
        n = std::min(left, LayerScratch::kRecord - filled);
        std::memcpy(record + filled, data, n);
        filled += n;
        if (filled == LayerScratch::kRecord) {
          if (!encrypt(record, filled)) return kFailed;
          filled = 0;
        }
      }
      data += n;
      left -= n;
      taken += n;
      if (scratch_->tls_out.size() >= LayerScratch::kOut) flows = push_out(fd);
    }
  }
  if (filled > 0 && !encrypt(record, filled)) return kFailed;
  push_out(fd);
  if (wire_.failed()) return fail_with("sock_error", std::strerror(wire_.error()));
  return static_cast<ssize_t>(taken);
}

void TlsLayer::shutdown(int fd) {
  if (established_ && !failed_) {
    ERR_clear_error();
    SSL_set_quiet_shutdown(ssl_.get(), 0);
    SSL_shutdown(ssl_.get());
  }
  push_out(fd);
  ERR_clear_error();
}

/// Only tells what the balancer in front told.
class PlainLayer final : public Layer {
 public:
  explicit PlainLayer(PeerCertificate proxied) : certificate_(std::move(proxied)) {}
  void enter(LayerScratch*) override {}
  ssize_t read(int fd, std::uint8_t* out, std::size_t room) override {
    const ssize_t n = receive(fd, out, room);
    drained_ = n < 0 || static_cast<std::size_t>(n) < room;
    if (n == kFailed) error_ = {"sock_error", std::strerror(errno)};
    return n;
  }
  bool drained() const override { return drained_; }
  ssize_t write(int fd, const iovec* vectors, int count) override {
    if (count == 0) return 0;
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(vectors);
    message.msg_iovlen = static_cast<std::size_t>(count);
    for (;;) {
      const ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
      if (n >= 0) return n;
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return kWouldBlock;
      error_ = {"sock_error", std::strerror(errno)};
      return kFailed;
    }
  }
  bool has_output() const override { return false; }
  void shutdown(int) override {}
  const StreamError& error() const override { return error_; }
  const PeerCertificate* peer_certificate() const override { return &certificate_; }
  bool established() const override { return true; }

 private:
  PeerCertificate certificate_;
  StreamError error_{"tcp_closed", "the peer closed the connection"};
  bool drained_ = false;
};

}  // namespace detail

std::unique_ptr<Layer> make_tls_layer(std::shared_ptr<const TlsContext> context,
                                      std::optional<PeerCertificate> proxied) {
  return std::make_unique<detail::TlsLayer>(std::static_pointer_cast<const detail::TlsContextImpl>(std::move(context)),
                                            std::move(proxied));
}

std::unique_ptr<Layer> make_plain_layer(PeerCertificate proxied) {
  return std::make_unique<detail::PlainLayer>(std::move(proxied));
}

}  // namespace sb::net
