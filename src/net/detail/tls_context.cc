#include "net/detail/tls_context.h"

#include "base/log.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace sb::net {

Result<std::shared_ptr<const TlsContext>> TlsContext::make(const TlsOptions& options) {
  auto context = std::make_shared<detail::TlsContextImpl>();
  context->files_ = files_of(options);  // before they are read: what is written meanwhile is seen later
  SB_CHECKED(context->load(options));
  return std::shared_ptr<const TlsContext>(std::move(context));
}

std::string TlsContext::files_of(const TlsOptions& options) {
  std::string out;
  for (const std::string* file : {&options.certificate_file, &options.key_file, &options.ca_file, &options.dh_file}) {
    struct stat info {};
    if (file->empty() || stat(file->c_str(), &info) != 0)
      out += "-;";
    else
      out += fmt::format("{}.{} {} {};", info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_size, info.st_ino);
  }
  return out;
}

namespace detail {

namespace {
/// AEAD with forward secrecy first; the rest for old devices, without static RSA and SHA-1 unless they are listed.
constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-"
    "POLY1305:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256";
constexpr const char* kPskSuites12 =
    ":ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES256-GCM-SHA384:DHE-PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384:"
    "PSK-AES128-GCM-SHA256:RSA-PSK-AES256-GCM-SHA384:RSA-PSK-AES128-GCM-SHA256:PSK-AES256-CBC-SHA384:PSK-AES128-CBC-"
    "SHA256";
constexpr const char* kSuitesOld =
    ":ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
    "AES256-SHA:AES128-SHA@SECLEVEL=0";
constexpr const char* kSuites13 = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";
constexpr unsigned char kPskCipher13[] = {0x13, 0x01};  // TLS_AES_128_GCM_SHA256, the hash of RFC 8446 4.2.11's default

int to_openssl(TlsVersion version) {
  switch (version) {
    case TlsVersion::Tls10:
      return TLS1_VERSION;
    case TlsVersion::Tls11:
      return TLS1_1_VERSION;
    case TlsVersion::Tls12:
      return TLS1_2_VERSION;
    case TlsVersion::Tls13:
      break;
  }
  return TLS1_3_VERSION;
}

std::uint64_t no_version(TlsVersion version) {
  switch (version) {
    case TlsVersion::Tls10:
      return SSL_OP_NO_TLSv1;
    case TlsVersion::Tls11:
      return SSL_OP_NO_TLSv1_1;
    case TlsVersion::Tls12:
      return SSL_OP_NO_TLSv1_2;
    case TlsVersion::Tls13:
      break;
  }
  return SSL_OP_NO_TLSv1_3;
}

/// Full URLs of the HTTP distribution points of a certificate.
std::vector<std::string> distribution_points(const X509& certificate) {
  std::vector<std::string> urls;
  const std::unique_ptr<CRL_DIST_POINTS, Deleter<CRL_DIST_POINTS_free>> points(
      static_cast<CRL_DIST_POINTS*>(X509_get_ext_d2i(&certificate, NID_crl_distribution_points, nullptr, nullptr)));
  for (int i = 0; points && i < sk_DIST_POINT_num(points.get()); ++i) {
    const DIST_POINT* point = sk_DIST_POINT_value(points.get(), i);
    if (!point->distpoint || point->distpoint->type != 0) continue;
    const GENERAL_NAMES* names = point->distpoint->name.fullname;
    for (int j = 0; j < sk_GENERAL_NAME_num(names); ++j) {
      const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, j);
      if (name->type != GEN_URI) continue;
      const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
      std::string url(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                      static_cast<std::size_t>(ASN1_STRING_length(uri)));
      if (url.starts_with("http://") || url.starts_with("https://")) urls.push_back(std::move(url));
    }
  }
  return urls;
}

using CrlPtr = std::unique_ptr<X509_CRL, Deleter<X509_CRL_free>>;
}  // namespace

std::string take_errors() {
  std::string text;
  char line[256];
  while (const unsigned long code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    if (!reason) {
      ERR_error_string_n(code, line, sizeof line);
      reason = line;
    }
    if (!text.empty()) text += ": ";
    text += reason;
  }
  return text.empty() ? std::string("no reason given") : text;
}

