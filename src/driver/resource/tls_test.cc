#include "driver/resource/tls.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <memory>

namespace sb::driver::resource {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, Free>;

std::string names_of(SSL_CTX* context) {
  std::string out;
  const STACK_OF(SSL_CIPHER)* all = SSL_CTX_get_ciphers(context);
  for (int i = 0; i < sk_SSL_CIPHER_num(all); ++i)
    out += std::string(i > 0 ? ":" : "") + SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i));
  return out;
}

TEST(ClientTls, SuitesAreOfTwoKinds) {
  const auto lists =
      cipher_lists({"ECDHE-RSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES256-GCM-SHA384"});
  EXPECT_EQ(lists.older, "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384");
  EXPECT_EQ(lists.tls13, "TLS_AES_128_GCM_SHA256");
}

TEST(ClientTls, SuitesThatOpensslDoesNotKnowAreTold) {
  EXPECT_TRUE(check_ciphers({"ECDHE-RSA-AES128-GCM-SHA256", "TLS_CHACHA20_POLY1305_SHA256"}));
  for (const char* name : {"NO-SUCH-SUITE", "TLS_NO_SUCH_SUITE"}) {
    const auto told = check_ciphers({"TLS_AES_128_GCM_SHA256", name});
    ASSERT_FALSE(told) << name;
    EXPECT_NE(told.error().what.find(name), std::string::npos);
  }
}

TEST(ClientTls, IsInForceInAContext) {
  const Context context(SSL_CTX_new(TLS_client_method()));
  Tls tls;
  tls.verify = true;
  tls.depth = 3;
  tls.oldest = TlsVersion::V12;
  tls.newest = TlsVersion::V12;
  tls.ciphers = {"TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"};
  ASSERT_TRUE(apply(tls, context.get()));
  EXPECT_EQ(SSL_CTX_get_min_proto_version(context.get()), TLS1_2_VERSION);
  EXPECT_EQ(SSL_CTX_get_max_proto_version(context.get()), TLS1_2_VERSION);
  EXPECT_EQ(SSL_CTX_get_verify_mode(context.get()), SSL_VERIFY_PEER);
  EXPECT_EQ(SSL_CTX_get_verify_depth(context.get()), 3);
  EXPECT_EQ(names_of(context.get()), "TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256");
}

TEST(ClientTls, NamesTheKeyOfAFileThatCannotBeUsed) {
  const Context context(SSL_CTX_new(TLS_client_method()));
  Tls tls;
  tls.verify = true;
  tls.ca_file = "/nonexistent/ca.pem";
  EXPECT_EQ(apply(tls, context.get()).error().what.substr(0, 10), "cacertfile");
  tls.verify = false;
  tls.certificate_file = "/nonexistent/mine.pem";
  EXPECT_EQ(apply(tls, context.get()).error().what.substr(0, 8), "certfile");
}

TEST(ClientTls, ComparesTheCertificateWithTheNameThatIsTold) {
  Tls tls;
  EXPECT_EQ(tls.peer("host"), "host");
  tls.server_name = "other";
  EXPECT_EQ(tls.peer("host"), "other");
  EXPECT_TRUE(tls.tells_name());
  tls.server_name = "disable";
  EXPECT_EQ(tls.peer("host"), "host");
  EXPECT_FALSE(tls.tells_name());
}

}  // namespace
}  // namespace sb::driver::resource
