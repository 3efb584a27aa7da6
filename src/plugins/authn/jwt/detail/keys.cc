#include "plugins/authn/jwt/detail/keys.h"

#include "access/authn/base64.h"
#include "access/authn/password.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <optional>

namespace sb::plugins::authn::jwt::detail {

namespace json = boost::json;

enum class Family : std::uint8_t { Hmac, Rsa, RsaPss, Ec, Edwards };

struct Algorithm {
  std::string_view name;
  Family family;
  const char* digest;
  const char* curve;       // ES: as OpenSSL calls it
  std::size_t half_bytes;  // ES: of r and of s
};

namespace {

constexpr std::array kAlgorithms = {
    Algorithm{"HS256", Family::Hmac, "SHA256", nullptr, 0},
    Algorithm{"HS384", Family::Hmac, "SHA384", nullptr, 0},
    Algorithm{"HS512", Family::Hmac, "SHA512", nullptr, 0},
    Algorithm{"RS256", Family::Rsa, "SHA256", nullptr, 0},
    Algorithm{"RS384", Family::Rsa, "SHA384", nullptr, 0},
    Algorithm{"RS512", Family::Rsa, "SHA512", nullptr, 0},
    Algorithm{"PS256", Family::RsaPss, "SHA256", nullptr, 0},
    Algorithm{"PS384", Family::RsaPss, "SHA384", nullptr, 0},
    Algorithm{"PS512", Family::RsaPss, "SHA512", nullptr, 0},
    Algorithm{"ES256", Family::Ec, "SHA256", "prime256v1", 32},
    Algorithm{"ES384", Family::Ec, "SHA384", "secp384r1", 48},
    Algorithm{"ES512", Family::Ec, "SHA512", "secp521r1", 66},
    Algorithm{"EdDSA", Family::Edwards, nullptr, nullptr, 0},
};

struct Free {
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
  void operator()(OSSL_PARAM_BLD* p) const { OSSL_PARAM_BLD_free(p); }
  void operator()(OSSL_PARAM* p) const { OSSL_PARAM_free(p); }
  void operator()(BIGNUM* p) const { BN_free(p); }
  void operator()(ECDSA_SIG* p) const { ECDSA_SIG_free(p); }
  void operator()(X509* p) const { X509_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool is_curve(const EVP_PKEY* key, const char* curve) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  return EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1 && std::string_view(name.data()) == curve;
}

/// r and s of fixed size, RFC 7518 3.4, as the DER that OpenSSL wants.
std::optional<std::string> to_der(std::string_view signature, std::size_t half) {
  if (signature.size() != 2 * half) return std::nullopt;
  const Owned<ECDSA_SIG> pair(ECDSA_SIG_new());
  Owned<BIGNUM> r(BN_bin2bn(bytes(signature), static_cast<int>(half), nullptr));
  Owned<BIGNUM> s(BN_bin2bn(bytes(signature) + half, static_cast<int>(half), nullptr));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return std::nullopt;
  (void)r.release();
  (void)s.release();
  std::string out(static_cast<std::size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)), '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  i2d_ECDSA_SIG(pair.get(), &to);
  return out;
}

bool fits(const Algorithm& algorithm, const EVP_PKEY* key) {
  switch (algorithm.family) {
    case Family::Rsa:
      return EVP_PKEY_is_a(key, "RSA") == 1;
    case Family::RsaPss:
      return EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1;
    case Family::Ec:
      return EVP_PKEY_is_a(key, "EC") == 1 && is_curve(key, algorithm.curve);
    case Family::Edwards:
      return EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1;
    case Family::Hmac:
      return false;
  }
  return false;
}

// ---------------------------------------------------------------- JSON Web Keys

std::string text_of(const json::object& from, std::string_view name) {
  const json::value* value = from.if_contains(name);
  return value && value->is_string() ? std::string(std::string_view(value->get_string())) : std::string();
}

std::optional<std::string> bytes_of(const json::object& from, std::string_view name) {
  const std::string text = text_of(from, name);
  if (text.empty()) return std::nullopt;
  return access::authn::decode_base64url(text);
}

EVP_PKEY* from_params(const char* type, OSSL_PARAM_BLD* build) {
  const Owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(build));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return key;
}

EVP_PKEY* rsa_key(const json::object& from) {
  const auto n = bytes_of(from, "n");
  const auto e = bytes_of(from, "e");
  if (!n || !e) return nullptr;
  const Owned<BIGNUM> modulus(BN_bin2bn(bytes(*n), static_cast<int>(n->size()), nullptr));
  const Owned<BIGNUM> exponent(BN_bin2bn(bytes(*e), static_cast<int>(e->size()), nullptr));
  const Owned<OSSL_PARAM_BLD> build(OSSL_PARAM_BLD_new());
  if (!modulus || !exponent || !build || OSSL_PARAM_BLD_push_BN(build.get(), "n", modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), "e", exponent.get()) != 1)
    return nullptr;
  return from_params("RSA", build.get());
}

