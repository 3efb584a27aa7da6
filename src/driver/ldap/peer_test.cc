#include "driver/ldap/peer.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace sb::driver::ldap {

namespace {
/// DER, signed by itself. "" = no alternative names.
std::string certificate_for(const std::string& common_name, const std::string& names) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const made = X509_new();
  X509_set_version(made, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(made), 0);
  X509_gmtime_adj(X509_getm_notAfter(made), 3600);
  X509_set_pubkey(made, key);
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.c_str());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8, text, -1, -1, 0);
  if (!names.empty()) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(made, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(made, key, EVP_sha256());
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(made, &bytes);
  std::string out(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  X509_free(made);
  EVP_PKEY_free(key);
  return out;
}
}  // namespace

TEST(LdapPeer, NamesAndAddresses) {  // RFC 6125 6.4
  const std::string both = certificate_for("ldap", "DNS:localhost,DNS:*.example.org,IP:127.0.0.1,IP:::1");
  for (const char* name : {"localhost", "LOCALHOST", "a.example.org", "127.0.0.1", "::1"})
    EXPECT_TRUE(names_peer(both, name)) << name;
  for (const char* name : {"ldap", "example.org", "a.b.example.org", "127.0.0.2", "::2", "localhost.evil", ""})
    EXPECT_FALSE(names_peer(both, name)) << name;
}

TEST(LdapPeer, ANameInAnAddressIsNone) {
  EXPECT_FALSE(names_peer(certificate_for("127.0.0.1", "DNS:127.0.0.1"), "127.0.0.1"));
}

TEST(LdapPeer, TheCommonNameCountsOnlyAlone) {
  EXPECT_TRUE(names_peer(certificate_for("ldap.example.org", ""), "ldap.example.org"));
  EXPECT_FALSE(names_peer(certificate_for("ldap.example.org", "DNS:other"), "ldap.example.org"));
}

TEST(LdapPeer, WhatIsNoCertificate) {
  EXPECT_FALSE(names_peer("", "localhost"));
  EXPECT_FALSE(names_peer("garbage", "localhost"));
  const std::string good = certificate_for("localhost", "");
  EXPECT_FALSE(names_peer(good.substr(0, good.size() - 1), "localhost"));
}

}  // namespace sb::driver::ldap
