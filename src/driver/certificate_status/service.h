// Keeps OCSP staples and revocation lists fresh (config.md 6.5, 7.12).
// Any thread may call it; one thread of its own fetches.
// Must outlive no one: holders and stores that it made stay valid after it, they are just no longer refreshed.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "net/certificate_status.h"

#include <memory>
#include <string>

namespace sb::driver::certificate_status {

/// crl_cache
struct CrlSettings {
  Millis refresh_interval{900'000};
  Millis http_timeout{15'000};
  std::size_t capacity = 100;  // URLs; beyond it the oldest goes
};

/// ssl_options.ocsp
struct OcspSettings {
  std::string certificate_file;  // of the listener; its first certificate
  std::string issuer_file;
  std::string responder_url;
  Millis refresh_interval{300'000};
  Millis http_timeout{15'000};
};

class Service {
 public:
  explicit Service(const CrlSettings& crls, Millis retry = Millis{5'000});
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// For TlsOptions::crls. Lists that handshakes ask for are fetched and kept fresh.
  std::shared_ptr<net::CrlStore> crls() const;
  void set_crls(const CrlSettings& settings);

  /// For TlsOptions::staple: filled soon, refreshed as long as somebody holds it. Fails by name on bad files.
  [[nodiscard]] Result<std::shared_ptr<net::StapleHolder>> staple(const OcspSettings& settings);

 private:
  class Worker;
  std::shared_ptr<Worker> worker_;  // also held, weakly, by the store's call-back
};

}  // namespace sb::driver::certificate_status
