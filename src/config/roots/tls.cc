// Declarations of TLS options; the rules between them.
#include "config/roots/listener.h"

namespace sb::config {
namespace {

bool has(const std::vector<TlsVersion>& versions, TlsVersion v) {
  return std::find(versions.begin(), versions.end(), v) != versions.end();
}

template <class Tls>
void check_versions(Checker& c, const Value& v, const Tls& tls) {
  const auto& list = tls.versions;
  const bool older = has(list, TlsVersion::V10) || has(list, TlsVersion::V11);
  if (list.empty()) c.broken(v, "versions", "no_versions", "at least one TLS version");
  if (has(list, TlsVersion::V13) && older && !has(list, TlsVersion::V12)) {
    c.broken(v, "versions", "tls_version_gap", "tlsv1.2 between tlsv1.3 and older versions");
  }
  for (const std::string& cipher : tls.ciphers) {
    const bool ok =
        !cipher.empty() &&
        cipher.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == cipher.npos;
    if (ok) continue;
    c.broken(v, "ciphers", "bad_ciphers", fmt::format("OpenSSL names of cipher suites; '{}' is none", cipher));
    break;
  }
}

constexpr std::string_view kVersions = "[\"tlsv1.3\", \"tlsv1.2\"]";

}  // namespace

const Struct& Ocsp::schema() {
  using S = Ocsp;
  static const Struct s =
      Schema<S>("ocsp", Hot::L)
          .field("enable_ocsp_stapling", &S::enable_ocsp_stapling,
                 {.def = "false", .doc = "Whether OCSP responses are stapled."})
          .field("responder_url", &S::responder_url, {.doc = "URL of the responder."})
          .field("issuer_pem", &S::issuer_pem, {.doc = "Certificate of the issuer.", .path = true})
          .field("refresh_interval", &S::refresh_interval,
                 {.def = "5m", .min = 60000, .doc = "How often the response is fetched."})
          .field("refresh_http_timeout", &S::refresh_http_timeout, {.def = "15s", .doc = "Limit of one fetch."})
          .finish([](Checker& c, const Value& v, S& ocsp) {
            if (!ocsp.enable_ocsp_stapling) return;
            if (ocsp.responder_url.empty())
              c.broken(v, "responder_url", "ocsp_responder_url", "a URL: OCSP stapling needs it");
            if (ocsp.issuer_pem.empty())
              c.broken(v, "issuer_pem", "ocsp_issuer_pem", "a certificate: OCSP stapling needs it");
          })
          .build();
  return s;
}

const Struct& ServerTls::schema() {
  using S = ServerTls;
  static const Struct s =
      Schema<S>("ssl_options", Hot::L)
          .doc("TLS of a listener.")
          .field("cacertfile", &S::cacertfile,
                 {.def = "\"${EMQX_ETC_DIR}/certs/cacert.pem\"", .doc = "Trusted CA certificates.", .path = true})
          .field("certfile", &S::certfile,
                 {.def = "\"${EMQX_ETC_DIR}/certs/cert.pem\"", .doc = "Certificate chain of the server.", .path = true})
          .field("keyfile", &S::keyfile,
                 {.def = "\"${EMQX_ETC_DIR}/certs/key.pem\"", .doc = "Private key of the server.", .path = true})
          .field("dhfile", &S::dhfile, {.doc = "Diffie-Hellman parameters.", .path = true})
          .field("verify", &S::verify,
                 {.def = "verify_none", .doc = "Whether client certificates are asked for and checked."})
          .field("fail_if_no_peer_cert", &S::fail_if_no_peer_cert,
                 {.def = "false", .doc = "Refuse clients without a certificate."})
          .field("reuse_sessions", &S::reuse_sessions, {.def = "true", .doc = "Whether TLS sessions may be resumed."})
          .field("depth", &S::depth,
                 {.def = "10", .min = 0, .max = 100, .doc = "Longest chain of a client certificate."})
          .field("password", &S::password, {.doc = "Passphrase of the key file.", .secret = true})
          .field("versions", &S::versions, {.def = kVersions, .doc = "TLS versions offered."})
          .field("ciphers", &S::ciphers, {.def = "[]", .doc = "Cipher suites offered; empty = all."})
          .field("secure_renegotiate", &S::secure_renegotiate,
                 {.def = "true", .doc = "Secure renegotiation, TLS 1.2 and older."})
          .field("client_renegotiation", &S::client_renegotiation,
                 {.def = "true", .doc = "Renegotiation by clients, TLS 1.2 and older."})
          .field("honor_cipher_order", &S::honor_cipher_order,
                 {.def = "true", .doc = "The server's order of ciphers counts."})
          .field("handshake_timeout", &S::handshake_timeout, {.def = "15s", .doc = "Limit of a handshake."})
          .field("gc_after_handshake", &S::gc_after_handshake,
                 {.def = "false", .doc = "Give memory back after the handshake."})
          .field("enable_crl_check", &S::enable_crl_check,
                 {.def = "false", .doc = "Check client certificates against CRLs."})
          .field("ocsp", &S::ocsp, {.doc = "OCSP stapling."})
          .accept<milliseconds>("hibernate_after", {.def = "5s"})
          .accept<std::string>("log_level", {.def = "notice"})
          .accept<std::string>("user_lookup_fun", {})
          .drop("cacerts")
          .finish([](Checker& c, const Value& v, S& tls) {
            check_versions(c, v, tls);
            if (tls.fail_if_no_peer_cert && tls.verify != TlsVerify::Peer) {
              c.broken(v, "fail_if_no_peer_cert", "verify_peer_needed",
                       "verify = verify_peer beside fail_if_no_peer_cert = true", {"verify"});
            }
            if (tls.enable_crl_check && tls.verify != TlsVerify::Peer) {
              c.broken(v, "enable_crl_check", "verify_peer_needed",
                       "verify = verify_peer beside enable_crl_check = true", {"verify"});
            }
          })
          .build();
  return s;
}

const Struct& ClientTls::schema() {
  using S = ClientTls;
  static const Struct s =
      Schema<S>("ssl", Hot::Y)
          .doc("TLS of an outgoing connection.")
          .field("enable", &S::enable, {.def = "false", .doc = "Whether TLS is used."})
          .field("server_name_indication", &S::server_name_indication, {.doc = "Name told to the server, or disable."})
          .field("verify", &S::verify, {.def = "verify_none", .doc = "Whether the server's certificate is checked."})
          .field("cacertfile", &S::cacertfile, {.doc = "Trusted CA certificates.", .path = true})
          .field("certfile", &S::certfile, {.doc = "Certificate of the client.", .path = true})
          .field("keyfile", &S::keyfile, {.doc = "Private key of the client.", .path = true})
          .field("password", &S::password, {.doc = "Passphrase of the key file.", .secret = true})
          .field("depth", &S::depth, {.def = "10", .min = 0, .max = 100, .doc = "Longest chain accepted."})
          .field("versions", &S::versions, {.def = kVersions, .doc = "TLS versions offered."})
          .field("ciphers", &S::ciphers, {.def = "[]", .doc = "Cipher suites offered; empty = all."})
          .field("reuse_sessions", &S::reuse_sessions, {.def = "true", .doc = "Whether TLS sessions may be resumed."})
          .field("secure_renegotiate", &S::secure_renegotiate, {.def = "true", .doc = "Secure renegotiation."})
          .accept<milliseconds>("hibernate_after", {.def = "5s"})
          .accept<std::string>("log_level", {.def = "notice"})
          .accept<std::string>("user_lookup_fun", {})
          .drop("cacerts")
          .finish([](Checker& c, const Value& v, S& tls) { check_versions(c, v, tls); })
          .build();
  return s;
}

}  // namespace sb::config
