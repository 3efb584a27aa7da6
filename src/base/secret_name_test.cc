#include "base/secret_name.h"

#include <gtest/gtest.h>

namespace sb {
namespace {

TEST(SecretName, GoesByTheEndOfTheName) {
  for (const char* name :
       {"password", "new_pwd", "api_secret", "Authorization", "ssl_password", "token", "bind_PASSWORD"})
    EXPECT_TRUE(names_secret(name)) << name;
  for (const char* name : {"password_hash_algorithm", "username", "tokens_max", "", "topic"})
    EXPECT_FALSE(names_secret(name)) << name;
}

TEST(SecretName, ATokenIsNoName) {
  EXPECT_EQ(shown_username("joe"), "joe");
  EXPECT_EQ(shown_username("eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmVk"), "******");
  EXPECT_EQ(shown_username("eyJ.no"), "eyJ.no");
  EXPECT_EQ(shown_username(""), "");
}

}  // namespace
}  // namespace sb
