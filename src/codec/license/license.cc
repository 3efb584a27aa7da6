#include "codec/license/license.h"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <charconv>
#include <memory>
#include <optional>

namespace sb::codec::license {

const char* const kBuiltInPublicKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEu10PuMoDaR2IoaCqi8hrEKG7b7Cd\n"
    "8ma+HTPfxkfnS3VkcZYp6/SyVT7bjB/hUIDkaBWskzeKp9ww7ZHnwTbE7g==\n"
    "-----END PUBLIC KEY-----\n";

namespace {

constexpr std::string_view kFormat = "220111";
constexpr std::size_t kKeyBytesMax = 16384;
constexpr std::size_t kLines = 9;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Bio = std::unique_ptr<BIO, FreeBio>;
using Digest = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

bool is_p256(EVP_PKEY* key) {
  char group[64] = {};
  std::size_t size = 0;
  return key && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 && std::string_view(group) == "prime256v1";
}

/// No pass phrase is asked for at a terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

Key read_key(std::string_view pem, bool is_private) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key(is_private ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)
                     : PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
  return is_p256(key.get()) ? std::move(key) : nullptr;
}

std::string write_key(EVP_PKEY* key, bool is_private) {
  const Bio bio(BIO_new(BIO_s_mem()));
  const int done = is_private ? PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr)
                              : PEM_write_bio_PUBKEY(bio.get(), key);
  char* data = nullptr;
  const long size = done == 1 ? BIO_get_mem_data(bio.get(), &data) : 0;
  return std::string(data, static_cast<std::size_t>(size));
}

std::string encode(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::string> decode(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

bool verified(EVP_PKEY* key, std::string_view payload, std::string_view signature) {
  const Digest digest(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(digest.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char*>(payload.data()), payload.size()) == 1;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (true) {
    const auto end = text.find('\n');
    out.push_back(text.substr(0, end));
    if (end == text.npos) return out;
    text.remove_prefix(end + 1);
  }
}

/// Digits alone.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const std::int64_t era = year / 400;
  const auto year_of_era = static_cast<std::int64_t>(year - era * 400);
  const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

tl::unexpected<Error> bad() {
  return fail(Errc::Invalid, "Bad license key");
}

bool good_line(std::string_view text) {
  return !text.empty() && text.size() <= 1024 && text.find('\n') == text.npos;
}

}  // namespace

std::string_view to_string(Type type) {
  return type == Type::Official ? "official" : "trial";
}

std::string day_text(std::int64_t day) {
  // Howard Hinnant's civil_from_days, for days after 1970.
  const std::int64_t shifted = day + 719468;
  const std::int64_t era = shifted / 146097;
  const std::int64_t day_of_era = shifted - era * 146097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t part = (5 * day_of_year + 2) / 153;
  const std::int64_t month = part < 10 ? part + 3 : part - 9;
  return fmt::format("{:04}-{:02}-{:02}", year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
                     day_of_year - (153 * part + 2) / 5 + 1);
}

Result<std::int64_t> parse_day(std::string_view text) {
  const auto value = number(text);
  if (!value || text.size() != 8) return fail(Errc::Invalid, "a day is YYYYMMDD");
  const auto year = static_cast<std::int64_t>(*value / 10000);
  const auto month = static_cast<unsigned>(*value / 100 % 100);
  const auto day = static_cast<unsigned>(*value % 100);
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31) return fail(Errc::Invalid, "no such day");
  const std::int64_t out = days_from_civil(year, month, day);
  if (day_text(out) != fmt::format("{:04}-{:02}-{:02}", year, month, day)) return fail(Errc::Invalid, "no such day");
  return out;
}

Result<Terms> parse_payload(std::string_view payload) {
  constexpr std::uint64_t kDaysMax = 1'000'000;
  const auto lines = lines_of(payload);
  if (lines.size() != kLines || lines[0] != kFormat) return bad();
  Terms out;
  const auto type = number(lines[1]);
  if (!type || *type > 1) return bad();
  out.type = static_cast<Type>(*type);
  const auto customer = number(lines[2]);
  if (!customer || (*customer > 2 && *customer != 10)) return bad();
  out.customer_type = static_cast<Customer>(*customer);
  if (!good_line(lines[3]) || !good_line(lines[4])) return bad();
  out.customer = lines[3];
  out.email = lines[4];
  out.deployment = lines[5];
  const auto start = parse_day(lines[6]);
  if (!start || *start < days_from_civil(2021, 11, 1)) return bad();
  out.start_day = *start;
  const auto days = number(lines[7]);
  if (!days || *days == 0 || *days > kDaysMax) return bad();
  out.days = static_cast<std::int64_t>(*days);
  std::string plain(lines[8]);
  std::erase(plain, ',');
  const auto connections = number(plain);
  if (!connections || *connections == 0) return bad();
  out.max_connections = *connections;
  return out;
}

Result<std::string> make_payload(const Terms& terms) {
  std::string start = day_text(terms.start_day);
  std::erase(start, '-');
  std::string out = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", kFormat, static_cast<int>(terms.type),
                                static_cast<int>(terms.customer_type), terms.customer, terms.email, terms.deployment,
                                start, terms.days, terms.max_connections);
  if (!parse_payload(out))
    return fail(Errc::Invalid,
                "customer and email must not be empty, days and connections must be more than 0, the first day not "
                "before 2021-11-01, and no text may hold a line break");
  return out;
}

Result<Terms> verify(std::string_view key, const std::vector<std::string>& public_keys) {
  if (key.size() > kKeyBytesMax) return bad();
  std::string text;
  for (const char c : key)
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') text += c;
  const auto dot = text.find('.');
  if (dot == text.npos) return bad();
  const auto payload = decode(std::string_view(text).substr(0, dot));
  const auto signature = decode(std::string_view(text).substr(dot + 1));
  if (!payload || !signature) return bad();
  for (const std::string& pem : public_keys) {
    const Key trusted = read_key(pem, false);
    if (trusted && verified(trusted.get(), *payload, *signature)) return parse_payload(*payload);
  }
  return fail(Errc::Denied, "Bad license key");
}

Result<std::string> issue(const Terms& terms, std::string_view private_key) {
  SB_TRY(const std::string payload, make_payload(terms));
  const Key key = read_key(private_key, true);
  if (!key) return fail(Errc::Invalid, "not a private key of the curve P-256 in PEM form");
  const Digest digest(EVP_MD_CTX_new());
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(payload.data());
  if (EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(digest.get(), nullptr, &size, bytes, payload.size()) != 1)
    return fail(Errc::Invalid, "the key cannot sign");
  std::string signature(size, '\0');
  if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes, payload.size()) !=
      1)
    return fail(Errc::Invalid, "the key cannot sign");
  signature.resize(size);
  return encode(payload) + "." + encode(signature);
}

Result<> check_public_key(std::string_view pem) {
  if (!read_key(pem, false)) return fail(Errc::Invalid, "not a public key of the curve P-256 in PEM form");
  return {};
}

Result<KeyPair> make_key_pair() {
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return fail(Errc::Unavailable, "no key could be made");
  return KeyPair{write_key(key.get(), true), write_key(key.get(), false)};
}

}  // namespace sb::codec::license
