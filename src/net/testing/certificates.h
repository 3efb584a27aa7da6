// Certificates made on the fly, for tests only.
// check: allow leak in this file: for tests only, which speak to OpenSSL
#pragma once

#include "base/check.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace sb::net::testing {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;
using CertificatePtr = std::unique_ptr<X509, FreeCertificate>;

struct Identity {
  KeyPtr key;
  CertificatePtr certificate;
};

struct Making {
  std::string common_name = "localhost";
  const Identity* issuer = nullptr;  // null: self-signed
  bool authority = false;
  long valid_from_s = -3600;
  long valid_to_s = 86400;
  long serial = 1;
  std::string crl_url{};
};

inline void add_extension(X509& certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  SB_CHECK(extension != nullptr, "bad extension");
  X509_add_ext(&certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

inline Identity make_identity(const Making& how) {
  Identity made{KeyPtr(EVP_EC_gen("P-256")), CertificatePtr(X509_new())};
  X509& certificate = *made.certificate;
  X509_set_version(&certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(&certificate), how.serial);
  X509_gmtime_adj(X509_getm_notBefore(&certificate), how.valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(&certificate), how.valid_to_s);
  X509_set_pubkey(&certificate, made.key.get());
  X509_NAME* const name = X509_get_subject_name(&certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(how.common_name.c_str());
  X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("Signalbox"), -1, -1, 0);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0);
  X509* const issuer = how.issuer ? how.issuer->certificate.get() : &certificate;
  X509_set_issuer_name(&certificate, X509_get_subject_name(issuer));
  add_extension(certificate, issuer, NID_basic_constraints, how.authority ? "critical,CA:TRUE" : "CA:FALSE");
  add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
  if (how.authority) add_extension(certificate, issuer, NID_key_usage, "keyCertSign,cRLSign,digitalSignature");
  if (!how.crl_url.empty()) add_extension(certificate, issuer, NID_crl_distribution_points, "URI:" + how.crl_url);
  X509_sign(&certificate, how.issuer ? how.issuer->key.get() : made.key.get(), EVP_sha256());
  return made;
}

inline std::string to_pem(const X509& certificate) {
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, &certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

inline std::string to_pem(EVP_PKEY& key, const std::string& password = {}) {
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, &key, password.empty() ? nullptr : EVP_aes_128_cbc(),
                                password.empty() ? nullptr : password.c_str(), static_cast<int>(password.size()),
                                nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

/// A folder that is gone with the object.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "signalbox-test-XXXXXX").string();
    SB_CHECK(mkdtemp(name.data()) != nullptr, "no temporary folder");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string write(const std::string& name, const std::string& text) const {
    const std::string file = (path_ / name).string();
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace sb::net::testing
