// TLS towards a back end, as the drivers take it. A driver whose library cannot do something of it says so where the
// configuration is checked; none leaves it out silently.
#pragma once

#include "base/result.h"
#include "base/secret.h"

#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

namespace sb::driver::resource {

enum class TlsVersion : std::uint8_t { V10, V11, V12, V13 };
std::string_view to_string(TlsVersion version);  // "TLSv1.2"

struct Tls {
  bool enable = false;
  bool verify = false;        // the server's certificate and name
  std::string server_name{};  // "" = the host; "disable" = none is told
  std::string ca_file{};      // "" = the system's
  std::string certificate_file{};
  std::string key_file{};  // may be the certificate's file
  Secret key_password{};
  unsigned depth = 10;  // most certificates between the server's and a trusted one
  TlsVersion oldest = TlsVersion::V12;
  TlsVersion newest = TlsVersion::V13;
  std::vector<std::string> ciphers{};  // OpenSSL's names, of any version; none = the library's choice

  bool tells_name() const { return server_name != "disable"; }
  /// Whom the certificate has to be for.
  const std::string& peer(const std::string& host) const {
    return server_name.empty() || !tells_name() ? host : server_name;
  }
};

/// `ciphers` as two lists for OpenSSL: up to TLS 1.2, and of 1.3. "" = none is listed.
struct CipherLists {
  std::string older;
  std::string tls13;
};
CipherLists cipher_lists(const std::vector<std::string>& ciphers);

/// Versions, suites, depth, trust and the client's certificate, into a context of OpenSSL. Invalid, with the key's
/// name.
[[nodiscard]] Result<> apply(const Tls& tls, ssl_ctx_st* context);
/// Whether OpenSSL knows the suites.
[[nodiscard]] Result<> check_ciphers(const std::vector<std::string>& ciphers);

}  // namespace sb::driver::resource
