#include "base/secret_name.h"

#include <gtest/gtest.h>

namespace sb {
namespace {

TEST(SecretName, GoesByTheEndOfTheName) {
  for (const char* name : {"password", "new_pwd", "api_secret", "Authorization", "ssl_password", "token",
                           "bind_PASSWORD", "Proxy-Authorization", "X-Api-Key", "apikey", "Set-Cookie", "X-Auth-Token",
                           "credentials", "mqtt_pass", "psk", "X-Signature", "x-session-id", "X-Auth"})
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

TEST(SecretName, ASecretInTheQueryOfAUrlIsNotShown) {
  EXPECT_EQ(shown_urls("http://h/p?a=1&token=x-y&b=2&key=z#f"), "http://h/p?a=1&token=******&b=2&key=******#f");
  EXPECT_EQ(shown_urls("get \"http://h?api_key=x\" token=y"), "get \"http://h?api_key=******\" token=y");
  EXPECT_EQ(shown_urls("http://h/?to=http://u:p@i/?token=x"), "http://h/?to=http://u:******@i/?token=******");
  for (const char* plain : {"http://h/?user=${username}&token=${password}", "http://h/?token=", "http://h/?token",
                            "/p?token=x", "http://h/token=x"})
    EXPECT_EQ(shown_urls(plain), plain);
  EXPECT_EQ(logged_urls("http://h/p?a=1&token=x&u=${username} ?c=3"),
            "http://h/p?a=******&token=******&u=${username} ?c=3");
  EXPECT_TRUE(has_masked_url(shown_urls("http://h/p?token=x")));
  EXPECT_FALSE(has_masked_url("http://h/p?token=${password}"));
}

TEST(SecretName, ATokenIsNoName) {
  EXPECT_EQ(shown_username("joe"), "joe");
  EXPECT_EQ(shown_username("eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmVk"), "******");
  EXPECT_EQ(shown_username("eyJ.no"), "eyJ.no");
  EXPECT_EQ(shown_username(""), "");
}

}  // namespace
}  // namespace sb
