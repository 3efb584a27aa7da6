#include "app/config_review.h"

#include "app/catalogs.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace sb::app {
namespace {

using testing::HasSubstr;

/// What `check_config` says about a file, and its code.
class ConfigReview : public testing::Test {
 protected:
  ConfigReview() {
    char name[] = "/tmp/config_review_test_XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~ConfigReview() override { std::filesystem::remove_all(folder_); }

  int check(const std::string& text) {
    std::ofstream(folder_ + "/signalbox.conf") << text;
    config::LoadOptions options;
    options.main_file = folder_ + "/signalbox.conf";
    options.review = review_all;
    access::authn::Registry mechanisms;
    add_authn_plugins(mechanisms);
    options.built_authn = mechanisms.names();
    access::authz::Registry sources;
    add_authz_plugins(sources);
    options.built_authz = sources.names();
    said_.clear();
    return config::check_config(options, said_);
  }
  /// The problem stands at `place` ("line: key path") and names what is expected.
  void refused(const std::string& text, const std::string& place, const std::string& expected) {
    EXPECT_EQ(check(text), 1) << text;
    EXPECT_THAT(said_, HasSubstr("signalbox.conf:" + place));
    EXPECT_THAT(said_, HasSubstr(expected));
  }
  std::string folder_;
  std::string said_;
};

TEST_F(ConfigReview, RefusesCipherSuitesThatNobodyKnows) {
  refused("listeners.ssl.default.ssl_options.ciphers = [\"NOPE\"]",
          "1: listeners.ssl.default.ssl_options.ciphers = [\"NOPE\"]", "not NOPE");
  refused("listeners.wss.default.ssl_options.ciphers = [\"TLS_NOPE\"]", "1: listeners.wss.default.ssl_options.ciphers",
          "not TLS_NOPE");
  EXPECT_EQ(check("listeners.ssl.default.ssl_options.ciphers = [\"A B\"]"), 1);
  EXPECT_THAT(said_, HasSubstr("1 problem(s)"));
  EXPECT_THAT(said_, HasSubstr("'A B' is none"));
  EXPECT_EQ(check("listeners.ssl.default.ssl_options.ciphers = \"TLS_AES_128_GCM_SHA256,AES128-SHA\""), 0) << said_;
  EXPECT_EQ(said_, "");
}

TEST_F(ConfigReview, PassesOverSuitesThatWereDroppedAndSaysSo) {
  EXPECT_EQ(check("listeners.ssl.default.ssl_options.ciphers = [\"ECDH-ECDSA-AES256-SHA384\", \"AES128-SHA\"]"), 0);
  EXPECT_THAT(said_, HasSubstr("WARNING: "));
  EXPECT_THAT(said_, HasSubstr("not ECDH-ECDSA-AES256-SHA384"));
}

TEST_F(ConfigReview, RefusesFiltersAndTopicsThatAreNone) {
  refused("auto_subscribe.topics = [\n {topic = \"a/${clientid}/+\"}\n {topic = \"a/#/b\"}]",
          "3: auto_subscribe.topics.2.topic = \"a/#/b\"", "a topic filter");
  refused("authorization.cache.excludes = [\"a/#\", \"a+\"]", "1: authorization.cache.excludes", "topic filters");
  EXPECT_EQ(check("authorization.cache.excludes = [\"a/#\", \"+/a\"]"), 0) << said_;
  refused("topic_metrics = [{topic = \"a/+\"}]", "1: topic_metrics.1.topic = \"a/+\"", "a topic without + and #");
}

TEST_F(ConfigReview, RefusesFilesThatAreMissing) {
  refused("authorization.sources = [{type = file, path = \"/no/acl.conf\"}]",
          "1: authorization.sources.1.path = \"/no/acl.conf\"", "a file of rules");
  refused("psk_authentication { enable = true\n init_file = \"/no/keys\" }",
          "2: psk_authentication.init_file = \"/no/keys\"", "a file of keys");
  EXPECT_EQ(check("psk_authentication { enable = false, init_file = \"/no/keys\" }"), 0) << said_;
  refused("listeners.ssl.x {\n bind = 1\n ssl_options.certfile = \"/no/cert.pem\" }",
          "3: listeners.ssl.x.ssl_options.certfile = \"/no/cert.pem\"", "a certificate");
  refused("listeners.wss.x { bind = 1, ssl_options { certfile = \"/etc/passwd\", keyfile = \"/no/key\" } }",
          "1: listeners.wss.x.ssl_options.keyfile", "its key");
  EXPECT_EQ(check("listeners.ssl.x { bind = 1, enable = false, ssl_options.certfile = \"/no/cert.pem\" }"), 0) << said_;
  EXPECT_EQ(check("listeners.ssl.x { bind = 1, ssl_options.certfile = \"-----BEGIN CERTIFICATE-----\\n\" }"), 0)
      << said_ << "written to a file at the start";
  std::ofstream(folder_ + "/mine.conf") << "{allow, all}.\n";
  EXPECT_EQ(check("authorization.sources = [{type = file, path = \"" + folder_ + "/mine.conf\"}]"), 0) << said_;
}

TEST_F(ConfigReview, RefusesFilesThatDoNotHoldWhatTheStartNeeds) {
  const auto file = [&](const char* name, const char* text) {
    std::ofstream(folder_ + "/" + name) << text;
    return "\"" + folder_ + "/" + name + "\"";
  };
  refused("authorization.sources = [\n{type = file, path = " +
              file("rules.conf", "{allow, all}.\n\n{deny, bob, all, [\"#\"]}.\n") + "}]",
          "2: authorization.sources.1.path", "line 3");
  refused("authorization.sources = [{type = file, rules = \"{allow, nobody}.\"}]", "1: authorization.sources.1.rules",
          "line 1");
  const std::string built_in = "{mechanism = password_based, backend = built_in_database, bootstrap_file = ";
  refused("authentication = [\n" + built_in + file("users.csv", "user_id,password\njoe\n") + "}]",
          "2: authentication.1.bootstrap_file", "line 2: 1 fields, 2 columns");
  refused("listeners.tcp.x { bind = 1, authentication = [" + built_in + "\"/no/users.csv\"}] }",
          "1: listeners.tcp.x.authentication.1.bootstrap_file", "cannot read '/no/users.csv'");
  const std::string jwt = "{mechanism = jwt, use_jwks = false, algorithm = ";
  refused("authentication = [" + jwt + "public-key, public_key = " + file("key.pem", "no key") + "}]",
          "1: authentication.1.public_key", "public_key: ");
  refused("authentication = [" + jwt + "hmac-based, secret = \"file:///no/secret\"}]", "1: authentication.1.secret",
          "/no/secret");
  for (const char* field : {"headers", "body"}) {
    const std::string http =
        fmt::format("method = get, url = \"http://h/\", {} {{ a = \"file:///no/secret\" }} }}]", field);
    refused("authentication = [{mechanism = password_based, backend = http, " + http,
            fmt::format("1: authentication.1.{}", field), "/no/secret");
    refused("authorization.sources = [{type = http, " + http, fmt::format("1: authorization.sources.1.{}", field),
            "/no/secret");
  }
  refused("psk_authentication { enable = true, init_file = " + file("keys.psk", "a:1\nb\n") + " }",
          "1: psk_authentication.init_file", "line 2 is not identity:secret");
  refused("api_key.bootstrap_file = " + file("api.keys", "a:secret\nb\n"), "1: api_key.bootstrap_file",
          "line 2: expected key:secret");
  EXPECT_EQ(check("authentication = [" + jwt + "public-key, public_key = \"/no/key\", enable = false}]"), 0) << said_;
  EXPECT_EQ(check("authentication = [" + built_in + file("users.csv", "user_id,password\njoe,p\n") + "}]\n" +
                  "api_key.bootstrap_file = " + file("api.keys", "a:secret:viewer\n")),
            0)
      << said_;
}

TEST_F(ConfigReview, TellsAllOfThemBesideOtherMistakes) {
  EXPECT_EQ(check("mqtt.max_inflight = 0\nauto_subscribe.topics = [{topic = \"a/#/b\"}]\n"), 1);
  EXPECT_THAT(said_, HasSubstr("mqtt.max_inflight"));
  EXPECT_THAT(said_, HasSubstr("auto_subscribe.topics.1.topic"));
}

TEST_F(ConfigReview, ALicenceThatDoesNotCountIsAWarning) {
  EXPECT_EQ(check("license.key = garbage"), 0);
  EXPECT_THAT(said_, HasSubstr("signalbox.conf:1: license.key"));
  EXPECT_THAT(said_, HasSubstr("the node will run on the trial"));
  EXPECT_THAT(said_, Not(HasSubstr("garbage"))) << "a key is a secret";
  EXPECT_EQ(check("license.key = community"), 0);
  EXPECT_EQ(said_, "");
}

}  // namespace
}  // namespace sb::app
