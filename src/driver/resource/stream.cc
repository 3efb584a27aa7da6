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

/// Why a certificate is refused that should be for `name`.
std::string distrust(long why, const std::string& name) {
  if (why == X509_V_ERR_HOSTNAME_MISMATCH || why == X509_V_ERR_IP_ADDRESS_MISMATCH)
    return "the certificate is not for " + name;
  return std::string("the certificate is not trusted: ") + X509_verify_cert_error_string(why);
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
  // What could not be written at once is offered again, perhaps from another place.
  SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
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
      return fail(Errc::Denied, "TLS: " + distrust(why, name));
    SB_TRY(const short wants, waits_for(code));
    SB_TRY(const short ready, limit.wait(socket_.fd(), wants));
    (void)ready;
  }
}

Result<short> Stream::waits_for(int code) const {
  const int what = SSL_get_error(session_.get(), code);
  if (what == SSL_ERROR_WANT_READ) return static_cast<short>(POLLIN);
  if (what == SSL_ERROR_WANT_WRITE) return static_cast<short>(POLLOUT);
  if (what == SSL_ERROR_ZERO_RETURN) return fail(Errc::Unavailable, "closed by the server");
  if (what == SSL_ERROR_SYSCALL && errno != 0) return fail(Errc::Unavailable, std::system_category().message(errno));
  return fail(Errc::Unavailable, "TLS: " + openssl_reason());
}

Result<std::size_t> Stream::try_write(std::string_view bytes, short& wants) {
  wants = POLLOUT;
  if (session_) {
    ERR_clear_error();
    const int done = SSL_write(session_.get(), bytes.data(), ssl_size(bytes.size()));
    if (done > 0) return static_cast<std::size_t>(done);
    SB_TRY(wants, waits_for(done));
    return 0;
  }
  for (;;) {
    const ssize_t done = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (done >= 0) return static_cast<std::size_t>(done);
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) return fail(Errc::Unavailable, std::system_category().message(errno));
  }
}

Result<std::size_t> Stream::try_read(char* to, std::size_t size, short& wants) {
  wants = POLLIN;
  if (session_) {
    ERR_clear_error();
    const int done = SSL_read(session_.get(), to, ssl_size(size));
    if (done > 0) return static_cast<std::size_t>(done);
    SB_TRY(wants, waits_for(done));
    return 0;
  }
  for (;;) {
    const ssize_t done = ::recv(socket_.fd(), to, size, 0);
    if (done > 0) return static_cast<std::size_t>(done);
    if (done == 0) return fail(Errc::Unavailable, "closed by the server");
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) return fail(Errc::Unavailable, std::system_category().message(errno));
  }
}

Result<> Stream::write(std::string_view bytes, const Limit& limit) {
  while (!bytes.empty()) {
    short wants = 0;
    SB_TRY(const std::size_t done, try_write(bytes, wants));
    bytes.remove_prefix(done);
    if (done != 0) continue;
    SB_TRY(const short ready, limit.wait(socket_.fd(), wants));
    (void)ready;
  }
  return {};
}

Result<std::size_t> Stream::read(char* to, std::size_t size, const Limit& limit) {
  for (;;) {
    short wants = 0;
    SB_TRY(const std::size_t done, try_read(to, size, wants));
    if (done != 0) return done;
    SB_TRY(const short ready, limit.wait(socket_.fd(), wants));
    (void)ready;
  }
}

bool Stream::usable() const {
  return session_ ? is_open(socket_.fd()) : idle_and_open(socket_.fd());
}

bool Stream::buffered() const {
  return session_ && SSL_pending(session_.get()) > 0;
}

}  // namespace sb::driver::resource
