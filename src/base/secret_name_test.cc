#include "base/secret_name.h"

#include <gtest/gtest.h>

namespace sb {
namespace {

TEST(SecretName, GoesByTheEndOfTheName) {
  for (const char* name :
       {"password", "new_pwd", "api_secret", "Authorization", "ssl_password", "token", "bind_PASSWORD",
        "Proxy-Authorization", "X-Api-Key", "apikey", "Set-Cookie", "X-Auth-Token", "credentials"})
    EXPECT_TRUE(names_secret(name)) << name;
  for (const char* name : {"password_hash_algorithm", "username", "tokens_max", "", "topic", "key", "routing_key"})
    EXPECT_FALSE(names_secret(name)) << name;
}

TEST(SecretName, APasswordWithinAUrlIsNotShown) {
  EXPECT_EQ(shown_urls("http://joe:s3:cr@t@host:80/x?y=a:b@c"), "http://joe:******@host:80/x?y=a:b@c");
  EXPECT_EQ(shown_urls("amqp://:pw@a,http://u:w@b/"), "amqp://:******@a,http://u:******@b/");
  for (const char* plain : {"http://host:80/a:b@c", "http://joe@host", "http://joe:@host", "joe:pw@host", "://", ""})
    EXPECT_EQ(shown_urls(plain), plain);
  EXPECT_TRUE(has_masked_url("http://joe:******@host"));
  EXPECT_FALSE(has_masked_url("http://joe@host"));
  EXPECT_FALSE(has_masked_url("joe:******@host"));
}

TEST(SecretName, ATokenIsNoName) {
  EXPECT_EQ(shown_username("joe"), "joe");
  EXPECT_EQ(shown_username("eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmVk"), "******");
  EXPECT_EQ(shown_username("eyJ.no"), "eyJ.no");
  EXPECT_EQ(shown_username(""), "");
}

}  // namespace
}  // namespace sb
