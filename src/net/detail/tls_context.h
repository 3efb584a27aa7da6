// The inside of TlsContext: an SSL_CTX with its call-backs.
#pragma once

#include "net/tls.h"

#include <openssl/ssl.h>

namespace sb::net::detail {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

class TlsContextImpl final : public TlsContext {
 public:
  [[nodiscard]] Result<> load(const TlsOptions& options);

  SSL_CTX* get() const { return context_.get(); }
  const BIO_METHOD* bio_method() const { return bio_method_.get(); }

 private:
  [[nodiscard]] Result<> load_versions(const TlsOptions& options);
  [[nodiscard]] Result<> load_ciphers(const TlsOptions& options, bool old_versions);
  [[nodiscard]] Result<> load_certificate(const TlsOptions& options);
  [[nodiscard]] Result<> load_authorities(const TlsOptions& options);
  static const TlsContextImpl& of(SSL* ssl);
  static unsigned psk_server(SSL* ssl, const char* identity, unsigned char* key, unsigned key_max);
  static int psk_find_session(SSL* ssl, const unsigned char* identity, std::size_t size, SSL_SESSION** session);
  static int staple(SSL* ssl, void*);
  static int password(char* out, int room, int, void* secret);
  static int verify_chain(X509_STORE_CTX* store, void* self);
  int revocation_of(X509& certificate, X509& issuer) const;

  std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>> context_;
  std::unique_ptr<BIO_METHOD, Deleter<BIO_meth_free>> bio_method_;
  PskLookup psk_;
  std::shared_ptr<StapleHolder> staple_;
  std::shared_ptr<CrlStore> crls_;
};

/// What OpenSSL's queue of errors says, in words; empties it.
std::string take_errors();
/// Why a handshake failed, for the log of an administrator.
std::string explain_handshake_failure(SSL* ssl, std::uint8_t first_byte);

/// broker.md 1.5; the layer makes BIOs of this kind.
BIO_METHOD* make_bio_method();

}  // namespace sb::net::detail
