#include "plugins/authn/ldap/detail/password_attribute.h"

#include "access/authn/base64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <string>

namespace sb::plugins::authn::ldap::detail {

namespace {
std::string digest(const EVP_MD* algorithm, std::string_view first, std::string_view second) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool done = context && EVP_DigestInit_ex(context, algorithm, nullptr) == 1 &&
                    EVP_DigestUpdate(context, first.data(), first.size()) == 1 &&
                    EVP_DigestUpdate(context, second.data(), second.size()) == 1 &&
                    EVP_DigestFinal_ex(context, out, &size) == 1;
  EVP_MD_CTX_free(context);
  return done ? std::string(reinterpret_cast<const char*>(out), size) : std::string();
}

bool same(std::string_view a, std::string_view b) {
  return !a.empty() && a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

const EVP_MD* algorithm_of(std::string_view name) {
  if (name == "md5") return EVP_md5();
  if (name == "sha" || name == "ssha") return EVP_sha1();
  if (name == "sha256") return EVP_sha256();
  if (name == "sha384") return EVP_sha384();
  if (name == "sha512") return EVP_sha512();
  return nullptr;
}
}  // namespace

Result<bool> matches(std::string_view attribute, std::string_view password) {
  std::string inner;
  if (!attribute.starts_with('{')) {
    auto decoded = access::authn::decode_base64(attribute);
    if (!decoded || !decoded->starts_with('{')) return fail(Errc::Invalid, "the password attribute has no {algorithm}");
    inner = *std::move(decoded);
    attribute = inner;
  }
  const auto end = attribute.find('}');
  if (end == std::string_view::npos) return fail(Errc::Invalid, "the password attribute has no {algorithm}");
  std::string name(attribute.substr(1, end - 1));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const EVP_MD* algorithm = algorithm_of(name);
  if (!algorithm) return fail(Errc::Unsupported, "the algorithm of the password attribute is not supported");
  const auto stored = access::authn::decode_base64(attribute.substr(end + 1));
  const auto size = static_cast<std::size_t>(EVP_MD_get_size(algorithm));
  const bool salted = name == "ssha";
  if (!stored || (salted ? stored->size() < size : stored->size() != size))
    return fail(Errc::Invalid, "the password attribute holds no hash of its algorithm");
  const std::string_view all = *stored;
  return same(all.substr(0, size), digest(algorithm, password, all.substr(size)));
}

}  // namespace sb::plugins::authn::ldap::detail
