#include "driver/ldap/peer.h"

#include "driver/resource/dial.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace sb::driver::ldap {

namespace {
struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
}  // namespace

bool names_peer(std::string_view certificate, const std::string& name) {
  // OpenSSL takes an empty name for "any".
  if (name.empty()) return false;
  const auto* bytes = reinterpret_cast<const unsigned char*>(certificate.data());
  const std::unique_ptr<X509, Free> read(d2i_X509(nullptr, &bytes, static_cast<long>(certificate.size())));
  const bool named =
      read && (resource::is_address(name) ? X509_check_ip_asc(read.get(), name.c_str(), 0)
                                          : X509_check_host(read.get(), name.data(), name.size(), 0, nullptr)) == 1;
  ERR_clear_error();
  return named;
}

}  // namespace sb::driver::ldap
