#include "driver/ldap/peer.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace sb::driver::ldap {

namespace {
struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

bool is_address(const std::string& name) {
  unsigned char room[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, name.c_str(), room) == 1 || ::inet_pton(AF_INET6, name.c_str(), room) == 1;
}
}  // namespace

bool names_peer(std::string_view certificate, const std::string& name) {
  // OpenSSL takes an empty name for "any".
  if (name.empty()) return false;
  const auto* bytes = reinterpret_cast<const unsigned char*>(certificate.data());
  const std::unique_ptr<X509, Free> read(d2i_X509(nullptr, &bytes, static_cast<long>(certificate.size())));
  const bool named =
      read && (is_address(name) ? X509_check_ip_asc(read.get(), name.c_str(), 0)
                                : X509_check_host(read.get(), name.data(), name.size(), 0, nullptr)) == 1;
  ERR_clear_error();
  return named;
}

}  // namespace sb::driver::ldap
