#include "driver/resource/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>

namespace sb::driver::resource {

namespace {
struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const text = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return text ? text : "unknown";
}

int passphrase(char* to, int size, int, void* from) {
  const auto& secret = static_cast<const Secret*>(from)->reveal();
  if (secret.size() > static_cast<std::size_t>(size)) return 0;
  secret.copy(to, secret.size());
  return static_cast<int>(secret.size());
}

int number_of(TlsVersion version) {
  return TLS1_VERSION + static_cast<int>(version);
}

Result<> load_certificate(const Tls& tls, SSL_CTX* context) {
  SSL_CTX_set_default_passwd_cb(context, passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, const_cast<Secret*>(&tls.key_password));
  const bool certificate = SSL_CTX_use_certificate_chain_file(context, tls.certificate_file.c_str()) == 1;
  const std::string& file = tls.key_file.empty() ? tls.certificate_file : tls.key_file;
  const bool key = certificate && SSL_CTX_use_PrivateKey_file(context, file.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  if (!certificate) return fail(Errc::Invalid, "certfile: " + openssl_reason());
  if (!key) return fail(Errc::Invalid, "keyfile: " + openssl_reason());
  return {};
}

Result<> set_ciphers(const Tls& tls, SSL_CTX* context) {
  CipherLists lists = cipher_lists(tls.ciphers);
  if (!lists.tls13.empty() && SSL_CTX_set_ciphersuites(context, lists.tls13.c_str()) != 1)
    return fail(Errc::Invalid, "ciphers: " + openssl_reason());
  // Versions before 1.2 sign with SHA-1, which OpenSSL 3 leaves out above this level.
  if (tls.oldest < TlsVersion::V12) lists.older += lists.older.empty() ? "DEFAULT@SECLEVEL=0" : ":@SECLEVEL=0";
  if (!lists.older.empty() && SSL_CTX_set_cipher_list(context, lists.older.c_str()) != 1)
    return fail(Errc::Invalid, "ciphers: " + openssl_reason());
  return {};
}
}  // namespace

std::string_view to_string(TlsVersion version) {
  switch (version) {
    case TlsVersion::V10:
      return "TLSv1";
    case TlsVersion::V11:
      return "TLSv1.1";
    case TlsVersion::V12:
      return "TLSv1.2";
    case TlsVersion::V13:
      return "TLSv1.3";
  }
  return "TLSv1.3";
}

CipherLists cipher_lists(const std::vector<std::string>& ciphers) {
  CipherLists out;
  for (const std::string& name : ciphers) {
    std::string& list = name.starts_with("TLS_") ? out.tls13 : out.older;
    list += (list.empty() ? "" : ":") + name;
  }
  return out;
}

Result<> apply(const Tls& tls, SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, number_of(tls.oldest));
  SSL_CTX_set_max_proto_version(context, number_of(tls.newest));
  SB_CHECKED(set_ciphers(tls, context));
  if (tls.verify) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_verify_depth(context, static_cast<int>(tls.depth));
    const int trusted = tls.ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                            : SSL_CTX_load_verify_file(context, tls.ca_file.c_str());
    if (trusted != 1) return fail(Errc::Invalid, "cacertfile: " + openssl_reason());
  }
  if (!tls.certificate_file.empty()) SB_CHECKED(load_certificate(tls, context));
  return {};
}

Result<> check_ciphers(const std::vector<std::string>& ciphers) {
  const std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_client_method()));
  if (!context) return fail(Errc::Io, "TLS: " + openssl_reason());
  for (const std::string& one : ciphers) {
    // Suites of TLS 1.3 that are not known are passed over without a word: looked for among what is in force.
    bool known = one.starts_with("TLS_") && SSL_CTX_set_ciphersuites(context.get(), one.c_str()) == 1;
    if (known) {
      const STACK_OF(SSL_CIPHER)* all = SSL_CTX_get_ciphers(context.get());
      known = false;
      for (int i = 0; i < sk_SSL_CIPHER_num(all); ++i) known |= one == SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i));
    } else if (!one.starts_with("TLS_")) {
      known = SSL_CTX_set_cipher_list(context.get(), one.c_str()) == 1;
    }
    ERR_clear_error();
    if (!known) return fail(Errc::Invalid, "no suite of OpenSSL: " + one);
  }
  return {};
}

}  // namespace sb::driver::resource