EVP_PKEY* ec_key(const json::object& from) {
  const std::string name = text_of(from, "crv");
  const Algorithm* of_curve = nullptr;
  for (const auto& [curve, algorithm] : {std::pair{"P-256", "ES256"}, {"P-384", "ES384"}, {"P-521", "ES512"}})
    if (name == curve) of_curve = find_algorithm(algorithm);
  const auto x = bytes_of(from, "x");
  const auto y = bytes_of(from, "y");
  if (!of_curve || !x || !y || x->size() != of_curve->half_bytes || y->size() != of_curve->half_bytes) return nullptr;
  const std::string point = '\4' + *x + *y;
  const Owned<OSSL_PARAM_BLD> build(OSSL_PARAM_BLD_new());
  if (!build || OSSL_PARAM_BLD_push_utf8_string(build.get(), "group", of_curve->curve, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(build.get(), "pub", point.data(), point.size()) != 1)
    return nullptr;
  return from_params("EC", build.get());
}

EVP_PKEY* edwards_key(const json::object& from) {
  const std::string curve = text_of(from, "crv");
  const auto x = bytes_of(from, "x");
  if (!x || (curve != "Ed25519" && curve != "Ed448")) return nullptr;
  return EVP_PKEY_new_raw_public_key(curve == "Ed25519" ? EVP_PKEY_ED25519 : EVP_PKEY_ED448, nullptr, bytes(*x),
                                     x->size());
}

}  // namespace

const Algorithm* find_algorithm(std::string_view name) {
  for (const Algorithm& one : kAlgorithms)
    if (one.name == name) return &one;
  return nullptr;
}

Result<Key> Key::of_key(std::string id, std::string algorithm, EVP_PKEY* key) {
  ERR_clear_error();
  if (!key) return fail(Errc::Invalid, "not a public key that tokens can be verified with");
  Key out;
  out.id = std::move(id);
  out.only = std::move(algorithm);
  out.key_ = std::shared_ptr<evp_pkey_st>(key, [](EVP_PKEY* gone) { EVP_PKEY_free(gone); });  // immutable, shared
  return out;
}

Key Key::of_secret(Secret secret) {
  Key out;
  out.secret_ = std::move(secret);
  return out;
}

Result<Key> Key::of_pem(std::string_view pem) {
  const Owned<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (pem.find("-----BEGIN CERTIFICATE-----") != std::string_view::npos) {
    const Owned<X509> certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    return of_key({}, {}, certificate ? X509_get_pubkey(certificate.get()) : nullptr);
  }
  return of_key({}, {}, PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr));
}

bool Key::verifies(const Algorithm& algorithm, std::string_view text, std::string_view signature) const {
  if (!only.empty() && only != algorithm.name) return false;
  if (algorithm.family == Family::Hmac) {
    if (key_ || secret_.empty()) return false;
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    std::size_t size = 0;
    const std::string& secret = secret_.reveal();
    if (!EVP_Q_mac(nullptr, "HMAC", nullptr, algorithm.digest, nullptr, secret.data(), secret.size(), bytes(text),
                   text.size(), mac.data(), mac.size(), &size)) {
      ERR_clear_error();
      return false;
    }
    return access::authn::equal_in_constant_time({reinterpret_cast<const char*>(mac.data()), size}, signature);
  }
  if (!key_ || !fits(algorithm, key_.get())) return false;
  std::optional<std::string> der;
  if (algorithm.family == Family::Ec) {
    der = to_der(signature, algorithm.half_bytes);
    if (!der) return false;
    signature = *der;
  }
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* how = nullptr;
  bool good = context && EVP_DigestVerifyInit_ex(context.get(), &how, algorithm.digest, nullptr, nullptr, key_.get(),
                                                 nullptr) == 1;
  if (good && algorithm.family == Family::RsaPss)  // RFC 7518 3.5: salt as long as the hash
    good = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
  good = good && EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(text), text.size()) == 1;
  ERR_clear_error();
  return good;
}

Result<KeySet> read_key_set(std::string_view text) {
  boost::system::error_code error;
  const json::value whole = json::parse(text, error);
  const json::object* set = error ? nullptr : whole.if_object();
  const json::value* keys = set ? set->if_contains("keys") : nullptr;
  if (!keys || !keys->is_array()) return fail(Errc::Invalid, "not a JSON Web Key Set");
  KeySet out;
  for (const json::value& one : keys->get_array()) {
    const json::object* fields = one.if_object();
    if (!fields) continue;
    const std::string use = text_of(*fields, "use");
    if (!use.empty() && use != "sig") continue;
    const std::string type = text_of(*fields, "kty");
    std::string id = text_of(*fields, "kid");
    std::string algorithm = text_of(*fields, "alg");
    if (type == "oct") {
      const auto secret = bytes_of(*fields, "k");
      if (!secret) continue;
      Key key = Key::of_secret(Secret(*secret));
      key.id = std::move(id);
      key.only = std::move(algorithm);
      out.push_back(std::move(key));
      continue;
    }
    EVP_PKEY* made = nullptr;
    if (type == "RSA") made = rsa_key(*fields);
    if (type == "EC") made = ec_key(*fields);
    if (type == "OKP") made = edwards_key(*fields);
    if (auto key = Key::of_key(std::move(id), std::move(algorithm), made)) out.push_back(*std::move(key));
  }
  // A set that is empty takes all keys back; one that nothing can be read from is a mistake.
  if (out.empty() && !keys->get_array().empty()) return fail(Errc::Invalid, "no key that can be used is in the set");
  return out;
}

}  // namespace sb::plugins::authn::jwt::detail