const TlsContextImpl& TlsContextImpl::of(SSL* ssl) {
  return *static_cast<const TlsContextImpl*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

Result<> TlsContextImpl::load(const TlsOptions& options) {
  ERR_clear_error();
  psk_ = options.psk;
  staple_ = options.staple;
  crls_ = options.crls;
  context_.reset(SSL_CTX_new(TLS_server_method()));
  bio_method_.reset(make_bio_method());
  if (!context_ || !bio_method_) return fail(Errc::Io, fmt::format("OpenSSL: {}", take_errors()));
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (options.honor_cipher_order) SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (!options.client_renegotiation) SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  // Resumption is by tickets alone: a cache of sessions in memory would cost every connection.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  static constexpr unsigned char kSessions[] = "signalbox";
  SSL_CTX_set_session_id_context(context, kSessions, sizeof kSessions - 1);
  if (options.reuse_sessions) {
    SSL_CTX_set_num_tickets(context, 1);
  } else {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
  }
  // OpenSSL would wait for who writes into a pipe. A file that is missing it tells by itself.
  const std::pair<const char*, const std::string&> files[] = {{"certfile", options.certificate_file},
                                                              {"keyfile", options.key_file},
                                                              {"cacertfile", options.ca_file},
                                                              {"dhfile", options.dh_file}};
  for (const auto& [key, path] : files) {
    std::error_code error;
    const auto kind = std::filesystem::status(path, error).type();
    if (!path.empty() && !error && kind != std::filesystem::file_type::regular)
      return fail(Errc::Invalid, fmt::format("{} {} is not a regular file", key, path));
  }
  SB_CHECKED(load_versions(options));
  SB_CHECKED(load_certificate(options));
  SB_CHECKED(load_authorities(options));
  if (psk_) {
    SSL_CTX_set_psk_server_callback(context, psk_server);
    SSL_CTX_set_psk_find_session_callback(context, psk_find_session);
  }
  if (staple_) SSL_CTX_set_tlsext_status_cb(context, staple);
  return {};
}

Result<> TlsContextImpl::load_versions(const TlsOptions& options) {
  if (options.versions.empty()) return fail(Errc::Invalid, "ssl_options.versions names no version");
  const auto [lowest, highest] = std::minmax_element(options.versions.begin(), options.versions.end());
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_min_proto_version(context, to_openssl(*lowest));
  SSL_CTX_set_max_proto_version(context, to_openssl(*highest));
  for (const TlsVersion version : {TlsVersion::Tls10, TlsVersion::Tls11, TlsVersion::Tls12, TlsVersion::Tls13})
    if (version > *lowest && version < *highest &&
        std::find(options.versions.begin(), options.versions.end(), version) == options.versions.end())
      SSL_CTX_set_options(context, no_version(version));
  return load_ciphers(options, *lowest <= TlsVersion::Tls11);
}

Result<> TlsContextImpl::load_ciphers(const TlsOptions& options, bool old_versions) {
  std::string suites12;
  std::string suites13;
  for (const std::string& name : options.ciphers) {
    std::string& list = name.starts_with("TLS_") ? suites13 : suites12;
    if (!list.empty()) list += ':';
    list += name;
  }
  if (options.ciphers.empty()) {
    suites12 = kSuites12;
    if (psk_) suites12 += kPskSuites12;
    if (old_versions) suites12 += kSuitesOld;
  } else if (old_versions) {
    suites12 += suites12.empty() ? "DEFAULT@SECLEVEL=0" : ":@SECLEVEL=0";
  }
  if (suites13.empty()) suites13 = kSuites13;  // 9.1: none listed, but the version is on
  if (SSL_CTX_set_ciphersuites(context_.get(), suites13.c_str()) != 1)
    return fail(Errc::Invalid, fmt::format("ssl_options.ciphers: {} ({})", take_errors(), suites13));
  if (!suites12.empty() && SSL_CTX_set_cipher_list(context_.get(), suites12.c_str()) != 1)
    return fail(Errc::Invalid, fmt::format("ssl_options.ciphers: {} ({})", take_errors(), suites12));
  return {};
}

int TlsContextImpl::password(char* out, int room, int, void* secret) {
  const std::string& text = static_cast<const Secret*>(secret)->reveal();
  if (text.empty() || text.size() > static_cast<std::size_t>(room)) return -1;
  std::memcpy(out, text.data(), text.size());
  return static_cast<int>(text.size());
}

Result<> TlsContextImpl::load_certificate(const TlsOptions& options) {
  SSL_CTX* const context = context_.get();
  if (options.certificate_file.empty()) {
    if (!psk_) return fail(Errc::Invalid, "ssl_options.certfile is missing");
    return {};
  }
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1)
    return fail(Errc::Invalid, fmt::format("cannot use certfile {}: {}", options.certificate_file, take_errors()));
  SSL_CTX_set_default_passwd_cb(context, password);
  SSL_CTX_set_default_passwd_cb_userdata(context, const_cast<Secret*>(&options.password));
  const std::string& key = options.key_file.empty() ? options.certificate_file : options.key_file;
  const bool loaded = SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (!loaded) return fail(Errc::Invalid, fmt::format("cannot use keyfile {}: {}", key, take_errors()));
  if (SSL_CTX_check_private_key(context) != 1)
    return fail(Errc::Invalid, fmt::format("keyfile {} does not belong to certfile {}", key, options.certificate_file));
  if (options.dh_file.empty()) {
    SSL_CTX_set_dh_auto(context, 1);
    return {};
  }
  const std::unique_ptr<BIO, Deleter<BIO_free>> file(BIO_new_file(options.dh_file.c_str(), "r"));
  std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>> parameters(file ? PEM_read_bio_Parameters(file.get(), nullptr)
                                                                    : nullptr);
  if (!parameters || SSL_CTX_set0_tmp_dh_pkey(context, parameters.get()) != 1)
    return fail(Errc::Invalid, fmt::format("cannot use dhfile {}: {}", options.dh_file, take_errors()));
  (void)parameters.release();  // the context owns it now
  return {};
}

