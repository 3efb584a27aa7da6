#include "plugins/authn/ldap/ldap.h"

#include "plugins/authn/ldap/detail/password_attribute.h"

#include <gtest/gtest.h>

namespace sb::plugins::authn::ldap {
namespace {

using driver::ldap::Entry;

// Of "secret", made by openssl.
constexpr const char* kSha = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";

MethodSettings settings() {
  MethodSettings out;
  out.password_attribute = "userPassword";
  out.is_superuser_attribute = "isSuperuser";
  return out;
}

Entry entry(std::vector<std::pair<std::string, std::vector<std::string>>> attributes) {
  return {"uid=x", std::move(attributes)};
}

TEST(PasswordAttribute, IsComparedByItsAlgorithm) {
  for (const char* attribute :
       {kSha, "{sha}5en6G6MezRroT3XKqkdPOmY/BfQ=", "{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==",
        "{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=", "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0",
        "e1NIQX01ZW42RzZNZXpScm9UM1hLcWtkUE9tWS9CZlE9"}) {
    const auto right = detail::matches(attribute, "secret");
    ASSERT_TRUE(right) << attribute << right.error().what;
    EXPECT_TRUE(*right) << attribute;
    EXPECT_FALSE(detail::matches(attribute, "Secret").value()) << attribute;
  }
}

TEST(PasswordAttribute, ThatCannotBeReadIsAnError) {
  for (const char* attribute : {"", "secret", "{", "{SHA", "{CRYPT}x", "{SHA}", "{SHA}5en6", "{SHA}?", "{SSHA}AAAA",
                                "{SHA256}5en6G6MezRroT3XKqkdPOmY/BfQ=", "e1NIQX0="})
    EXPECT_FALSE(detail::matches(attribute, "secret")) << attribute;
}

TEST(LdapEntry, LetsInByItsPassword) {
  const auto in = judge(settings(), entry({{"USERPASSWORD", {"{MD5}x", kSha}}}), "secret");
  ASSERT_TRUE(in);
  EXPECT_EQ(in->code, ReasonCode::Success);
  EXPECT_FALSE(in->superuser);
  EXPECT_EQ(judge(settings(), entry({{"userPassword", {kSha}}}), "other")->code, ReasonCode::BadUserNameOrPassword);
  EXPECT_TRUE(judge(settings(), entry({{"userPassword", {kSha}}, {"isSuperuser", {"TRUE"}}}), "secret")->superuser);
  EXPECT_FALSE(judge(settings(), entry({{"userPassword", {kSha}}, {"isSuperuser", {"FALSE"}}}), "secret")->superuser);
}

TEST(LdapEntry, ThatIsDisabledOrHasNoPasswordRefuses) {
  for (const Entry& one : {entry({{"userPassword", {kSha}}, {"isEnabled", {"FALSE"}}}),
                           entry({{"userPassword", {kSha}}, {"isEnabled", {}}}), entry({}),
                           entry({{"userPassword", {}}}), entry({{"userPassword", {"{CRYPT}x"}}})})
    EXPECT_EQ(judge(settings(), one, "secret")->code, ReasonCode::UnspecifiedError);
  EXPECT_EQ(judge(settings(), entry({{"userPassword", {kSha}}, {"isEnabled", {"TRUE"}}}), "secret")->code,
            ReasonCode::Success);
}

}  // namespace
}  // namespace sb::plugins::authn::ldap
