// TLS for listeners. A TlsContext is what all connections of a listener share: immutable, so that a reload makes a new
// one and live connections keep theirs. Any thread may use one. make_tls_layer() puts one connection on top of it.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "net/certificate_status.h"
#include "net/layer.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::net {

enum class TlsVersion : std::uint8_t { Tls10, Tls11, Tls12, Tls13 };

/// The key that belongs to an identity, or nothing. Called on shards: it must not block.
using PskLookup = std::function<std::optional<Secret>(std::string_view identity)>;

/// ssl_options of a listener (config.md 6.5).
struct TlsOptions {
  std::string certificate_file;  // PEM, the chain; may be empty where only PSK is served
  std::string key_file;
  std::string ca_file;
  Secret password;
  bool verify_peer = false;
  bool fail_if_no_peer_cert = false;
  int depth = 10;
  std::vector<TlsVersion> versions{TlsVersion::Tls13, TlsVersion::Tls12};
  std::vector<std::string> ciphers;  // OpenSSL's names, of all versions; empty: a list of ours
  bool honor_cipher_order = true;
  bool reuse_sessions = true;
  bool client_renegotiation = false;  // TLS 1.2 and below
  std::string dh_file;
  PskLookup psk;                         // empty: none
  std::shared_ptr<StapleHolder> staple;  // empty: no stapling
  std::shared_ptr<CrlStore> crls;        // empty: no CRL check
};

class TlsContext {
 public:
  /// Reads the files. Fails by name when one is missing or does not fit.
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> make(const TlsOptions& options);
  virtual ~TlsContext() = default;
  /// Times and sizes of the files: others than those of now, and the files have changed since they were read.
  const std::string& files() const { return files_; }
  static std::string files_of(const TlsOptions& options);

 protected:
  TlsContext() = default;
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  std::string files_;
};

/// One server-side connection. `proxied` is what the PROXY protocol told about the client's certificate; one shown here
/// counts more.
std::unique_ptr<Layer> make_tls_layer(std::shared_ptr<const TlsContext> context,
                                      std::optional<PeerCertificate> proxied);

/// Bytes pass as they are; tells `proxied`. For plain connections behind a balancer that ended TLS.
std::unique_ptr<Layer> make_plain_layer(PeerCertificate proxied);

}  // namespace sb::net