Result<> TlsContextImpl::load_authorities(const TlsOptions& options) {
  SSL_CTX* const context = context_.get();
  if (!options.verify_peer) {
    if (options.fail_if_no_peer_cert) return fail(Errc::Invalid, "fail_if_no_peer_cert needs verify = verify_peer");
    if (crls_) return fail(Errc::Invalid, "enable_crl_check needs verify = verify_peer");
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    return {};
  }
  if (options.ca_file.empty()) return fail(Errc::Invalid, "verify = verify_peer needs cacertfile");
  if (SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1)
    return fail(Errc::Invalid, fmt::format("cannot use cacertfile {}: {}", options.ca_file, take_errors()));
  // Names of the authorities go into the request, so that a client with several certificates can choose.
  if (STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(options.ca_file.c_str()))
    SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (options.fail_if_no_peer_cert ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  SSL_CTX_set_verify_depth(context, options.depth);
  if (crls_) {
    SSL_CTX_set_cert_verify_callback(context, verify_chain, this);
    // The lists of the issuers that we know are asked for now, so that the first client does not find them missing.
    STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
    for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i)
      if (const X509* certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i)))
        for (const std::string& url : distribution_points(*certificate)) (void)crls_->find(url);
    if (const X509* own = SSL_CTX_get0_certificate(context))
      for (const std::string& url : distribution_points(*own)) (void)crls_->find(url);
  }
  return {};
}

int TlsContextImpl::verify_chain(X509_STORE_CTX* store, void* self) {
  // The chain first: a list is fetched only where an authority that we trust says so.
  if (X509_verify_cert(store) != 1) return 0;
  const STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(store);
  X509* const leaf = sk_X509_value(chain, 0);
  X509* const issuer = sk_X509_value(chain, sk_X509_num(chain) > 1 ? 1 : 0);
  const int verdict = static_cast<const TlsContextImpl*>(self)->revocation_of(*leaf, *issuer);
  if (verdict == X509_V_OK) return 1;
  X509_STORE_CTX_set_error(store, verdict);
  return 0;
}

/// Only the client's own certificate is looked up. One without distribution points cannot be revoked this way; one
/// whose list is not here yet is refused (the list has been asked for): what is unknown is not let in.
int TlsContextImpl::revocation_of(X509& certificate, X509& issuer) const {
  const std::vector<std::string> urls = distribution_points(certificate);
  int verdict = urls.empty() ? X509_V_OK : X509_V_ERR_UNABLE_TO_GET_CRL;
  for (const std::string& url : urls) {
    const CrlStore::List der = crls_->find(url);
    if (!der) continue;
    const auto* bytes = reinterpret_cast<const unsigned char*>(der->data());
    const CrlPtr list(d2i_X509_CRL(nullptr, &bytes, static_cast<long>(der->size())));
    if (!list || X509_NAME_cmp(X509_CRL_get_issuer(list.get()), X509_get_subject_name(&issuer)) != 0 ||
        X509_CRL_verify(list.get(), X509_get0_pubkey(&issuer)) != 1) {
      verdict = X509_V_ERR_CRL_SIGNATURE_FAILURE;
      continue;
    }
    const ASN1_TIME* const until = X509_CRL_get0_nextUpdate(list.get());
    if (until && X509_cmp_current_time(until) < 0) {
      verdict = X509_V_ERR_CRL_HAS_EXPIRED;
      continue;
    }
    X509_REVOKED* entry = nullptr;
    return X509_CRL_get0_by_cert(list.get(), &entry, &certificate) == 1 ? X509_V_ERR_CERT_REVOKED : X509_V_OK;
  }
  ERR_clear_error();
  return verdict;
}

