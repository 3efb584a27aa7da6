#include "access/authn/password.h"

#include <gtest/gtest.h>

#include <set>

namespace sb::access::authn {
namespace {

/// Reads `password_hash_algorithm` as the configuration does; nullopt after a problem.
std::optional<PasswordHash> read(config::Value value) {
  config::Problems errors, warnings;
  const std::map<std::string, std::string> env;
  config::Checker checker(errors, warnings, env);
  PasswordHash out;
  checker.read_object(PasswordHash::schema(), value, &out);
  return errors.empty() ? std::optional(out) : std::nullopt;
}
config::Value object(std::initializer_list<std::pair<const std::string, config::Value>> fields) {
  config::Value::Object out;
  for (const auto& [key, value] : fields) out.emplace(key, value);
  return config::Value(std::move(out));
}

struct Known {
  PasswordHash how;
  const char* password;
  const char* salt;
  const char* hash;
};

PasswordHash simple(HashName name, SaltPosition position = SaltPosition::Prefix) {
  PasswordHash out;
  out.name = name;
  out.salt_position = position;
  return out;
}
PasswordHash pbkdf2(MacFunction mac, std::uint32_t iterations, std::optional<std::uint32_t> length = {}) {
  PasswordHash out;
  out.name = HashName::Pbkdf2;
  out.mac_fun = mac;
  out.iterations = iterations;
  out.dk_length = length;
  return out;
}
PasswordHash bcrypt() {
  return simple(HashName::Bcrypt);
}

// md5sum, sha1sum, sha256sum, sha512sum of the joined text; RFC 6070; bcrypt's own vectors.
TEST(PasswordHash, AgreesWithOtherPrograms) {
  const Known known[] = {
      {simple(HashName::Plain), "public", "", "public"},
      {simple(HashName::Plain), "public", "s", "spublic"},
      {simple(HashName::Md5, SaltPosition::Disable), "public", "ignored", "4c9184f37cff01bcdc32dc486ec36961"},
      {simple(HashName::Sha, SaltPosition::Prefix), "password", "salt", "59b3e8d637cf97edbe2384cf59cb7453dfe30789"},
      {simple(HashName::Sha256, SaltPosition::Prefix), "password", "salt",
       "13601bda4ea78e55a07b98866d2be6be0744e3866f13c00c811cab608a28f322"},
      {simple(HashName::Sha256, SaltPosition::Suffix), "password", "salt",
       "7a37b85c8918eac19a9089c0fa5a2ab4dce3f90528dcdeec108b23ddf3607b99"},
      {pbkdf2(MacFunction::Sha, 1), "password", "salt", "0c60c80f961f0e71f3a9b524af6012062fe037a6"},
      {pbkdf2(MacFunction::Sha, 4096), "password", "salt", "4b007901b765489abead49d926f721d065a429c1"},
      {pbkdf2(MacFunction::Sha, 2, 10), "password", "salt", "ea6c014dc72d6f8ccd1e"},
      {pbkdf2(MacFunction::Sha256, 4096), "password", "salt",
       "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a"},
      {bcrypt(), "U*U", "", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
      {bcrypt(), "U*U*", "", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"},
  };
  for (const Known& one : known) {
    EXPECT_TRUE(password_matches(one.how, one.password, {one.hash, one.salt})) << one.hash;
    EXPECT_FALSE(password_matches(one.how, std::string(one.password) + "x", {one.hash, one.salt})) << one.hash;
    EXPECT_FALSE(password_matches(one.how, "", {one.hash, one.salt})) << one.hash;
  }
}

TEST(PasswordHash, OfEachKindMatchesItselfOnly) {
  PasswordHash quick = bcrypt();
  quick.salt_rounds = 5;
  for (const PasswordHash& how :
       {simple(HashName::Plain), simple(HashName::Md5), simple(HashName::Sha), simple(HashName::Sha256),
        simple(HashName::Sha512, SaltPosition::Suffix), simple(HashName::Sha512, SaltPosition::Disable), quick,
        pbkdf2(MacFunction::Md4, 3), pbkdf2(MacFunction::Md5, 3), pbkdf2(MacFunction::Ripemd160, 3),
        pbkdf2(MacFunction::Sha224, 3), pbkdf2(MacFunction::Sha384, 3), pbkdf2(MacFunction::Sha512, 3)}) {
    const auto made = hash_password(how, "open sesame");
    ASSERT_TRUE(made) << made.error().what;
    EXPECT_TRUE(password_matches(how, "open sesame", *made));
    EXPECT_FALSE(password_matches(how, "open Sesame", *made));
    EXPECT_FALSE(password_matches(how, "open sesame", {"", made->salt}));
    if (how.salt_position != SaltPosition::Disable) {
      EXPECT_NE(made->hash, hash_password(how, "open sesame")->hash) << "the salt is fresh";
    }
  }
}

TEST(PasswordHash, OfAnotherKindIsNoMatch) {
  EXPECT_FALSE(password_matches(bcrypt(), "p", {"$6$salt$whatever", ""}));
  EXPECT_FALSE(password_matches(bcrypt(), "p", {"", ""}));
  EXPECT_FALSE(password_matches(bcrypt(), "p", {"$2b$05$short", ""}));
  EXPECT_FALSE(password_matches(simple(HashName::Sha256), "p", {"not hexadecimal", "salt"}));
  // Upper case was never matched by the reference either.
  EXPECT_FALSE(password_matches(simple(HashName::Md5, SaltPosition::Disable), "public",
                                {"4C9184F37CFF01BCDC32DC486EC36961", ""}));
}

TEST(PasswordHash, TakesNoPasswordThatBcryptWouldCutShort) {
  const auto made = hash_password(bcrypt(), "secret");
  ASSERT_TRUE(made);
  EXPECT_FALSE(password_matches(bcrypt(), std::string_view("secret\0x", 8), *made));
  EXPECT_FALSE(hash_password(bcrypt(), std::string_view("a\0b", 3)));
  EXPECT_TRUE(hash_password(bcrypt(), std::string(72, 'a')));
  const auto longer = hash_password(bcrypt(), std::string(73, 'a'));
  ASSERT_FALSE(longer) << "what comes after 72 bytes would not count";
  EXPECT_EQ(longer.error().what, "password: bcrypt takes at most 72 bytes");
}

TEST(PasswordHash, ThatWouldTakeMinutesMatchesNothing) {
  const PasswordHash bcrypt = simple(HashName::Bcrypt);
  const std::string rest = "abcdefghijklmnopqrstuu5Pf0m8pm6cYzWhhGx5xJmzrqXw4c8qS";
  EXPECT_FALSE(password_matches(bcrypt, "x", {"$2b$31$" + rest, ""}));  // at once, not in a week
  EXPECT_TRUE(check_hash(bcrypt, "$2b$10$" + rest));
  EXPECT_FALSE(check_hash(bcrypt, "$2b$16$" + rest));
  EXPECT_TRUE(check_hash(simple(HashName::Sha256), "$2b$31$" + rest)) << "it is none of bcrypt there";
  const auto pbkdf2_of = [](int iterations, int length) {
    return read(object({{"name", "pbkdf2"}, {"mac_fun", "sha512"}, {"iterations", iterations}, {"dk_length", length}}));
  };
  EXPECT_TRUE(pbkdf2_of(10'000'000, 16));
  EXPECT_FALSE(pbkdf2_of(10'000'000, 17));
  EXPECT_TRUE(pbkdf2_of(100'000, 1024));
  EXPECT_FALSE(pbkdf2_of(200'000, 1024));
}

TEST(PasswordHash, ReadsTheKeysOfItsKind) {
  EXPECT_EQ(read(object({{"name", "sha512"}}))->salt_position, SaltPosition::Prefix);
  EXPECT_EQ(read(object({{"name", "md5"}, {"salt_position", "suffix"}}))->salt_position, SaltPosition::Suffix);
  EXPECT_EQ(read(object({{"name", "bcrypt"}}))->salt_rounds, 10U);
  EXPECT_EQ(read(object({{"name", "bcrypt"}, {"salt_rounds", 2}}))->salt_rounds, 5U) << "brought into its range";
  EXPECT_EQ(read(object({{"name", "bcrypt"}, {"salt_rounds", 14}}))->salt_rounds, 10U);
  const auto derived = read(object({{"name", "pbkdf2"}, {"mac_fun", "sha512"}, {"iterations", 7}, {"dk_length", 16}}));
  ASSERT_TRUE(derived);
  EXPECT_EQ(derived->mac_fun, MacFunction::Sha512);
  EXPECT_EQ(derived->dk_length, 16U);
}

TEST(PasswordHash, RefusesKeysThatDoNotBelong) {
  EXPECT_FALSE(read(object({{"name", "sha3"}})));
  EXPECT_FALSE(read(object({})));
  EXPECT_FALSE(read(object({{"name", "sha256"}, {"iterations", 7}})));
  EXPECT_FALSE(read(object({{"name", "pbkdf2"}, {"mac_fun", "sha256"}})));
  EXPECT_FALSE(read(object({{"name", "pbkdf2"}, {"iterations", 5}})));
  EXPECT_FALSE(read(object({{"name", "pbkdf2"}, {"mac_fun", "sha256"}, {"iterations", 0}})));
  EXPECT_FALSE(read(object({{"name", "pbkdf2"}, {"mac_fun", "sha256"}, {"iterations", 1}, {"dk_length", -1}})));
  EXPECT_FALSE(read(object({{"name", "pbkdf2"}, {"mac_fun", "sha256"}, {"iterations", 1}, {"dk_length", 1 << 30}})));
  EXPECT_FALSE(read(object({{"name", "bcrypt"}, {"mac_fun", "sha256"}})));
}

TEST(PasswordHash, SaltsAreRandomText) {
  std::set<std::string> seen;
  for (int i = 0; i < 64; ++i) {
    const auto made = random_hex(16);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->size(), 32U);
    EXPECT_EQ(made->find_first_not_of("0123456789abcdef"), std::string::npos);
    seen.insert(*made);
  }
  EXPECT_EQ(seen.size(), 64U);
}

TEST(ConstantTime, ComparesContent) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

}  // namespace
}  // namespace sb::access::authn
