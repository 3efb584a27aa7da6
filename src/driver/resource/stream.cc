#include "driver/resource/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <limits>
#include <system_error>

namespace sb::driver::resource {

namespace {
std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const text = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return text ? text : "unknown";
}

int ssl_size(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}
}  // namespace

void Stream::Free::operator()(ssl_st* session) const {
  SSL_free(session);
}
void Stream::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

Result<Stream> Stream::open(const Server& server, const Tls& tls, const Limit& limit) {
  SB_TRY(Socket socket, dial(server, limit));
  Stream out(std::move(socket));
  if (tls.enable) {
    auto ready = out.start_tls(server, tls, limit);
    if (!ready) return fail(ready.error().code, to_string(server) + ": " + ready.error().what);
  }
  return out;
}

Result<> Stream::start_tls(const Server& server, const Tls& tls, const Limit& limit) {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!context_) return fail(Errc::Io, "TLS: " + openssl_reason());
  SB_CHECKED(apply(tls, context_.get()));
  session_.reset(SSL_new(context_.get()));
  if (!session_ || SSL_set_fd(session_.get(), socket_.fd()) != 1) return fail(Errc::Io, "TLS: " + openssl_reason());
  const std::string& name = tls.peer(server.host);
  const bool address = is_address(name);
  if (!address && tls.tells_name()) SSL_set_tlsext_host_name(session_.get(), name.c_str());
  if (address)
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session_.get()), name.c_str());
  else
    SSL_set1_host(session_.get(), name.c_str());
  for (;;) {
    ERR_clear_error();
    const int code = SSL_connect(session_.get());
    if (code == 1) return {};
    if (const long why = SSL_get_verify_result(session_.get()); tls.verify && why != X509_V_OK)
      return fail(Errc::Denied, std::string("TLS: ") + X509_verify_cert_error_string(why));
    SB_CHECKED(after(code, limit));
  }
}

Result<> Stream::after(int code, const Limit& limit) {
  const int what = SSL_get_error(session_.get(), code);
  if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE) {
    SB_TRY(const short ready, limit.wait(socket_.fd(), what == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT));
    (void)ready;
    return {};
  }
  if (what == SSL_ERROR_ZERO_RETURN) return fail(Errc::Unavailable, "closed by the server");
  if (what == SSL_ERROR_SYSCALL && errno != 0) return fail(Errc::Unavailable, std::system_category().message(errno));
  return fail(Errc::Unavailable, "TLS: " + openssl_reason());
}

Result<> Stream::write(std::string_view bytes, const Limit& limit) {
  while (!bytes.empty()) {
    if (session_) {
      ERR_clear_error();
      const int done = SSL_write(session_.get(), bytes.data(), ssl_size(bytes.size()));
      if (done > 0)
        bytes.remove_prefix(static_cast<std::size_t>(done));
      else
        SB_CHECKED(after(done, limit));
      continue;
    }
    const ssize_t done = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (done >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(done));
    } else if (errno == EAGAIN) {
      SB_TRY(const short ready, limit.wait(socket_.fd(), POLLOUT));
      (void)ready;
    } else if (errno != EINTR) {
      return fail(Errc::Unavailable, std::system_category().message(errno));
    }
  }
  return {};
}

Result<std::size_t> Stream::read(char* to, std::size_t size, const Limit& limit) {
  for (;;) {
    if (session_) {
      ERR_clear_error();
      const int done = SSL_read(session_.get(), to, ssl_size(size));
      if (done > 0) return static_cast<std::size_t>(done);
      SB_CHECKED(after(done, limit));
      continue;
    }
    const ssize_t done = ::recv(socket_.fd(), to, size, 0);
    if (done > 0) return static_cast<std::size_t>(done);
    if (done == 0) return fail(Errc::Unavailable, "closed by the server");
    if (errno == EAGAIN) {
      SB_TRY(const short ready, limit.wait(socket_.fd(), POLLIN));
      (void)ready;
    } else if (errno != EINTR) {
      return fail(Errc::Unavailable, std::system_category().message(errno));
    }
  }
}

bool Stream::usable() const {
  return session_ ? is_open(socket_.fd()) : idle_and_open(socket_.fd());
}

bool Stream::buffered() const {
  return session_ && SSL_pending(session_.get()) > 0;
}

}  // namespace sb::driver::resource
