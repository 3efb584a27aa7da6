#include "access/authn/password.h"

#include <crypt.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace sb::access::authn {

namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::uint32_t kIterationsMax = 10'000'000;
constexpr std::uint32_t kDerivedMax = 1024;
constexpr std::size_t kBcryptMax = 72;  // bytes that it looks at
constexpr int kCostMax = 15;            // of bcrypt: some seconds; each one more doubles them
constexpr std::uint32_t kRoundsMin = 5;
constexpr std::uint32_t kRoundsMax = 10;

const char* digest_name(HashName name) {
  switch (name) {
    case HashName::Md5:
      return "MD5";
    case HashName::Sha:
      return "SHA1";
    case HashName::Sha512:
      return "SHA512";
    default:
      return "SHA256";
  }
}

const char* digest_name(MacFunction mac) {
  constexpr const char* kNames[] = {"MD4", "MD5", "RIPEMD160", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"};
  return kNames[static_cast<std::size_t>(mac)];
}

std::optional<std::string> digest(HashName name, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, digest_name(name), nullptr, text.data(), text.size(), out.data(), &size) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  return to_hex({reinterpret_cast<const char*>(out.data()), size});
}

struct Free {
  void operator()(EVP_MD* p) const { EVP_MD_free(p); }
  void operator()(EVP_KDF* p) const { EVP_KDF_free(p); }
  void operator()(EVP_KDF_CTX* p) const { EVP_KDF_CTX_free(p); }
  void operator()(OSSL_LIB_CTX* p) const { OSSL_LIB_CTX_free(p); }
  void operator()(OSSL_PROVIDER* p) const { OSSL_PROVIDER_unload(p); }
};

std::optional<std::string> pbkdf2(const PasswordHash& how, std::string_view password, std::string_view salt) {
  // MD4 is in the legacy provider alone; a context of its own keeps it out of everything else.
  std::unique_ptr<OSSL_LIB_CTX, Free> context;
  std::unique_ptr<OSSL_PROVIDER, Free> standard, legacy;
  if (how.mac_fun == MacFunction::Md4) {
    context.reset(OSSL_LIB_CTX_new());
    standard.reset(OSSL_PROVIDER_load(context.get(), "default"));
    legacy.reset(OSSL_PROVIDER_load(context.get(), "legacy"));
  }
  const std::unique_ptr<EVP_MD, Free> md(EVP_MD_fetch(context.get(), digest_name(how.mac_fun), nullptr));
  const std::unique_ptr<EVP_KDF, Free> kdf(EVP_KDF_fetch(context.get(), "PBKDF2", nullptr));
  if (!md || !kdf) {
    ERR_clear_error();
    return std::nullopt;
  }
  const std::unique_ptr<EVP_KDF_CTX, Free> derive(EVP_KDF_CTX_new(kdf.get()));
  std::string key(how.dk_length ? *how.dk_length : static_cast<std::size_t>(EVP_MD_get_size(md.get())), '\0');
  std::string pass(password);
  std::string with(salt);
  unsigned int rounds = how.iterations;
  int lenient = 1;  // short salts and few rounds are what old tables have
  std::string name = digest_name(how.mac_fun);
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", name.data(), 0),
                               OSSL_PARAM_construct_octet_string("pass", pass.data(), pass.size()),
                               OSSL_PARAM_construct_octet_string("salt", with.data(), with.size()),
                               OSSL_PARAM_construct_uint("iter", &rounds),
                               OSSL_PARAM_construct_int("pkcs5", &lenient),
                               OSSL_PARAM_construct_end()};
  const bool done = EVP_KDF_derive(derive.get(), reinterpret_cast<unsigned char*>(key.data()), key.size(), params) == 1;
  OPENSSL_cleanse(pass.data(), pass.size());
  if (!done) {
    ERR_clear_error();
    return std::nullopt;
  }
  return to_hex(key);
}

/// "$2b$10$...": the 10; nullopt: no hash of bcrypt.
std::optional<int> cost_of(std::string_view setting) {
  const auto digit = [&](std::size_t at) { return setting[at] >= '0' && setting[at] <= '9' ? setting[at] - '0' : -1; };
  if (setting.size() < 7 || !setting.starts_with("$2") || setting[3] != '$' || setting[6] != '$') return std::nullopt;
  if (digit(4) < 0 || digit(5) < 0) return std::nullopt;
  return digit(4) * 10 + digit(5);
}

/// crypt(3) takes text that ends at NUL: a password with one in it would match by its beginning.
std::optional<std::string> bcrypt(std::string_view password, const std::string& setting) {
  const auto cost = cost_of(setting);
  if (password.find('\0') != std::string_view::npos || !cost || *cost > kCostMax) return std::nullopt;
  const auto data = std::make_unique<crypt_data>();
  std::string text(password);
  const char* const made = crypt_r(text.c_str(), setting.c_str(), data.get());
  OPENSSL_cleanse(text.data(), text.size());
  if (!made || made[0] == '*') return std::nullopt;
  std::string out(made);
  OPENSSL_cleanse(data.get(), sizeof(crypt_data));
  return out;
}

std::optional<std::string> compute(const PasswordHash& how, std::string_view password, std::string_view salt) {
  if (how.name == HashName::Bcrypt) return bcrypt(password, std::string(salt));
  if (how.name == HashName::Pbkdf2) return pbkdf2(how, password, salt);
  std::string text;
  if (how.salt_position == SaltPosition::Prefix) text = salt;
  text += password;
  if (how.salt_position == SaltPosition::Suffix) text += salt;
  if (how.name == HashName::Plain) return text;
  auto out = digest(how.name, text);
  OPENSSL_cleanse(text.data(), text.size());
  return out;
}

}  // namespace