unsigned TlsContextImpl::psk_server(SSL* ssl, const char* identity, unsigned char* key, unsigned key_max) {
  if (!identity) return 0;
  const auto secret = of(ssl).psk_(identity);
  if (!secret || secret->reveal().size() > key_max) {
    SB_LOG(log::Level::Warning, "psk_identity_not_found", kv("identity", std::string_view(identity)));
    return 0;
  }
  std::memcpy(key, secret->reveal().data(), secret->reveal().size());
  return static_cast<unsigned>(secret->reveal().size());
}

int TlsContextImpl::psk_find_session(SSL* ssl, const unsigned char* identity, std::size_t size, SSL_SESSION** session) {
  *session = nullptr;  // with 1: no such identity, it may be a ticket
  const auto secret = of(ssl).psk_({reinterpret_cast<const char*>(identity), size});
  if (!secret) return 1;
  const SSL_CIPHER* const cipher = SSL_CIPHER_find(ssl, kPskCipher13);
  std::unique_ptr<SSL_SESSION, Deleter<SSL_SESSION_free>> made(SSL_SESSION_new());
  const std::string& key = secret->reveal();
  if (!cipher || !made ||
      SSL_SESSION_set1_master_key(made.get(), reinterpret_cast<const unsigned char*>(key.data()), key.size()) != 1 ||
      SSL_SESSION_set_cipher(made.get(), cipher) != 1 ||
      SSL_SESSION_set_protocol_version(made.get(), TLS1_3_VERSION) != 1)
    return 0;
  *session = made.release();
  return 1;
}

int TlsContextImpl::staple(SSL* ssl, void*) {
  const auto response = of(ssl).staple_->get();
  if (!response || response->empty()) return SSL_TLSEXT_ERR_NOACK;
  auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(response->data(), response->size()));
  if (!copy) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(response->size()));  // the SSL owns it
  return SSL_TLSEXT_ERR_OK;
}

std::string explain_handshake_failure(SSL* ssl, std::uint8_t first_byte) {
  const unsigned long code = ERR_peek_last_error();
  const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
      ERR_clear_error();
      return "plain HTTP on a TLS port";
    case SSL_R_WRONG_VERSION_NUMBER:
      ERR_clear_error();
      return first_byte == 0x10 ? "plain MQTT on a TLS port" : "what came is not TLS";
    case SSL_R_NO_SHARED_CIPHER:
      ERR_clear_error();
      return "no shared cipher";
    case SSL_R_UNSUPPORTED_PROTOCOL:
      ERR_clear_error();
      return "no shared TLS version";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      ERR_clear_error();
      return "the client showed no certificate";
    case SSL_R_CERTIFICATE_VERIFY_FAILED: {
      ERR_clear_error();
      const long why = SSL_get_verify_result(ssl);
      switch (why) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
          return "the client's certificate has expired";
        case X509_V_ERR_CERT_REVOKED:
          return "the client's certificate is revoked";
        case X509_V_ERR_UNABLE_TO_GET_CRL:
          return "the revocation list of the client's certificate is not here yet";
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
          return "the client's certificate is of an unknown CA";
        default:
          return fmt::format("bad client certificate: {}", X509_verify_cert_error_string(why));
      }
    }
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      ERR_clear_error();
      return "the client does not trust our certificate: unknown CA";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
      ERR_clear_error();
      return "the client refuses our certificate: bad certificate";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
      ERR_clear_error();
      return "the client refuses our certificate";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      ERR_clear_error();
      return "the client says that our certificate has expired";
    default:
      return take_errors();
  }
}

}  // namespace detail
}  // namespace sb::net