const config::Struct& PasswordHash::schema() {
  using S = PasswordHash;
  static const config::Struct s =
      config::Schema<S>("password_hash_algorithm", config::Hot::Y)
          .doc("How passwords are hashed.")
          .field("name", &S::name, {.doc = "Kind of hash.", .required = true})
          .field("salt_position", &S::salt_position, {.doc = "plain, md5, sha...: where the salt stands."})
          .field("salt_rounds", &S::salt_rounds, {.min = 1, .max = kCostMax, .doc = "bcrypt: cost, 5 to 10."})
          .field("mac_fun", &S::mac_fun, {.doc = "pbkdf2: hash within the HMAC."})
          .field("iterations", &S::iterations, {.min = 1, .max = kIterationsMax, .doc = "pbkdf2: rounds."})
          .field("dk_length", &S::dk_length, {.min = 1, .max = kDerivedMax, .doc = "pbkdf2: bytes derived."})
          .prepare([](config::Checker& c, config::Value& v) {
            auto* fields = v.if_object();
            const config::Value* named = v.find("name");
            if (!fields || !named) return;
            const std::string kind = named->text();
            const bool pbkdf2_kind = kind == "pbkdf2";
            const bool bcrypt_kind = kind == "bcrypt";
            for (const auto& [key, value] : *fields) {
              const bool fits = key == "name" || (key == "salt_position" && !pbkdf2_kind && !bcrypt_kind) ||
                                (key == "salt_rounds" && bcrypt_kind) ||
                                (pbkdf2_kind && (key == "mac_fun" || key == "iterations" || key == "dk_length"));
              // pbkdf2 and bcrypt of older files carry a salt position that means nothing.
              if (!fits && key != "salt_position")
                c.broken(v, key, "unknown_fields", fmt::format("not a key of {}", kind));
            }
            if (pbkdf2_kind || bcrypt_kind) {
              fields->erase("salt_position");
              if (bcrypt_kind) fields->try_emplace("salt_rounds", config::Value(10));
              for (const char* needed : {"mac_fun", "iterations"})
                if (pbkdf2_kind && !fields->contains(needed))
                  c.broken(v, needed, "required_field", fmt::format("{} of pbkdf2", needed));
            } else {
              fields->try_emplace("salt_position", config::Value("prefix"));
            }
          })
          .finish([](config::Checker& c, const config::Value& v, S& how) {
            how.salt_rounds = std::clamp(how.salt_rounds, kRoundsMin, kRoundsMax);
            // Each block that is derived costs all of the iterations; a digest has 16 bytes at least.
            constexpr std::uint64_t kBlock = 16;
            const std::uint64_t blocks = (how.dk_length.value_or(0) + kBlock - 1) / kBlock;
            if (how.name == HashName::Pbkdf2 && blocks > 1 && how.iterations * blocks > kIterationsMax)
              c.broken(v, "dk_length", "too_expensive",
                       fmt::format("iterations times every {} bytes of it at most {}", kBlock, kIterationsMax),
                       {"iterations"});
          })
          .build();
  return s;
}

std::string to_hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

Result<std::string> random_hex(std::size_t size) {
  std::string bytes(size, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)) != 1) {
    ERR_clear_error();
    return fail(Errc::Io, "no random numbers");
  }
  return to_hex(bytes);
}

Result<Hashed> hash_password(const PasswordHash& how, std::string_view password) {
  Hashed out;
  if (how.name == HashName::Bcrypt) {
    // What comes after them would not count.
    if (password.size() > kBcryptMax)
      return fail(Errc::Invalid, fmt::format("password: bcrypt takes at most {} bytes", kBcryptMax));
    std::array<char, kSaltBytes> random{};
    if (RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), kSaltBytes) != 1)
      return fail(Errc::Io, "no random numbers");
    std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
    if (!crypt_gensalt_rn("$2b$", how.salt_rounds, random.data(), kSaltBytes, setting.data(), setting.size()))
      return fail(Errc::Unsupported, "bcrypt is not offered by this system");
    out.salt = setting.data();
  } else if (how.name == HashName::Pbkdf2 || how.salt_position != SaltPosition::Disable) {
    SB_TRY(out.salt, random_hex(kSaltBytes));
  }
  auto hash = compute(how, password, out.salt);
  if (!hash) return fail(Errc::Unsupported, "this password cannot be hashed as configured");
  out.hash = *std::move(hash);
  return out;
}

Result<> check_hash(const PasswordHash& how, std::string_view hash) {
  const auto cost = how.name == HashName::Bcrypt ? cost_of(hash) : std::nullopt;
  if (cost && *cost > kCostMax)
    return fail(Errc::Invalid,
                fmt::format("password_hash: the cost of bcrypt is {}, expected at most {}", *cost, kCostMax));
  return {};
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool password_matches(const PasswordHash& how, std::string_view password, const Hashed& stored) {
  // The salt of bcrypt is part of its hash.
  const auto made = compute(how, password, how.name == HashName::Bcrypt ? stored.hash : stored.salt);
  return made && equal_in_constant_time(*made, stored.hash);
}

}  // namespace sb::access::authn
